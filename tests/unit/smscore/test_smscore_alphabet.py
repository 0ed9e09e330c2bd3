"""The character tables against sms-encoding §2 and §3, cell by cell as listed there."""

import pytest

from smscore import alphabet
from smscore.septets import LOCKING, SINGLE, decode_septets

# §2: codes whose Unicode value is not the code itself.
DEFAULT_CELLS = {
    0x00: 0x40, 0x01: 0xA3, 0x02: 0x24, 0x03: 0xA5, 0x04: 0xE8, 0x05: 0xE9, 0x06: 0xF9, 0x07: 0xEC,
    0x08: 0xF2, 0x09: 0xC7, 0x0A: 0x0A, 0x0B: 0xD8, 0x0C: 0xF8, 0x0D: 0x0D, 0x0E: 0xC5, 0x0F: 0xE5,
    0x10: 0x394, 0x11: 0x5F, 0x12: 0x3A6, 0x13: 0x393, 0x14: 0x39B, 0x15: 0x3A9, 0x16: 0x3A0, 0x17: 0x3A8,
    0x18: 0x3A3, 0x19: 0x398, 0x1A: 0x39E, 0x1C: 0xC6, 0x1D: 0xE6, 0x1E: 0xDF, 0x1F: 0xC9, 0x24: 0xA4,
    0x40: 0xA1, 0x5B: 0xC4, 0x5C: 0xD6, 0x5D: 0xD1, 0x5E: 0xDC, 0x5F: 0xA7, 0x60: 0xBF, 0x7B: 0xE4,
    0x7C: 0xF6, 0x7D: 0xF1, 0x7E: 0xFC, 0x7F: 0xE0,
}  # fmt: skip
DEFAULT = {code: chr(DEFAULT_CELLS.get(code, code)) for code in range(128) if code != 0x1B}
EXTENSION = {
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|",
    0x65: "€",
}  # fmt: skip
TURKISH = EXTENSION | {0x47: "Ğ", 0x49: "İ", 0x53: "Ş", 0x63: "ç", 0x67: "ğ", 0x69: "ı", 0x73: "ş"}
LOCKING_CELLS = {0x04: "€", 0x07: "ı", 0x0B: "Ğ", 0x0C: "ğ", 0x1C: "Ş", 0x1D: "ş", 0x40: "İ", 0x60: "ç"}


def name_row(value):
    return f"{value:02X}" if isinstance(value, int) else None


@pytest.mark.parametrize(("code", "char"), DEFAULT.items(), ids=name_row)
def test_default_table(code, char):
    assert SINGLE.encode(char) == bytes([code])
    assert decode_septets(bytes([code])) == char


@pytest.mark.parametrize(("code", "char"), EXTENSION.items(), ids=name_row)
def test_extension_table(code, char):
    assert SINGLE.encode(char) == bytes([0x1B, code])
    assert decode_septets(bytes([0x1B, code])) == char


@pytest.mark.parametrize(("code", "char"), TURKISH.items(), ids=name_row)
def test_turkish_single_shift_table(code, char):
    assert SINGLE.encode(char) == bytes([0x1B, code])
    assert decode_septets(bytes([0x1B, code]), single_shift=1) == char


@pytest.mark.parametrize(("code", "char"), (DEFAULT | LOCKING_CELLS).items(), ids=name_row)
def test_turkish_locking_table(code, char):
    assert LOCKING.encode(char) == bytes([code])
    assert decode_septets(bytes([code]), locking_shift=1) == char


@pytest.mark.parametrize("char", "èìØøÆæ¡¿")
def test_locking_gives_up(char):
    with pytest.raises(UnicodeEncodeError):
        LOCKING.encode(char)


@pytest.mark.parametrize("char", ["\x00", "\x1b", "`", "\t", "\x07", "â", "₺", "’", "–", "\xa0", "😀", "Á"])
def test_not_encodable(char):
    for table in (SINGLE, LOCKING):
        with pytest.raises(UnicodeEncodeError):
            table.encode("a" + char)


def test_there_are_127_default_characters():
    assert len(alphabet.DEFAULT_CHARACTERS) == 127
    assert len(alphabet.DEFAULT_ALPHABET) == 128


READING = {
    "unknown code behind ESC reads as the main table": (b"\x1bA", {}, "A"),
    "Turkish pair without the header is readable": (b"\x1bs\x1bI", {}, "sI"),
    "ESC ESC is a space": (b"\x1b\x1b", {}, " "),
    "lone ESC at the end is a space": (b"a\x1b", {}, "a "),
    "ESC CR is dropped": (b"a\x1b\rb", {}, "ab"),
    "unknown single shift reads as the extension": (b"\x1be\x1bs", {"single_shift": 99}, "€s"),
    "unknown locking shift reads as the default": (b"\x04", {"locking_shift": 99}, "è"),
    "escaped € under locking": (b"\x1be", {"locking_shift": 1}, "€"),
    "both tables": (b"\x07\x1bs", {"single_shift": 1, "locking_shift": 1}, "ış"),
    "top bit is ignored": (b"\xc1", {}, "A"),
    "Spanish": (b"\x1ba\x1bU\x1b\x09", {"single_shift": 2}, "áÚç"),
    "Portuguese": (b"\x1b\x7b\x1b\x14\x1b\x1f", {"single_shift": 3}, "ã^Ê"),
}


@pytest.mark.parametrize(("septets", "tables", "text"), READING.values(), ids=READING)
def test_reading(septets, tables, text):
    assert decode_septets(septets, **tables) == text
