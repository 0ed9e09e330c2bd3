"""Which of the four encodings a text needs, and how much room each leaves in a part (TS 23.040 §9.2.3.24)."""

from enum import StrEnum
from typing import Final, NamedTuple

from smscore import alphabet
from smscore.normalisation import normalise


class Encoding(StrEnum):
    """How a text goes over the air.

    Compares equal to its value, so it may be stored and sent as a plain string.
    """

    GSM7 = "gsm7"
    GSM7_TR_SINGLE = "gsm7-tr-single"
    GSM7_TR_LOCKING = "gsm7-tr-locking"
    UCS2 = "ucs2"

    # Enum's own hash is a Python function, and encodings are looked up for every message.
    __hash__ = str.__hash__


USER_DATA_OCTETS: Final = 140
MOST_PARTS: Final = 255


def count_header_octets(*, shift_tables: int, reference_bits: int) -> int:
    """Octets of a user-data header with its length octet; `reference_bits` is 0 (one part), 8 or 16."""
    elements = 3 * shift_tables + {0: 0, 8: 5, 16: 6}[reference_bits]
    return elements + 1 if elements else 0


def capacity(encoding: Encoding, header_octets: int) -> int:
    """Units of text (septets, or 16-bit units in UCS-2) that fit beside a header of that many octets."""
    if encoding is Encoding.UCS2:
        return (USER_DATA_OCTETS - header_octets) // 2
    header_septets = -(-8 * header_octets // 7)
    return 160 - header_septets


class Limits(NamedTuple):
    """Units of text in a message of one part, and in each part of a longer one."""

    single: int
    multi: int


def _limits(encoding: Encoding, reference_bits: int) -> Limits:
    tables = 1 if encoding in (Encoding.GSM7_TR_SINGLE, Encoding.GSM7_TR_LOCKING) else 0
    return Limits(
        single=capacity(encoding, count_header_octets(shift_tables=tables, reference_bits=0)),
        multi=capacity(encoding, count_header_octets(shift_tables=tables, reference_bits=reference_bits)),
    )


LIMITS: Final[dict[int, dict[Encoding, Limits]]] = {
    bits: {encoding: _limits(encoding, bits) for encoding in Encoding} for bits in (8, 16)
}
"""`LIMITS[reference_bits][encoding]`; for example LIMITS[8][Encoding.GSM7] is (160, 153)."""


class ForcingCharacter(NamedTuple):
    """A character that plain GSM-7 cannot write."""

    char: str
    positions: tuple[int, ...]
    encoding: Encoding
    """The cheapest encoding that can write it: Turkish single shift for the seven letters, else UCS-2."""


def forcing_characters(text: str, *, national: bool = True) -> tuple[ForcingCharacter, ...]:
    """Say which characters keep `text` out of plain GSM-7, in order of first appearance.

    Positions are code point indexes into `normalise(text)`. With `national` off, Turkish letters force
    UCS-2 too. Empty for a text that is plain GSM-7.
    """
    found: dict[str, list[int]] = {}
    for position, char in enumerate(normalise(text)):
        if char not in alphabet.GSM7_CHARACTERS:
            found.setdefault(char, []).append(position)
    return tuple(
        ForcingCharacter(
            char,
            tuple(positions),
            Encoding.GSM7_TR_SINGLE if national and char in alphabet.TURKISH_LETTERS else Encoding.UCS2,
        )
        for char, positions in found.items()
    )


def needs_unicode(text: str) -> bool:
    """Whether a text holds a character that neither plain GSM-7 nor the Turkish tables can write.

    Turkish letters do not count, whatever a route makes of them.
    """
    writable = alphabet.TURKISH_SINGLE_CHARACTERS.issuperset
    return not writable(text) and not writable(normalise(text))


def list_beyond_turkish(text: str) -> tuple[str, ...]:
    """The characters for which `needs_unicode` is true, each once, in order of first appearance."""
    return tuple(found.char for found in forcing_characters(text) if found.encoding is Encoding.UCS2)
