"""The character tables of GSM 7-bit text: 3GPP TS 23.038 §6.2.1 and Annex A.

A *septet* is one 7-bit code. Every table maps characters to septets; ESC (0x1B) is never a character of a
table, it only announces that the next septet is to be read in the extension or single-shift table.
"""

from typing import Final

ESC: Final = 0x1B

# 128 characters by code. The place of ESC is held by U+001B itself, which is not encodable.
DEFAULT_ALPHABET: Final = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)

EXTENSION_TABLE: Final[dict[str, int]] = {
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}

# The seven letters a Turkish text needs beyond the default alphabet. Capital Ç is in the default alphabet
# (0x09).
TURKISH_LETTERS: Final[dict[str, int]] = {
    "Ğ": 0x47,
    "İ": 0x49,
    "Ş": 0x53,
    "ç": 0x63,
    "ğ": 0x67,
    "ı": 0x69,
    "ş": 0x73,
}
TURKISH_SINGLE_TABLE: Final[dict[str, int]] = EXTENSION_TABLE | TURKISH_LETTERS

# Eight codes of the default alphabet that the Turkish locking table gives another meaning.
_LOCKING_CHANGES: Final = {
    0x04: "€",
    0x07: "ı",
    0x0B: "Ğ",
    0x0C: "ğ",
    0x1C: "Ş",
    0x1D: "ş",
    0x40: "İ",
    0x60: "ç",
}
TURKISH_LOCKING_ALPHABET: Final = "".join(
    _LOCKING_CHANGES.get(code, char) for code, char in enumerate(DEFAULT_ALPHABET)
)
# Under the locking table € has a code of its own, so the escaped one is never written (it is still read).
LOCKING_EXTENSION_TABLE: Final[dict[str, int]] = {char: code for char, code in EXTENSION_TABLE.items() if char != "€"}

SPANISH_SINGLE_TABLE: Final[dict[str, int]] = EXTENSION_TABLE | {
    "ç": 0x09,
    "Á": 0x41,
    "Í": 0x49,
    "Ó": 0x4F,
    "Ú": 0x55,
    "á": 0x61,
    "í": 0x69,
    "ó": 0x6F,
    "ú": 0x75,
}
PORTUGUESE_SINGLE_TABLE: Final[dict[str, int]] = EXTENSION_TABLE | {
    "ê": 0x05,
    "ç": 0x09,
    "Ô": 0x0B,
    "ô": 0x0C,
    "Á": 0x0E,
    "á": 0x0F,
    "Φ": 0x12,
    "Γ": 0x13,
    "Ω": 0x15,
    "Π": 0x16,
    "Ψ": 0x17,
    "Σ": 0x18,
    "Θ": 0x19,
    "Ê": 0x1F,
    "À": 0x41,
    "Í": 0x49,
    "Ó": 0x4F,
    "Ú": 0x55,
    "Ã": 0x5B,
    "Õ": 0x5C,
    "Â": 0x61,
    "í": 0x69,
    "ó": 0x6F,
    "ú": 0x75,
    "ã": 0x7B,
    "õ": 0x7C,
    "â": 0x7F,
}

# National language identifiers (TS 23.038 §6.2.1.2.4).
NLI_TURKISH: Final = 1
NLI_SPANISH: Final = 2
NLI_PORTUGUESE: Final = 3

SINGLE_SHIFT_TABLES: Final[dict[int, dict[str, int]]] = {
    NLI_TURKISH: TURKISH_SINGLE_TABLE,
    NLI_SPANISH: SPANISH_SINGLE_TABLE,
    NLI_PORTUGUESE: PORTUGUESE_SINGLE_TABLE,
}

DEFAULT_CHARACTERS: Final = frozenset(DEFAULT_ALPHABET.replace("\x1b", ""))
GSM7_CHARACTERS: Final = DEFAULT_CHARACTERS | frozenset(EXTENSION_TABLE)
TURKISH_SINGLE_CHARACTERS: Final = DEFAULT_CHARACTERS | frozenset(TURKISH_SINGLE_TABLE)
TURKISH_LOCKING_CHARACTERS: Final = frozenset(TURKISH_LOCKING_ALPHABET.replace("\x1b", "")) | frozenset(EXTENSION_TABLE)
