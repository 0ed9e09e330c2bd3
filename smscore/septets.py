"""Text to septets and back, in C-level string operations only.

The trick: a charmap codec writes each character as one byte, characters of the default table as 0x01..0x7F
and escaped ones as 0x80..0xBF. Read as Latin-1 and written as UTF-8, those bytes become one octet for a
plain character and two (0xC2, x) for an escaped one, which is what GSM-7 does with ESC. One `translate`
then turns 0xC2 into ESC and every other octet into its GSM code. Code 0 is kept for NUL, because
`charmap_build` makes its fast map only then; `@`, whose GSM code is 0, borrows 0x1B meanwhile.
"""

import re
from codecs import charmap_build, charmap_decode, charmap_encode
from functools import lru_cache
from typing import Final

from smscore.alphabet import (
    DEFAULT_ALPHABET,
    ESC,
    EXTENSION_TABLE,
    LOCKING_EXTENSION_TABLE,
    NLI_TURKISH,
    SINGLE_SHIFT_TABLES,
    TURKISH_LOCKING_ALPHABET,
    TURKISH_SINGLE_TABLE,
)

_UNDEFINED = "\ufffe"
_ESCAPED_FROM = 0x80
ESCAPE_MARK: Final = 0xC2
"""The UTF-8 octet before 0x80..0xBF."""


class SeptetTable:
    """One way of writing septets: a main table of 128 codes and the table behind ESC."""

    def __init__(self, main: str, escaped: dict[str, int]) -> None:
        codes = list(main)
        codes[ESC], codes[0] = main[0], "\0"
        filler = _UNDEFINED * (256 - 128 - len(escaped))
        self.charmap: Final = charmap_build("".join(codes) + "".join(escaped) + filler)
        """For `codecs.charmap_encode`: one byte a character; NUL comes out as 0 and must be refused."""
        self.escaped_bytes: Final = {char: _ESCAPED_FROM + i for i, char in enumerate(escaped)}
        to_gsm = bytearray(range(256))
        to_gsm[ESC], to_gsm[ESCAPE_MARK] = 0, ESC
        for char, code in escaped.items():
            to_gsm[self.escaped_bytes[char]] = code
        self._to_gsm: Final = bytes(to_gsm)

    def encode(self, text: str) -> bytes:
        """Return the septets of `text`, one an octet.

        UnicodeEncodeError for a character outside the table.
        """
        return self.widen(text).translate(self._to_gsm)

    def widen(self, text: str) -> bytes:
        """Return as many octets as `encode` does: ESCAPE_MARK for ESC, the others without meaning."""
        marked = charmap_encode(text, "strict", self.charmap)[0]
        if 0 in marked:
            place = text.index("\0")
            raise UnicodeEncodeError("gsm7", text, place, place + 1, "not in the alphabet")
        return marked.decode("latin-1").encode()


SINGLE: Final = SeptetTable(DEFAULT_ALPHABET, TURKISH_SINGLE_TABLE)
"""Default alphabet with the Turkish single-shift table, which contains the extension table.

Serves plain GSM-7 too.
"""
LOCKING: Final = SeptetTable(TURKISH_LOCKING_ALPHABET, LOCKING_EXTENSION_TABLE)

_MAIN_BY_NLI: Final = {NLI_TURKISH: TURKISH_LOCKING_ALPHABET}
_ESCAPE_PAIR: Final = re.compile("\x1b(.?)", re.DOTALL)
_LOW_SEVEN_BITS: Final = bytes(code & 0x7F for code in range(256))


def decode_septets(septets: bytes, *, single_shift: int = 0, locking_shift: int = 0) -> str:
    """Read septets (one an octet, top bit ignored) with the tables of these language identifiers (0: none).

    As TS 23.038 asks: an identifier we do not know reads as the default tables, an unknown code behind ESC
    as the character this code has in the main table, ESC ESC and a last lone ESC as a space. ESC CR is
    dropped ("CR2").
    """
    main = _MAIN_BY_NLI.get(locking_shift, DEFAULT_ALPHABET)
    text = charmap_decode(septets.translate(_LOW_SEVEN_BITS), "strict", main)[0]
    if "\x1b" not in text:
        return text
    pairs = _pair_table(single_shift, main)
    return _ESCAPE_PAIR.sub(lambda match: pairs.get(match[1], match[1]), text)


@lru_cache(maxsize=64)
def _pair_table(single_shift: int, main: str) -> dict[str, str]:
    """What ESC and a character of the main table mean together."""
    escaped = SINGLE_SHIFT_TABLES.get(single_shift, EXTENSION_TABLE)
    pairs = {main[code]: char for char, code in escaped.items()}
    return pairs | {"\x1b": " ", "": " ", "\r": ""}


def pack_septets(septets: bytes, *, header: bytes = b"") -> bytes:
    """Pack septets into TP-UD behind a header.

    The text starts at the next septet edge after the header's octets.
    """
    first_bit = 7 * -(-8 * len(header) // 7)
    number = int.from_bytes(header, "little")
    for index, code in enumerate(septets):
        number |= code << (first_bit + 7 * index)
    return number.to_bytes((first_bit + 7 * len(septets) + 7) // 8, "little")


def unpack_septets(user_data: bytes, *, length: int, header_octets: int = 0) -> bytes:
    """Return the text's septets of a packed TP-UD; `length` is TP-UDL, which counts the header's septets in.

    ValueError if the octets are too few for that length.
    """
    header_septets = -(-8 * header_octets // 7)
    if length < header_septets or 7 * length > 8 * len(user_data):
        raise ValueError("user data is shorter than its length says")
    number = int.from_bytes(user_data, "little") >> (7 * header_septets)
    return bytes((number >> (7 * index)) & 0x7F for index in range(length - header_septets))
