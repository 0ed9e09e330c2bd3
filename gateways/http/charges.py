"""What receipts say about parts and price, as values. Nothing here raises: a strange price does not spoil a receipt."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

LONGEST_PRICE = 24


def read_parts(value: Any) -> int:
    """A count of parts, a number or a text; 0 for anything else."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else 0


def read_price(value: Any) -> str:
    """A price as the provider wrote it, "" if it wrote none. Who reads it decides whether it is a number."""
    return str(value)[:LONGEST_PRICE].strip() if isinstance(value, str | int | float) else ""


def read_part_price(value: Any, parts: int) -> str:
    """The price of a message out of the price of one of its parts; "" where either is not known."""
    try:
        price = Decimal(read_price(value)) * parts
    except InvalidOperation:
        return ""
    return f"{price:f}" if parts and price.is_finite() else ""
