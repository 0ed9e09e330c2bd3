"""Turns sheets of an XLSX into CSV. Runs as a process of its own: `python -m common.tabular.xlsx_child …`.

The parser works on strangers' files, so it gets limits on memory, time and output, and imports nothing of ours that
knows a database. Prints one JSON object: {"sheets": […], "sheet": …} or {"problem": code, "params": {…}}.
"""

import csv
import datetime
import json
import re
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from .problems import MAX_CELL_LENGTH, MAX_COLUMNS, FileProblem

MEMORY_BYTES: Final = 3 << 30
CPU_SECONDS: Final = 120
OUTPUT_BYTES: Final = 2 << 30
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def main(source: str, target: str, wanted: str, is_whole: str) -> int:
    limit_this_process()
    try:
        if is_whole:
            answer = convert_visible(Path(source), Path(target))
        else:
            answer = convert(Path(source), Path(target), wanted)
    except FileProblem as problem:
        answer = {"problem": problem.code, "params": problem.params}
    json.dump(answer, sys.stdout)
    return 0


def limit_this_process() -> None:
    for kind, limit in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, OUTPUT_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        bound = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (bound, bound))


def convert(source: Path, target: Path, wanted: str) -> dict[str, Any]:
    """Write the wanted sheet (the first with rows if `wanted` is empty, a hidden one last of all). FileProblem."""
    with open_book(source) as book:
        sheets = list_sheets(book)
        if wanted and wanted not in sheets:
            raise FileProblem("no_sheet")
        for name in [wanted] if wanted else sorted(sheets, key=lambda name: not sheets[name]):
            sheet = book.get_sheet_by_name(name)
            if sheet.height:
                write_sheet(sheet, target)
                return {"sheets": list(sheets), "sheet": name}
    raise FileProblem("header_only" if wanted else "no_sheet")


def convert_visible(source: Path, folder: Path) -> dict[str, Any]:
    """Write every sheet that has rows and is not hidden, as 0.csv, 1.csv … in the answer's order. FileProblem."""
    written: list[str] = []
    with open_book(source) as book:
        for name, is_visible in list_sheets(book).items():
            sheet = book.get_sheet_by_name(name)
            if is_visible and sheet.height:
                write_sheet(sheet, folder / f"{len(written)}.csv")
                written.append(name)
    if not written:
        raise FileProblem("no_sheet")
    return {"sheets": written}


@contextmanager
def open_book(source: Path) -> Iterator[Any]:
    """FileProblem, also for what turns out to be broken while it is read."""
    import python_calamine  # here, so that it loads under the limits

    try:
        with source.open("rb") as file:
            yield python_calamine.CalamineWorkbook.from_filelike(file)
    except python_calamine.PasswordError as error:
        raise FileProblem("encrypted_excel") from error
    except python_calamine.CalamineError as error:
        raise FileProblem("damaged_excel") from error


def list_sheets(book: Any) -> dict[str, bool]:
    """Name of each sheet with cells, in order → whether Excel shows it. Charts have sheets of their own."""
    import python_calamine

    return {
        sheet.name: sheet.visible == python_calamine.SheetVisibleEnum.Visible
        for sheet in book.sheets_metadata
        if sheet.typ == python_calamine.SheetTypeEnum.WorkSheet
    }


def write_sheet(sheet: Any, target: Path) -> None:
    """All rows from the sheet's first on, so that row numbers are those the user sees. FileProblem."""
    width = sheet.total_width
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        blank_above = sheet.start[0] if sheet.start else 0
        writer.writerows([[]] * blank_above)
        for number, row in enumerate(sheet.iter_rows(), 1):
            if number <= blank_above and not any(row):
                continue
            texts = [cell if type(cell) is str else render_cell(cell) for cell in row]
            if width > MAX_COLUMNS:
                filled = max((index for index, text in enumerate(texts, 1) if text), default=0)
                if filled > MAX_COLUMNS:
                    raise FileProblem("too_many_columns", row=number, count=filled, limit=MAX_COLUMNS)
                del texts[MAX_COLUMNS:]
            line = "".join(texts)
            if len(line) > MAX_CELL_LENGTH and max(map(len, texts)) > MAX_CELL_LENGTH:
                raise FileProblem("excel_cell_too_long", row=number, limit=MAX_CELL_LENGTH)
            if _CONTROL.search(line):
                texts = [_CONTROL.sub("", text) for text in texts]
            writer.writerow(texts)


def render_cell(value: object) -> str:
    """A cell that is no text, as messages show it: 12.10.2026, 14:30, 1240,5, DOĞRU."""
    if isinstance(value, bool):
        return "DOĞRU" if value else "YANLIŞ"
    if isinstance(value, int | float):
        return render_number(value)
    if isinstance(value, datetime.datetime):
        clock = "" if value.time() == datetime.time() else f" {value:%H:%M}"
        return f"{value.day:02}.{value.month:02}.{value.year:04}{clock}"
    if isinstance(value, datetime.date):
        return f"{value.day:02}.{value.month:02}.{value.year:04}"
    if isinstance(value, datetime.time):
        return f"{value:%H:%M}"
    if isinstance(value, datetime.timedelta):
        minutes = int(value.total_seconds()) // 60
        return f"{minutes // 60}:{minutes % 60:02}"
    return "" if value is None else str(value)


def render_number(value: float) -> str:
    """With a decimal comma and without grouping.

    From twelve digits on Excel shows 9,05321E+11, and whoever saved that as text and opened it again has lost the rest:
    such a number ends in six zeros. It is written the way Excel shows it, so that it is refused as a telephone number.
    """
    if value != value or value in (float("inf"), float("-inf")):
        return ""
    if value == int(value) and abs(value) < 1e15:
        whole = int(value)
        if abs(whole) < 10**11 or whole % 10**6:
            return str(whole)
        mantissa, exponent = f"{value:.5e}".split("e")
        return f"{mantissa.rstrip('0').rstrip('.')}E+{int(exponent):02}".replace(".", ",")
    return f"{value:.15g}".replace(".", ",").replace("e", "E")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
