"""A file as all the tables that are in it, for whoever wants its rows and asks nobody how to read them."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from .detection import detect_csv, detect_kind, is_separator_line
from .problems import MAX_COLUMNS, FileProblem
from .reading import iter_records
from .xlsx import convert_sheets


class Table(NamedTuple):
    sheet: str
    """Empty for a text file."""
    path: Path
    encoding: str
    delimiter: str

    def iter_rows(self) -> Iterator[tuple[int, list[str]]]:
        """Rows with something in them, each with its number in the file. FileProblem."""
        for number, row in enumerate(iter_records(self.path, self.encoding, self.delimiter), 1):
            if len(row) > MAX_COLUMNS:
                raise FileProblem("too_many_columns", row=number, count=len(row), limit=MAX_COLUMNS)
            if any(cell.strip() for cell in row) and not is_separator_line(number, row, self.delimiter):
                yield number, row


def open_tables(source: Path) -> list[Table]:
    """The text file itself, or each visible sheet of an XLSX, written beside `source`. FileProblem."""
    if detect_kind(source) == "xlsx":
        return [Table(name, path, "utf-8", ",") for name, path in convert_sheets(source, source.parent)]
    found = detect_csv(source)
    return [Table("", source, found.encoding, found.delimiter)]
