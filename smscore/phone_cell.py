"""What a spreadsheet cell or form field with a telephone number may look like, reduced to digits.

Knows nothing of numbering plans: it removes separators and invisible characters, reads digits of any
script, undoes what spreadsheets do to numbers where nothing was lost, and says what is wrong where
something was.
"""

import math
import re
import unicodedata
from decimal import Decimal
from enum import Enum
from typing import Final


class RejectReason(Enum):
    """Why an input is no number to send to.

    Deliberately no `str`, so that a result of either kind can be told apart.
    """

    EMPTY = "empty"
    NOT_A_NUMBER = "not_a_number"
    DAMAGED_BY_SPREADSHEET = "damaged_by_spreadsheet"
    SEVERAL_NUMBERS = "several_numbers"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    LANDLINE = "landline"
    SPECIAL_NUMBER = "special_number"
    UNKNOWN_COUNTRY = "unknown_country"
    AMBIGUOUS = "ambiguous"
    INVALID = "invalid"


LONGEST_CELL: Final = 200
_MOST_DIGITS: Final = 17  # E.164 allows 15; two more for a leading 00

_LARGEST: Final = 10**_MOST_DIGITS

_SCIENTIFIC: Final = re.compile(r"([0-9])(?:[.,]([0-9]+))?[eE]\+?([0-9]{1,2})")
_FLOAT: Final = re.compile(r"([0-9]{6,})[.,]([0-9])")
_FLOAT_ZEROS: Final = re.compile(r"([0-9]{6,})[.,]0+")
_THOUSANDS: Final = re.compile(r"\+?[0-9]{1,3}(?:,[0-9]{3})+")
_DIVIDER: Final = re.compile(r"[;,/|\n\r&]+|\bve\b|\bveya\b", re.IGNORECASE)
_REPEATED_PLUS: Final = re.compile(r"\+[^+]*[0-9][^+]*\+")
_CLEAN: Final = re.compile(r"\+?[0-9]+")

_SEPARATORS: Final = " ().-/"


class _ToAscii(dict[int, str]):
    """For `str.translate`.

    Digits of any script to ASCII, spaces and dashes to one kind, the invisible to nothing.
    """

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if code < 0x80 and char not in "\t\v\f\x00":
            result = char
        elif (digit := unicodedata.decimal(char, None)) is not None:
            result = str(digit)
        else:
            result = _ASCII_BY_CATEGORY.get(unicodedata.category(char), char)
            result = _ASCII_BY_CHAR.get(char, result)
        self[code] = result
        return result


_ASCII_BY_CATEGORY: Final = {"Zs": " ", "Zl": "\n", "Zp": "\n", "Cf": "", "Cc": "", "Pd": "-", "Mn": ""}
_ASCII_BY_CHAR: Final = {
    "\t": " ",
    "＋": "+",
    "﹢": "+",
    "（": "(",
    "）": ")",
    "．": ".",
    "／": "/",
    "，": ",",
    "；": ";",
    "\N{MINUS SIGN}": "-",
    "·": ".",
    "\N{MODIFIER LETTER APOSTROPHE}": "'",
    "’": "'",
}
_TO_ASCII: Final = _ToAscii()
_WITHOUT_SEPARATORS: Final = str.maketrans("", "", _SEPARATORS)


def clean(raw: object) -> str | RejectReason:
    """Return the digits of one number, with its `+` if written, or the reason why there is no such thing."""
    text = _read(raw)
    if isinstance(text, RejectReason):
        return text
    if not text.strip(_SEPARATORS + "\n\r"):
        return RejectReason.EMPTY
    if len(text) > LONGEST_CELL:
        return RejectReason.NOT_A_NUMBER
    recovered = _undo_spreadsheet(text)
    if recovered is not None:
        return recovered
    digits = text.translate(_WITHOUT_SEPARATORS)
    if _CLEAN.fullmatch(digits):
        if len(digits.lstrip("+")) <= _MOST_DIGITS:
            return digits
        return RejectReason.SEVERAL_NUMBERS if len(digits) >= 19 else RejectReason.TOO_LONG
    return _explain(text)


def split(raw: object) -> list[str]:
    """Return the pieces of a cell that look like several numbers; one piece if it looks like one."""
    text = _read(raw)
    if isinstance(text, RejectReason) or len(text) > LONGEST_CELL:
        return []
    if _THOUSANDS.fullmatch(text):
        return [text]
    return [piece.strip() for piece in _DIVIDER.split(text) if piece.strip()]


def _read(raw: object) -> str | RejectReason:
    if raw is None:
        return RejectReason.EMPTY
    if isinstance(raw, int | float | Decimal):
        return _read_number(raw)
    if not isinstance(raw, str):
        return RejectReason.NOT_A_NUMBER
    # A leading apostrophe is how spreadsheets are told that a cell is text.
    return raw[: LONGEST_CELL * 2].translate(_TO_ASCII).strip().removeprefix("'").strip()


def _read_number(raw: int | float | Decimal) -> str | RejectReason:
    finite = raw.is_finite() if isinstance(raw, Decimal) else math.isfinite(raw) if isinstance(raw, float) else True
    if isinstance(raw, bool) or not finite or not 0 <= raw < _LARGEST:
        return RejectReason.NOT_A_NUMBER
    return str(int(raw)) if raw == int(raw) else RejectReason.DAMAGED_BY_SPREADSHEET


def _undo_spreadsheet(text: str) -> str | RejectReason | None:
    """Digits or refusal if a spreadsheet wrote this number; None if it looks typed."""
    if match := _SCIENTIFIC.fullmatch(text):
        digits, exponent = match[1] + (match[2] or ""), int(match[3])
        # All digits are there only if the mantissa is as long as the number. 9,05E+11 has lost nine of
        # twelve.
        return digits if len(digits) == exponent + 1 else RejectReason.DAMAGED_BY_SPREADSHEET
    if match := _FLOAT_ZEROS.fullmatch(text):
        return match[1]
    if _FLOAT.fullmatch(text):
        return RejectReason.DAMAGED_BY_SPREADSHEET
    if _THOUSANDS.fullmatch(text):
        return text.replace(",", "")
    return RejectReason.DAMAGED_BY_SPREADSHEET if re.fullmatch("#+", text) else None


def _explain(text: str) -> RejectReason:
    """Why something that is not digits and separators is refused."""
    pieces = [piece for piece in _DIVIDER.split(text) if sum(map(str.isdigit, piece)) >= 7]
    if len(pieces) > 1 or _REPEATED_PLUS.search(text):
        return RejectReason.SEVERAL_NUMBERS
    return RejectReason.NOT_A_NUMBER
