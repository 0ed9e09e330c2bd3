"""Stream the rows of a text table. Memory stays flat whatever the file holds."""

import csv
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from .problems import MAX_CELL_LENGTH, MAX_COLUMNS, FileProblem

# No legal row is longer: a hundred quoted cells with every character doubled. readline() cuts at this length,
# and whatever it cuts has too long a cell or too many of them.
MAX_LINE_LENGTH = MAX_COLUMNS * (2 * MAX_CELL_LENGTH + 3)


class TableFacts(NamedTuple):
    record_count: int
    """Rows of the file, header and empty ones included."""
    column_count: int


def iter_records(path: Path, encoding: str, delimiter: str) -> Iterator[list[str]]:
    """Yield the file's rows as lists of cells; an empty line is an empty list.

    FileProblem "wrong_encoding" or "cell_too_long", with the row's number.
    """
    # A process-wide setting, the same for everybody here.
    csv.field_size_limit(MAX_CELL_LENGTH)
    number = 0
    codec = "utf-8-sig" if encoding == "utf-8" else encoding
    with path.open(encoding=codec, newline="") as file:
        reader = csv.reader(iter(partial(file.readline, MAX_LINE_LENGTH), ""), delimiter=delimiter)
        try:
            for number, row in enumerate(reader, 1):  # noqa: B007  # told in the except branch
                yield row
        except csv.Error as error:
            raise FileProblem("cell_too_long", row=number + 1, limit=MAX_CELL_LENGTH) from error
        except UnicodeError as error:
            raise FileProblem("wrong_encoding", encoding=encoding) from error


def inspect_table(path: Path, encoding: str, delimiter: str) -> TableFacts:
    """Read the whole file once, so that a fault on its last row is found before the first one is imported.

    FileProblem "cell_too_long" (a missing quotation mark swallows rows: none may get lost), "too_many_columns".
    """
    count = width = 0
    for row in iter_records(path, encoding, delimiter):
        count += 1
        if len(row) > width:
            width = len(row)
            if width > MAX_COLUMNS:
                raise FileProblem("too_many_columns", row=count, count=width, limit=MAX_COLUMNS)
    return TableFacts(count, width)
