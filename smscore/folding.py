"""Compare Turkish words without regard to case. Python's own `lower()` must not be used for that:
`"İ".lower()` is two code points and `"I".lower()` is not `ı`."""

import unicodedata
from functools import lru_cache
from typing import Final

_LOWER_TO_UPPER: Final = str.maketrans({"ı": "I", "i": "İ"})
# All four i's are one letter for whoever types a field name or a keyword on a foreign keyboard.
_ONE_I: Final = str.maketrans({"I": "i", "İ": "i", "ı": "i"})


def upper_turkish(text: str) -> str:
    """Upper case as Turkish writes it: ı → I, i → İ."""
    return text.translate(_LOWER_TO_UPPER).upper()


_LONGEST_CACHED: Final = 64


def fold_key(name: str) -> str:
    """Return the form in which field names are compared: İSİM, isim, Isim and ısım are one name.

    Case, the four i's, Unicode composition and runs of spaces do not count; other diacritics do (Ş is not S).
    """
    return _fold_key_cached(name) if len(name) <= _LONGEST_CACHED else _fold_key(name)


def fold_plain(text: str) -> str:
    """Like `fold_key`, and without diacritics: ÇIKIŞ, çıkış and CIKIS are one word."""
    decomposed = unicodedata.normalize("NFKD", fold_key(text))
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def _fold_key(name: str) -> str:
    composed = unicodedata.normalize("NFC", name).translate(_ONE_I).casefold()
    return " ".join(composed.split())


# Field names and keywords repeat for every recipient; whole texts do not and must not fill the memory.
_fold_key_cached = lru_cache(maxsize=4096)(_fold_key)
