"""Numbers out of a pasted text or an uploaded list: one number a line, or the telephone columns of a table.

Who is on such a list has refused: every number in it counts, on whatever sheet and in whichever column, and a row or
cell without a usable one is reported with its line and reason. Nothing is guessed.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from django.conf import settings

from common.tabular.problems import FileProblem
from common.tabular.tables import open_tables
from smscore.msisdn import RejectReason, normalise_msisdn, split_msisdns
from smscore.phone_columns import is_phone_header

FILE_MAX_BYTES = 20 * 1024 * 1024
REJECTS_KEPT = 200
_HEADER_ROWS = 10
# What the cells of a header are, taken for numbers.
_TITLES = {RejectReason.EMPTY, RejectReason.NOT_A_NUMBER, RejectReason.TOO_SHORT}
# Beside a usable number, what cannot receive an SMS or never was a number loses nothing …
_HARMLESS = {RejectReason.EMPTY, RejectReason.NOT_A_NUMBER, RejectReason.LANDLINE, RejectReason.SPECIAL_NUMBER}
# … and under no telephone header, digits may be anything: only these were meant as numbers.
_SURELY_NUMBERS = {RejectReason.SEVERAL_NUMBERS, RejectReason.AMBIGUOUS, RejectReason.DAMAGED_BY_SPREADSHEET}

Row = tuple[int, Sequence[str]]


class Reject(NamedTuple):
    sheet: str
    line: int
    value: str
    reason: RejectReason


class ReadNumbers:
    """What was found so far; `rejects` are the first REJECTS_KEPT, `sheets` those of a workbook."""

    def __init__(self) -> None:
        self.found: dict[str, None] = {}
        self.sheets: list[str] = []
        self.rejects: list[Reject] = []
        self.reject_count = 0

    @property
    def msisdns(self) -> list[str]:
        """E.164, in order of the file, each once."""
        return list(self.found)

    def reject(self, sheet: str, line: int, value: str, reason: RejectReason) -> None:
        self.reject_count += 1
        if len(self.rejects) < REJECTS_KEPT:
            self.rejects.append(Reject(sheet, line, value.strip()[:40], reason))


def read_text(text: str) -> ReadNumbers:
    """Numbers of a textarea: one a line; a line may hold more after a comma, semicolon or tab. FileProblem."""
    read = ReadNumbers()
    for line, value in enumerate(text.splitlines(), 1):
        if value.strip():
            _collect(read, "", line, [value], is_certain=True)
    return _check_found(read)


def read_file(chunks: Iterable[bytes], size: int) -> ReadNumbers:
    """Numbers of an uploaded CSV, TXT or XLSX; the kind is told by content. FileProblem."""
    if size > FILE_MAX_BYTES:
        raise FileProblem("too_large", limit_mb=FILE_MAX_BYTES // 2**20)
    read = ReadNumbers()
    with TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR) as folder:
        source = Path(folder, "source")
        with source.open("wb") as file:
            file.writelines(chunks)
        for table in open_tables(source):
            read.sheets += filter(None, [table.sheet])
            _collect_table(read, table.sheet, table.iter_rows())
    return _check_found(read)


def _collect_table(read: ReadNumbers, sheet: str, rows: Iterator[Row]) -> None:
    """Columns with a telephone header are read; without one, every cell that is a number."""
    head = list(islice(rows, _HEADER_ROWS))
    start, columns = _find_header(head)
    for line, cells in chain(head[start:], rows):
        wanted = [cells[index] for index in columns if index < len(cells)] if columns else cells
        _collect(read, sheet, line, wanted, is_certain=bool(columns))


def _find_header(head: Sequence[Row]) -> tuple[int, list[int]]:
    """How many rows are above the first with numbers to collect, and the telephone columns; none: any may be one."""
    for index, (_line, cells) in enumerate(head):
        if any(normalise_msisdn(cell) not in _TITLES for cell in cells):
            break
        if columns := [column for column, title in enumerate(cells) if is_phone_header(title)]:
            return index + 1, columns
    # A title nobody could know ("Engellenenler") is no bad row.
    has_title = bool(head) and not any(char.isdigit() for char in "".join(head[0][1]))
    return int(has_title), []


def _collect(read: ReadNumbers, sheet: str, line: int, cells: Sequence[str], *, is_certain: bool) -> None:
    """Every number of a row. `is_certain`: its cells were meant to hold numbers."""
    results = [(cell, _read_cell(cell)) for cell in cells]
    numbers = [number for _cell, result in results if not isinstance(result, RejectReason) for number in result]
    refused = [(cell, result) for cell, result in results if isinstance(result, RejectReason)]
    read.found.update(dict.fromkeys(numbers))
    if numbers:
        for cell, reason in refused:
            if reason in _SURELY_NUMBERS or (is_certain and reason not in _HARMLESS):
                read.reject(sheet, line, cell, reason)
    else:
        # Of a row with nothing usable, the cell that looks most like a number.
        cell, reason = max(refused, key=lambda pair: sum(map(str.isdigit, pair[0])), default=("", RejectReason.EMPTY))
        read.reject(sheet, line, cell, reason)


def _read_cell(cell: str) -> Sequence[str] | RejectReason:
    result = normalise_msisdn(cell)
    if isinstance(result, str):
        return (result,)
    if result is RejectReason.SEVERAL_NUMBERS:
        return split_msisdns(cell.replace("\t", ";")) or result
    return result


def _check_found(read: ReadNumbers) -> ReadNumbers:
    if not read.found and not read.reject_count:
        raise FileProblem("no_numbers")
    return read
