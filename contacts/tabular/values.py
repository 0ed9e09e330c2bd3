"""Numbers and dates in cells, as Turks write them. What messages show is text, so values stay texts:

- a date becomes 12.10.2026, with its time if it has one (12.10.2026 14:30), whatever form the file uses;
- a number stays as written (1.240,50 or 1240,5); a number cell of a spreadsheet has no written form, so it gets a
  decimal comma and no grouping (1240,5): year, code and amount look alike there, and grouping would break two of them.
"""

import datetime
import re
from functools import lru_cache
from typing import Final

_NUMBER: Final = re.compile(
    r"[-+]?(?:[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]+)?|[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]+|(?:0|[1-9][0-9]*)(?:[.,][0-9]+)?)"
    r"(?: ?(?:TL|₺|%|USD|EUR|€|\$))?"
).fullmatch
_CLOCK: Final = r"(?:[ T]+([0-9]{1,2}:[0-9]{2})(?::[0-9]{2}(?:\.[0-9]+)?)?(?:Z|[+-][0-9:]+)?)?"
_DAY_FIRST: Final = re.compile(r"([0-9]{1,2})([./-])([0-9]{1,2})\2([0-9]{4})" + _CLOCK).fullmatch
_YEAR_FIRST: Final = re.compile(r"([0-9]{4})([./-])([0-9]{1,2})\2([0-9]{1,2})" + _CLOCK).fullmatch


def looks_like_number(value: str) -> bool:
    return _NUMBER(value) is not None


def looks_like_date(value: str) -> bool:
    return normalise_date(value) is not None


@lru_cache(maxsize=8192)
def normalise_date(value: str) -> str | None:
    """12.10.2026, 12/10/2026, 12-10-2026, 2026-10-12 → "12.10.2026"; a time is kept; None if it is no date."""
    if match := _DAY_FIRST(value):
        day, _, month, year, clock = match.groups()
    elif match := _YEAR_FIRST(value):
        year, _, month, day, clock = match.groups()
    else:
        return None
    try:
        date = datetime.date(int(year), int(month), int(day))
    except ValueError:
        return None
    text = f"{date.day:02}.{date.month:02}.{date.year:04}"
    if clock and clock not in ("00:00", "0:00"):
        text += f" {clock.rjust(5, '0')}"
    return text
