"""Replace characters that force a dearer encoding.

An option: never applied unasked, every replacement reported.
"""

import re
import unicodedata
from enum import IntEnum
from typing import Final, NamedTuple

from smscore.normalisation import normalise
from smscore.transliteration_tables import ACCENTS, CIRCUMFLEX, LOOK_ALIKES, TURKISH, TYPOGRAPHY


class Level(IntEnum):
    """How far to go. Each level does what those below it do."""

    TYPOGRAPHY = 1
    """Quotes, dashes, spaces, invisible characters, ₺ and look-alikes: safe to suggest always."""
    ACCENTS = 2
    """Also â î û and foreign accents, which no GSM table has; Turkish spelling stays."""
    NO_TURKISH = 3
    """Also ş ğ ı İ Ş Ğ ç. Changes spelling and sometimes sense (sıkıldım), so the result is to be shown."""


class Replacement(NamedTuple):
    """One thing replaced: `position` is its index in the normalised text."""

    position: int
    original: str
    replacement: str


class Transliteration(NamedTuple):
    """The new text and all that was replaced in it, in order."""

    text: str
    replacements: tuple[Replacement, ...]


_TABLES: Final = {
    Level.TYPOGRAPHY: TYPOGRAPHY,
    Level.ACCENTS: TYPOGRAPHY | CIRCUMFLEX | ACCENTS,
    Level.NO_TURKISH: TYPOGRAPHY | CIRCUMFLEX | ACCENTS | TURKISH,
}
_JOINERS: Final = "\u200d\ufe0f"
_BEFORE_TL: Final = re.compile(r"[0-9]")
_WORD: Final = re.compile(r"[^\W\d_]+")


def transliterate(text: str, level: Level = Level.TYPOGRAPHY) -> Transliteration:
    """Replace what the level allows.

    Emoji, and words that are Cyrillic or Greek throughout, have no equivalent.
    """
    text = normalise(text)
    if text.isascii() and not any(char in text for char in "`\t\r"):
        return Transliteration(text, ())
    table = _TABLES[level]
    latin_words = _find_look_alikes(text)
    pieces: list[str] = []
    replacements: list[Replacement] = []
    for position, char in enumerate(text):
        new = latin_words.get(position)
        if new is None:
            new = _replace_in_context(text, position) if char in _CONTEXTUAL else table.get(char, char)
        if new != char:
            replacements.append(Replacement(position, char, new))
        pieces.append(new)
    return Transliteration("".join(pieces), tuple(replacements))


_CONTEXTUAL: Final = frozenset("₺°" + _JOINERS)


def _replace_in_context(text: str, position: int) -> str:
    char = text[position]
    before, after = text[max(position - 1, 0) : position], text[position + 1 : position + 2]
    if char == "₺":
        return " TL" if _BEFORE_TL.match(before) else "TL"
    if char == "°":
        # 25 °C is understood as 25 C; an angle needs the word.
        return "" if after in ("C", "F") else " derece" if before.isdigit() else "derece"
    keeps_emoji_together = _is_emoji(before) or before in tuple(_JOINERS) or (before.isdigit() and after == "\u20e3")
    return char if keeps_emoji_together else ""


def _is_emoji(char: str) -> bool:
    return bool(char) and (unicodedata.category(char) in ("So", "Sk") or char in "‼⁉#*")


def _find_look_alikes(text: str) -> dict[int, str]:
    """Positions of Cyrillic and Greek look-alikes in words that hold a Latin letter and no other
    foreign one.
    """
    found: dict[int, str] = {}
    for match in _WORD.finditer(text):
        word = match[0]
        if word.isascii():
            continue
        alike = {match.start() + i: LOOK_ALIKES[char] for i, char in enumerate(word) if char in LOOK_ALIKES}
        if not alike:
            continue
        others = [char for char in word if char not in LOOK_ALIKES]
        if others and all(unicodedata.name(char, "").startswith("LATIN") for char in others):
            found |= alike
    return found
