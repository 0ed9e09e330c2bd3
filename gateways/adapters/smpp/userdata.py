"""User data of SMPP messages: texts and headers out of smscore's tables, and back for inbound messages.

Septets travel unpacked, one an octet; the centre packs them (sms-encoding.md, section 10).
"""

from __future__ import annotations

from smscore.encoding import LIMITS, MOST_PARTS, Encoding
from smscore.parts import ESM_UDHI, DecodedPart, decode_part, encode_message
from smscore.segmentation import cut_text
from smscore.septets import LOCKING, SINGLE, decode_septets, pack_septets
from smscore.udh import MalformedHeader, build_header

_ONE_PART_HEADERS = {encoding: build_header(encoding) for encoding in Encoding}
_encode_gsm7 = SINGLE.encode
_encode_locking = LOCKING.encode


class TooLong(ValueError):
    """The text does not fit one part."""


def encode_single(text: str, encoding: str) -> tuple[bytes, bool]:
    """(short_message, whether it begins with a header) of a text of one part. Raises TooLong, ValueError."""
    if encoding == "gsm7":
        octets = _encode_gsm7(text)
        if len(octets) > 160:
            raise TooLong
        return octets, False
    if encoding == "ucs2":
        octets = text.encode("utf-16-be")
        if len(octets) > 140:
            raise TooLong
        return octets, False
    table = _encode_locking if encoding == "gsm7-tr-locking" else _encode_gsm7
    octets = table(text)
    if len(octets) > 155:
        raise TooLong
    return _ONE_PART_HEADERS[Encoding(encoding)] + octets, True


def encode_several(text: str, encoding: str, reference: int, *, wide: bool, header: bool) -> list[tuple[bytes, bool]]:
    """(short_message, whether it begins with a header) of each part. One part has none but its shift table's.

    `header`: whether parts are joined by headers. Raises ValueError.
    """
    bits = 16 if wide else 8
    if header:
        parts = encode_message(text, encoding, reference=reference, reference_bits=bits)
        return [(part.short_message, bool(part.esm_class & ESM_UDHI)) for part in parts]
    kind = Encoding(encoding)
    limits = LIMITS[bits][kind]
    octets, ends = cut_text(text, kind, limits.multi)
    if len(octets) <= limits.single * (2 if kind is Encoding.UCS2 else 1):
        return [(octets, False)]
    if len(ends) > MOST_PARTS:
        raise ValueError(f"more than {MOST_PARTS} parts")
    starts = [0, *ends[:-1]]
    return [(octets[start:end], False) for start, end in zip(starts, ends, strict=True)]


def write_packed(octets: bytes, has_header: bool) -> bytes:
    """A short_message of septets as packed TP-UD. Seven bits left over would read as one more ``@``: CR fills them
    (TS 23.038, section 6.1.2.3.1)."""
    header, body = _split_header(octets, has_header)
    septets = -(-8 * len(header) // 7) + len(body)
    return pack_septets(body + b"\r" if septets % 8 == 7 else body, header=header)


def write_latin1(octets: bytes, has_header: bool) -> bytes:
    """A short_message of septets in Latin-1. Raises UnicodeEncodeError."""
    header, body = _split_header(octets, has_header)
    return header + decode_septets(body).encode("latin-1")


def _split_header(octets: bytes, has_header: bool) -> tuple[bytes, bytes]:
    end = octets[0] + 1 if has_header else 0
    return octets[:end], octets[end:]


def read_user_data(octets: bytes, data_coding: int, esm_class: int) -> DecodedPart:
    """Text and header of any user data; never raises, a broken header reads as text."""
    try:
        return decode_part(octets, data_coding, esm_class)
    except MalformedHeader:
        return decode_part(octets, data_coding)
