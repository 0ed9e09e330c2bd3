"""Does a reply ask us to stop? Turkish words, typed on any keyboard (turkish-rules §5)."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from smscore.folding import fold_plain

OPT_OUT_KEYWORDS: Final = ("RET", "İPTAL", "DUR", "ÇIKIŞ", "STOP", "ABONELİKTEN ÇIK", "UNSUBSCRIBE", "CANCEL")
"""What every tenant's recipients may always reply with; a tenant adds its own."""

_WORD: Final = re.compile(r"[^\W_]+")
_LONGEST_READ: Final = 400


def fold_words(text: str) -> tuple[str, ...]:
    """The words of a text without case, diacritics and punctuation: "Çıkış!" is ("cikis",)."""
    # Only the beginning is asked about, and a reply may be of any length.
    return tuple(_WORD.findall(fold_plain(text[:_LONGEST_READ])))


def match_opt_out(text: str, keywords: Iterable[str] = OPT_OUT_KEYWORDS) -> str | None:
    """Return the keyword (as given) that `text` begins with, or None.

    Whole words only: DURUM is not DUR. Words after the keyword do not matter ("RET MARKAM", "İptal edin
    lütfen"): who writes a stop word first is not written to again, even where more was meant.
    """
    words = fold_words(text)
    if not words:
        return None
    for folded, keyword in _fold_keywords(tuple(keywords)):
        if words[: len(folded)] == folded:
            return keyword
    return None


@lru_cache(maxsize=1024)
def _fold_keywords(keywords: tuple[str, ...]) -> tuple[tuple[tuple[str, ...], str], ...]:
    folded = [(fold_words(keyword), keyword) for keyword in keywords]
    # The longest first, so that the most specific keyword is the one reported; one without a letter matches
    # nothing.
    return tuple(sorted((pair for pair in folded if pair[0]), key=lambda pair: -len(pair[0])))
