"""Parts and prices as receipts write them: what is strange is left out, and spoils nothing."""

from typing import Any

import pytest

from gateways.http.charges import read_part_price, read_parts, read_price


@pytest.mark.parametrize(
    ("value", "parts"),
    [(2, 2), ("2", 2), ("1.0", 0), (-1, 0), (None, 0), ("", 0), ("²", 0), ("9" * 5000, 0), ([], 0), (True, 0)],
)
def test_parts(value: Any, parts: int) -> None:
    assert read_parts(value) == parts


@pytest.mark.parametrize(
    ("value", "price"),
    [("-0.045", "-0.045"), (0.0045, "0.0045"), (None, ""), ("", ""), ({"x": 1}, ""), ("9" * 5000, "9" * 24)],
)
def test_price(value: Any, price: str) -> None:
    assert read_price(value) == price


@pytest.mark.parametrize(
    ("value", "parts", "price"),
    [(0.0045, 3, "0.0135"), ("0.0045", 1, "0.0045"), (4.5e-05, 2, "0.000090"), (0.0045, 0, ""), ("Infinity", 2, ""),
     ("NaN", 2, ""), ("bedava", 2, ""), (None, 2, "")],
)  # fmt: skip
def test_price_of_parts(value: Any, parts: int, price: str) -> None:
    assert read_part_price(value, parts) == price
