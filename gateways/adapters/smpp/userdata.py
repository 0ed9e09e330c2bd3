"""User data of SMPP messages: texts and headers out of smscore's tables, and back for inbound messages.

Septets travel unpacked, one an octet; the centre packs them (sms-encoding.md, section 10).
"""

from __future__ import annotations

from smscore.encoding import LIMITS, Encoding
from smscore.segmentation import cut_text
from smscore.septets import LOCKING, SINGLE, decode_septets

_TABLE_HEADERS = {"gsm7-tr-single": b"\x24\x01\x01", "gsm7-tr-locking": b"\x25\x01\x01"}
_SINGLE_HEADERS = {name: b"\x03" + element for name, element in _TABLE_HEADERS.items()}
_encode_gsm7 = SINGLE.encode
_encode_locking = LOCKING.encode


def encode_single(text: str, encoding: str) -> tuple[bytes, bool]:
    """(short_message, whether it begins with a header) of a text of one part. Raises ValueError."""
    if encoding == "gsm7":
        octets = _encode_gsm7(text)
        if len(octets) > 160:
            raise ValueError("longer than one part")
        return octets, False
    if encoding == "ucs2":
        octets = text.encode("utf-16-be")
        if len(octets) > 140:
            raise ValueError("longer than one part")
        return octets, False
    table = _encode_locking if encoding == "gsm7-tr-locking" else _encode_gsm7
    octets = table(text)
    if len(octets) > 155:
        raise ValueError("longer than one part")
    return _SINGLE_HEADERS[Encoding(encoding)] + octets, True


def encode_several(text: str, encoding: str, reference: int, *, wide: bool, header: bool) -> list[bytes]:
    """short_message of each part, with concatenation headers if ``header``. Raises ValueError."""
    kind = Encoding(encoding)
    limit = LIMITS[16 if wide else 8][kind].multi
    octets, ends = cut_text(text, kind, limit)
    if len(ends) > 255:
        raise ValueError("more than 255 parts")
    starts = [0, *ends[:-1]]
    pieces = [octets[start:end] for start, end in zip(starts, ends, strict=True)]
    if not header:
        return pieces
    table = _TABLE_HEADERS.get(kind, b"")
    total = len(pieces)
    if wide:
        concat = b"\x08\x04" + (reference & 0xFFFF).to_bytes(2, "big") + bytes((total,))
    else:
        concat = b"\x00\x03" + bytes((reference & 0xFF, total))
    elements = table + concat
    start = bytes((len(elements) + 1,)) + elements
    return [start + bytes((index,)) + piece for index, piece in enumerate(pieces, 1)]


def read_user_data(octets: bytes, data_coding: int, has_header: bool) -> tuple[str, int, int, int]:
    """(text, reference, part, parts) of any user data; never raises, a broken header reads as text."""
    reference, part, parts = 0, 1, 1
    single_shift = locking_shift = 0
    if has_header and octets and octets[0] < len(octets):
        end = 1 + octets[0]
        at = 1
        while at + 2 <= end:
            kind, size = octets[at], octets[at + 1]
            value = octets[at + 2 : min(at + 2 + size, end)]
            if len(value) < size:
                break
            if kind == 0x00 and size == 3:
                reference, parts, part = value[0], value[1], value[2]
            elif kind == 0x08 and size == 4:
                reference, parts, part = (value[0] << 8) | value[1], value[2], value[3]
            elif kind == 0x24 and size == 1:
                single_shift = value[0]
            elif kind == 0x25 and size == 1:
                locking_shift = value[0]
            at += 2 + size
        octets = octets[end:]
        if not 1 <= part <= parts:
            reference, part, parts = 0, 1, 1
    return decode_text(octets, data_coding, single_shift, locking_shift), reference, part, parts


def decode_text(octets: bytes, data_coding: int, single_shift: int = 0, locking_shift: int = 0) -> str:
    """Text of octets in this data_coding; what cannot be decoded becomes U+FFFD."""
    if data_coding & 0xEF == 0x08:
        return octets.decode("utf-16-be", errors="replace")
    if data_coding == 0x03:
        return octets.decode("latin-1")
    if data_coding in (0x00, 0x10, 0x01, 0xF0, 0xF1):
        return decode_septets(octets, single_shift=single_shift, locking_shift=locking_shift)
    return octets.decode("latin-1")
