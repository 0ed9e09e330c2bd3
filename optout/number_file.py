"""Numbers out of a pasted text or an uploaded list: one number a line, or the telephone column of a table.

Small on purpose: people, columns and previews are the contact import's business. Nothing is guessed: a row without a
usable number is reported with its line and reason.
"""

import csv
from collections.abc import Iterable, Iterator
from io import StringIO
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, NamedTuple

from common.tabular.problems import MAX_COLUMNS, FileProblem
from common.tabular.xlsx import convert_workbook
from smscore.folding import fold_plain
from smscore.msisdn import RejectReason, normalise_msisdn

FILE_MAX_BYTES = 20 * 1024 * 1024
REJECTS_KEPT = 200
_HEADERS = {
    "telefon", "telefon no", "telefon numarasi", "cep", "cep no", "cep telefonu", "gsm", "gsm no", "numara", "no",
    "phone", "phone number", "mobile", "mobile number", "number", "msisdn", "tel",
}  # fmt: skip
_EXCEL_PROBLEMS = {
    "no_sheet": "empty",
    "excel_too_heavy": "too_heavy",
    "unsafe_excel": "too_heavy",
    "encrypted_excel": "encrypted_excel",
    "too_many_columns": "too_many_columns",
    "cell_too_long": "cell_too_long",
}
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")  # in the OLE container that a password makes of an XLSX

Row = tuple[int, list[object]]


class UnreadableFile(ValueError):
    """`code`: "empty", "too_big", "broken", "old_excel", "encrypted_excel", "too_heavy", "too_many_columns",
    "cell_too_long"; `params` fill its text (row, count, limit)."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


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
        raise UnreadableFile("encrypted_excel" if _ENCRYPTED in content else "old_excel")
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
            yield reader.line_num, list(row[:MAX_COLUMNS])
    except csv.Error as error:
        raise UnreadableFile("broken") from error


def _read_workbook(content: bytes) -> Iterator[Row]:
    """The sheet as the contact import would read it. UnreadableFile."""
    with TemporaryDirectory() as folder:
        source, target = Path(folder, "source"), Path(folder, "rows.csv")
        source.write_bytes(content)
        try:
            convert_workbook(source, target)
        except FileProblem as problem:
            raise UnreadableFile(_EXCEL_PROBLEMS.get(problem.code, "broken"), **problem.params) from problem
        with target.open(encoding="utf-8", newline="") as file:
            for number, row in enumerate(csv.reader(file), 1):
                yield number, list(row)


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
