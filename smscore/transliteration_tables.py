"""What each character may be replaced by so that a text needs a cheaper encoding (sms-encoding §11)."""

import unicodedata
from typing import Final

from smscore.alphabet import GSM7_CHARACTERS, TURKISH_LETTERS

_SPACES: Final = "\t\N{NO-BREAK SPACE}\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_INVISIBLE: Final = "\u200b\u200c\u2060\ufeff\u00ad\u200e\u200f" + "".join(
    map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
)

_TYPOGRAPHY_ROWS: Final = {
    "'": "‘’‛‚ʼ´`′＇❛❜ʹˈ",
    '"': "“”„‟«»″＂❝❞〝〞",
    "-": "‐‑‒–—―−•·⁃﹣－",
    "...": "…",
    "!!": "‼",
    "/": "⁄∕÷",
    "<": "‹",
    ">": "›",
    " ": _SPACES,
    "\n": "\r\x85\u2028\u2029",
    "": _INVISIBLE,
    "TM": "™",
    "(c)": "©",
    "(r)": "®",
    "x": "×",
    "1/2": "½",
    "1/4": "¼",
    "3/4": "¾",
    "No": "№",
}

TYPOGRAPHY: Final[dict[str, str]] = {
    char: replacement for replacement, chars in _TYPOGRAPHY_ROWS.items() for char in chars
} | {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
"""Quotes, dashes, spaces, invisible characters, symbols: the reader sees no difference worth a part."""

CIRCUMFLEX: Final = dict(zip("âîûÂÎÛ", "aiuAIU", strict=True))

TURKISH: Final = dict(zip("şŞğĞıİç", "sSgGiIc", strict=True))
"""Only these seven; ö ü Ö Ü Ç are in the default alphabet and stay."""


def _strip_accents() -> dict[str, str]:
    """Latin letters with accents that no GSM table has, to their base letter."""
    table = {}
    for code in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00)):
        char = chr(code)
        base = unicodedata.normalize("NFD", char)[0]
        if char not in GSM7_CHARACTERS and char not in TURKISH_LETTERS and base != char and base.isascii():
            table[char] = base
    return table | dict(zip("đĐłŁħĦŧŦøØ", "dDlLhHtToO", strict=True)) | {"œ": "oe", "Œ": "OE"}


ACCENTS: Final = {char: base for char, base in _strip_accents().items() if char not in GSM7_CHARACTERS}

# Cyrillic and Greek letters that look like Latin ones. Replaced only in words that otherwise are Latin.
LOOK_ALIKES: Final[dict[str, str]] = dict(
    zip(
        "аеорсхуіјѕАВЕКМНОРСТХУІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧο",
        "aeopcxyijsABEKMHOPCTXYIJSABEZHIKMNOPTYXo",
        strict=True,
    )
)
