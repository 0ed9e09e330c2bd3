"""Numbers out of a pasted text or an uploaded list: one number a line, or the telephone column of a table.

Small on purpose: people, columns and previews are the contact import's business. Nothing is guessed: a row without a
usable number is reported with its line and reason.
"""

import csv
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from io import BytesIO, StringIO
from itertools import islice
from typing import BinaryIO, NamedTuple

from python_calamine import CalamineError, CalamineWorkbook

from smscore.folding import fold_plain
from smscore.msisdn import RejectReason, normalise_msisdn

FILE_MAX_BYTES = 20 * 1024 * 1024
UNPACKED_MAX_BYTES = 300 * 1024 * 1024
COLUMNS_AT_MOST = 100
REJECTS_KEPT = 200
_HEADERS = {
    "telefon", "telefon no", "telefon numarasi", "cep", "cep no", "cep telefonu", "gsm", "gsm no", "numara", "no",
    "phone", "phone number", "mobile", "mobile number", "number", "msisdn", "tel",
}  # fmt: skip

Row = tuple[int, list[object]]


class UnreadableFile(ValueError):
    """`code`: "empty", "too_big", "broken", "old_excel"."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Reject(NamedTuple):
    line: int
    value: str
    reason: RejectReason


class ReadNumbers(NamedTuple):
    msisdns: list[str]  # E.164, in order of the file, each once
    repeated: int
    rejects: list[Reject]  # the first REJECTS_KEPT
    reject_count: int


def read_text(text: str) -> ReadNumbers:
    """Numbers of a textarea: one a line; a line may hold more after a comma, semicolon or tab."""
    lines = (line.strip() for line in text.splitlines())
    return _collect((number, [line]) for number, line in enumerate(lines, 1) if line)


def read_file(file: BinaryIO, size: int) -> ReadNumbers:
    """Numbers of an uploaded CSV, TXT or XLSX; the kind is told by content. Raises UnreadableFile."""
    if size == 0:
        raise UnreadableFile("empty")
    if size > FILE_MAX_BYTES:
        raise UnreadableFile("too_big")
    content = file.read(FILE_MAX_BYTES + 1)
    if content.startswith(b"PK\x03\x04"):
        return _collect_table(_read_workbook(content))
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnreadableFile("old_excel")
    return _collect_table(_read_csv(content))


def _read_csv(content: bytes) -> Iterator[Row]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = content.decode("utf-16", errors="replace")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp1254", errors="replace")
    if "\x00" in text:
        raise UnreadableFile("broken")
    first_line = text.lstrip().split("\n", 1)[0]
    delimiter = max(";\t,", key=first_line.count)
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            yield reader.line_num, list(row[:COLUMNS_AT_MOST])
    except csv.Error as error:
        raise UnreadableFile("broken") from error


def _read_workbook(content: bytes) -> Iterator[Row]:
    _refuse_bombs(content)
    try:
        sheet = CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0)
        for number, row in enumerate(sheet.iter_rows(), sheet.start[0] + 1 if sheet.start else 1):
            yield number, list(row[:COLUMNS_AT_MOST])
    except (CalamineError, zipfile.BadZipFile, ValueError) as error:
        raise UnreadableFile("broken") from error


def _refuse_bombs(content: bytes) -> None:
    """Unpack every entry into nothing and count: what the archive declares about itself proves nothing."""
    total = 0
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            entries = archive.infolist()
            if len(entries) > 2000:
                raise UnreadableFile("too_big")
            for entry in entries:
                raw = _raw_entry(content, entry)
                if entry.compress_type == zipfile.ZIP_STORED:
                    total += len(raw)
                    continue
                inflate = zlib.decompressobj(-15)
                while raw and not inflate.eof:
                    total += len(inflate.decompress(raw, 1 << 20))
                    raw = inflate.unconsumed_tail
                    if total > UNPACKED_MAX_BYTES:
                        raise UnreadableFile("too_big")
    except (zipfile.BadZipFile, zlib.error, IndexError, NotImplementedError) as error:
        raise UnreadableFile("broken") from error
    if total > UNPACKED_MAX_BYTES:
        raise UnreadableFile("too_big")


def _raw_entry(content: bytes, entry: zipfile.ZipInfo) -> bytes:
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise UnreadableFile("broken")
    at = entry.header_offset
    name_length = int.from_bytes(content[at + 26 : at + 28], "little")
    extra_length = int.from_bytes(content[at + 28 : at + 30], "little")
    begin = at + 30 + name_length + extra_length
    return content[begin : begin + entry.compress_size]


def _collect_table(rows: Iterator[Row]) -> ReadNumbers:
    """A column with a telephone header is read; without one, each row's first cell that is a number."""
    head = list(islice(rows, 1))
    if head:
        titles = [fold_plain(str(cell)) for cell in head[0][1]]
        column = next((i for i, title in enumerate(titles) if title in _HEADERS), None)
        if column is not None:
            return _collect((line, [cells[column] if column < len(cells) else ""]) for line, cells in rows)
    result = _collect(row for part in (head, rows) for row in part)
    # A title nobody could know ("Engellenenler") is no bad row.
    if result.rejects and result.rejects[0].line == 1 and not any(char.isdigit() for char in result.rejects[0].value):
        result = result._replace(rejects=result.rejects[1:], reject_count=result.reject_count - 1)
        if not result.msisdns and not result.reject_count:
            raise UnreadableFile("empty")
    return result


def _collect(rows: Iterable[Row]) -> ReadNumbers:
    found: dict[str, None] = {}
    total = reject_count = 0
    rejects: list[Reject] = []
    for line, cells in rows:
        filled = [cell for cell in cells if str(cell).strip()]
        if not filled:
            continue
        numbers, reason = _find_numbers(filled)
        if not numbers:
            reject_count += 1
            if len(rejects) < REJECTS_KEPT:
                rejects.append(Reject(line, str(filled[0])[:40], reason))
        total += len(numbers)
        found.update(dict.fromkeys(numbers))
    if not total and not reject_count:
        raise UnreadableFile("empty")
    return ReadNumbers(list(found), total - len(found), rejects, reject_count)


def _find_numbers(cells: list[object]) -> tuple[list[str], RejectReason]:
    first_reason: RejectReason | None = None
    for cell in cells:
        result = normalise_msisdn(cell)
        if isinstance(result, str):
            return [result], RejectReason.EMPTY
        if result is RejectReason.SEVERAL_NUMBERS and isinstance(cell, str):
            pieces = [normalise_msisdn(piece) for piece in cell.replace(";", ",").replace("\t", ",").split(",")]
            if all(isinstance(piece, str) for piece in pieces):
                return [str(piece) for piece in pieces], RejectReason.EMPTY
        first_reason = first_reason or result
    return [], first_reason or RejectReason.EMPTY
