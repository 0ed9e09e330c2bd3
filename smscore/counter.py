"""Everything a composer shows about a text while it is being written (sms-encoding §12)."""

from collections.abc import Iterable
from typing import NamedTuple

from smscore.encoding import Encoding, ForcingCharacter, forcing_characters
from smscore.segmentation import count_parts, segment
from smscore.transliteration import Level, Transliteration, transliterate


class Saving(NamedTuple):
    """What a level of transliteration would make of the text. It is an offer, nothing is replaced."""

    level: Level
    encoding: Encoding
    parts: int
    units: int
    result: Transliteration


class TextCount(NamedTuple):
    """The state of a text."""

    encoding: Encoding
    parts: int
    units: int
    limit: int
    """Units in each part at this length and encoding."""
    units_left: int
    """In the last part."""
    forcing: tuple[ForcingCharacter, ...]
    """Characters outside plain GSM-7 and where they stand."""
    savings: tuple[Saving, ...]
    """The levels that would save parts, mildest first; only levels that save more than the one before."""


def count_text(text: str, *, national: bool = True, locking: bool = False) -> TextCount:
    """Count one text for the eye.

    Encoding, parts, room, what makes it dear and what would make it cheaper.
    """
    result = segment(text, national=national, locking=locking)
    savings: list[Saving] = []
    best = result.parts
    # A text of one part cannot get cheaper.
    for level in Level if best > 1 else ():
        changed = transliterate(text, level)
        encoding, parts, units = count_parts(changed.text, national=national, locking=locking)
        if parts < best:
            savings.append(Saving(level, encoding, parts, units, changed))
            best = parts
    return TextCount(
        result.encoding,
        result.parts,
        result.units,
        result.limit,
        result.units_left,
        forcing_characters(text, national=national),
        tuple(savings),
    )


class PartsRange(NamedTuple):
    """How many parts the messages of one template have.

    `by_encoding` counts the messages of each encoding.
    """

    messages: int
    parts: int
    fewest: int
    most: int
    by_encoding: dict[Encoding, int]


def count_range(texts: Iterable[str], *, national: bool = True, locking: bool = False) -> PartsRange:
    """Count rendered texts, one per recipient.

    A name can change the encoding and the price of its message.
    """
    messages = total = most = 0
    fewest: int | None = None
    by_encoding: dict[Encoding, int] = {}
    for text in texts:
        encoding, parts, _ = count_parts(text, national=national, locking=locking)
        messages += 1
        total += parts
        most = max(most, parts)
        fewest = parts if fewest is None else min(fewest, parts)
        by_encoding[encoding] = by_encoding.get(encoding, 0) + 1
    return PartsRange(messages, total, fewest or 0, most, by_encoding)
