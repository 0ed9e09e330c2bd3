"""Receipts of a provider without an adapter: rows out of whatever it sent, and a row as an event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateways.adapters.generic.reading import LONGEST_VALUE, JsonPath
from gateways.adapters.generic.shape import ReceiptShape
from gateways.http.charges import read_parts, read_price
from gateways.http.numbers import ID_LIMIT, write_job_id
from gateways.types import DeliveryEvent, DeliveryState, Reason

MOST_ROWS = 20_000
MOST_COLUMNS = 30


def read_rows(shape: ReceiptShape, load: Callable[[], Any]) -> list[Any]:
    """``load`` gives the JSON value, the form's fields, or the text. Raises LookupError, TypeError, ValueError."""
    value = load()
    rows = _split_lines(value, shape.column) if shape.source == "lines" else shape.rows.find_all(value)
    if len(rows) == 1 and isinstance(rows[0], list):
        rows = rows[0]  # a path that ends at the list stands for its elements
    if len(rows) > MOST_ROWS:
        raise ValueError("too many rows")
    return rows


def _split_lines(text: str, column: str) -> list[dict[str, str]]:
    rows = []
    for line in text.splitlines():
        if line.strip():
            columns = line.split() if column == " " else line.split(column, MOST_COLUMNS)
            rows.append({str(n): c.strip() for n, c in enumerate(columns[:MOST_COLUMNS], 1)})
    return rows


def read_row(
    shape: ReceiptShape, row: Any, *, read_number: Callable[[Any], str], id_per: str = "message", job: str = ""
) -> DeliveryEvent:
    """``read_number``: E.164 out of theirs; ``id_per``: what their ids name: a "message", a "call" (a message is found
    by call and number), or a message by our "own" id; ``job``: what was asked about.

    Raises LookupError, TypeError, ValueError for what is no receipt.
    """
    status = shape.status.read(row)
    theirs = shape.id.read(row) if shape.id is not None else job
    msisdn = read_number(shape.number.read(row)) if shape.number is not None else ""
    if not status or not (theirs or msisdn):
        raise ValueError("no receipt")
    code = _read_optional(shape.code, row)
    state, reason = shape.statuses.get(status, (DeliveryState.UNKNOWN, Reason.NONE))
    if state is DeliveryState.UNDELIVERED:
        reason = shape.errors.get(code, reason)
    return DeliveryEvent(
        write_job_id(theirs, msisdn) if id_per == "call" else theirs[:ID_LIMIT],
        msisdn,
        state,
        reason,
        code=f"{status}/{code}" if code and code != "0" else status,
        occurred_at=_read_optional(shape.at, row)[:LONGEST_VALUE],
        job_id=theirs if id_per == "call" else "",
        client_reference=theirs if id_per == "own" else "",
        billed_parts=read_parts(_read_optional(shape.parts, row)),
        price=read_price(_read_optional(shape.price, row)),
    )


def _read_optional(path: JsonPath | None, row: Any) -> str:
    if path is None:
        return ""
    try:
        return path.read(row)
    except (LookupError, TypeError):
        return ""
