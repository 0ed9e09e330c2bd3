"""Where numbers are known to be, against what their prefixes say."""

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from django.db import connection, transaction

from smscore import InvalidMsisdn, parse_msisdn

from ..models import PortedNumber, RouteRule

CHUNK = 50_000
MERGE_SQL = """
INSERT INTO gateways_portednumber (msisdn, operator) SELECT DISTINCT ON (msisdn) msisdn, operator FROM ported_rows
ON CONFLICT (msisdn) DO UPDATE SET operator = excluded.operator
"""


class LoadedNumbers(NamedTuple):
    loaded: int
    rejected: int


def load_ported(msisdns: Iterable[str]) -> dict[str, str]:
    """Operators of those numbers that are on the list of ported ones; one query, none if the list is empty."""
    if not PortedNumber.objects.exists():
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT msisdn, operator FROM gateways_portednumber WHERE msisdn = ANY(%s::text[])",
            ["{" + ",".join(msisdns) + "}"],  # E.164 needs no quotes; one literal is read in one go
        )
        return dict(cursor.fetchall())


def import_ported(path: Path) -> LoadedNumbers:
    """Add a file of lines `number;operator` (the operators of routing rules) to the list, or change what it has."""
    loaded = rejected = 0
    chunk: list[str] = []
    with path.open(encoding="utf-8-sig", newline="") as file, transaction.atomic():
        for line in _read(file):
            if line is None:
                rejected += 1
                continue
            loaded += 1
            chunk.append(line)
            if len(chunk) == CHUNK:
                _merge(chunk)
                chunk = []
        if chunk:
            _merge(chunk)
    return LoadedNumbers(loaded, rejected)


def _read(file: Iterable[str]) -> Iterator[str | None]:
    """COPY lines; None for what cannot be read."""
    for row in csv.reader(file, delimiter=";"):
        try:
            number, operator = (cell.strip() for cell in row)
            yield f"{parse_msisdn(number)}\t{RouteRule.Operator(operator.lower())}\n"
        except (ValueError, InvalidMsisdn):
            yield None


def _merge(lines: list[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE IF NOT EXISTS ported_rows (msisdn varchar(16), operator varchar(12)) ON COMMIT DROP"
        )
        cursor.execute("TRUNCATE ported_rows")
        cursor.copy_expert("COPY ported_rows FROM STDIN", io.BytesIO("".join(lines).encode()))
        cursor.execute(MERGE_SQL)
