"""Texts to the octets of their parts and back.

`short_message` of SMPP (one septet an octet) and packed TP-UD.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from smscore import septets
from smscore.encoding import LIMITS, MOST_PARTS, Encoding
from smscore.segmentation import Segmentation, cut_text
from smscore.udh import UserDataHeader, build_header, parse_header

DATA_CODING_GSM: Final = 0x00
DATA_CODING_ASCII: Final = 0x01
DATA_CODING_LATIN1: Final = 0x03
DATA_CODING_BINARY: Final = 0x04
DATA_CODING_UCS2: Final = 0x08
ESM_UDHI: Final = 0x40

DATA_CODINGS: Final = {
    Encoding.GSM7: DATA_CODING_GSM,
    Encoding.GSM7_TR_SINGLE: DATA_CODING_GSM,
    Encoding.GSM7_TR_LOCKING: DATA_CODING_GSM,
    Encoding.UCS2: DATA_CODING_UCS2,
}


class TooManyParts(ValueError):
    """A text needs more than the 255 parts a header can count."""


class EncodedPart(NamedTuple):
    """One part as SMPP sends it."""

    short_message: bytes
    """Header, if any, and text; septets are unpacked, as message centres want them."""
    data_coding: int
    esm_class: int
    """0x40 (UDHI) if `short_message` begins with a header, else 0."""


class DecodedPart(NamedTuple):
    """One part as it was received.

    `body` is the text's octets, kept so that joined parts can be read as one.
    """

    text: str
    header: UserDataHeader
    body: bytes
    data_coding: int


def encode_message(
    text: str, encoding: Encoding | str, *, reference: int = 0, reference_bits: int = 8
) -> list[EncodedPart]:
    """Encode a normalised text whose encoding is known (a stored message) into its parts, in order.

    `reference` joins the parts of a long message: unlike any other under way between this sender and
    recipient, taken modulo 2**reference_bits. UnicodeEncodeError if the encoding cannot write the text;
    TooManyParts over 255. An empty text has no parts.
    """
    encoding = Encoding(encoding)
    coding = DATA_CODINGS[encoding]
    limits = LIMITS[reference_bits][encoding]
    body, ends = cut_text(text, encoding, limits.multi)
    if not body:
        return []
    units = len(body) // 2 if encoding is Encoding.UCS2 else len(body)
    if units <= limits.single:
        header = _ONE_PART_HEADERS[encoding]
        return [EncodedPart(header + body, coding, ESM_UDHI if header else 0)]
    total = len(ends)
    if total > MOST_PARTS:
        raise TooManyParts(f"{total} parts")
    result = []
    start = 0
    for sequence, end in enumerate(ends, 1):
        header = build_header(
            encoding, reference=reference, reference_bits=reference_bits, total=total, sequence=sequence
        )
        result.append(EncodedPart(header + body[start:end], coding, ESM_UDHI))
        start = end
    return result


_ONE_PART_HEADERS: Final = {encoding: build_header(encoding) for encoding in Encoding}


def encode_segmentation(segmentation: Segmentation, reference: int = 0) -> list[EncodedPart]:
    """Encode the parts of a segmentation; see `encode_message`."""
    return encode_message(
        segmentation.text,
        segmentation.encoding,
        reference=reference,
        reference_bits=segmentation.reference_bits,
    )


def decode_part(short_message: bytes, data_coding: int, esm_class: int = 0) -> DecodedPart:
    """Read one `short_message`.

    Never fails on a text; MalformedHeader if UDHI is set and there is no header.
    """
    header, body = UserDataHeader(), short_message
    if esm_class & ESM_UDHI:
        header, body = parse_header(short_message)
    return DecodedPart(_decode_body(body, data_coding, header), header, body, data_coding)


def join_parts(parts: Iterable[DecodedPart]) -> str:
    """Read the parts of one message as one text, in order of their sequence numbers, doubled ones once.

    The octets are joined before they are read: other encoders cut surrogate and escape pairs between parts.
    """
    by_sequence = {part.header.sequence: part for part in parts}
    ordered = [by_sequence[sequence] for sequence in sorted(by_sequence)]
    if not ordered:
        return ""
    tables = {(part.data_coding, part.header.single_shift, part.header.locking_shift) for part in ordered}
    if len(tables) > 1:
        return "".join(part.text for part in ordered)
    return _decode_body(b"".join(part.body for part in ordered), ordered[0].data_coding, ordered[0].header)


def pack_part(part: EncodedPart) -> tuple[int, bytes]:
    """Return (TP-UDL, TP-UD) of a part, for those who speak to a modem and not to a message centre."""
    if part.data_coding != DATA_CODING_GSM:
        return len(part.short_message), part.short_message
    header_octets = part.short_message[0] + 1 if part.esm_class & ESM_UDHI else 0
    header, body = part.short_message[:header_octets], part.short_message[header_octets:]
    return -(-8 * header_octets // 7) + len(body), septets.pack_septets(body, header=header)


def unpack_part(user_data: bytes, length: int, *, data_coding: int, has_header: bool) -> EncodedPart:
    """Undo `pack_part`. ValueError if the octets are fewer than the length says."""
    esm_class = ESM_UDHI if has_header else 0
    if data_coding != DATA_CODING_GSM:
        if length > len(user_data):
            raise ValueError("user data is shorter than its length says")
        return EncodedPart(user_data[:length], data_coding, esm_class)
    header_octets = user_data[0] + 1 if has_header and user_data else 0
    body = septets.unpack_septets(user_data, length=length, header_octets=header_octets)
    return EncodedPart(user_data[:header_octets] + body, data_coding, esm_class)


def _decode_body(body: bytes, data_coding: int, header: UserDataHeader) -> str:
    # The low bits of the flash codings 0x10 and 0x18 are those of 0x00 and 0x08.
    coding = data_coding & 0x0F if data_coding & 0xF0 == 0x10 else data_coding
    if coding == DATA_CODING_UCS2:
        return body.decode("utf-16-be", "replace")
    if coding in (DATA_CODING_LATIN1, DATA_CODING_BINARY):
        return body.decode("latin-1")
    if coding == DATA_CODING_ASCII and not (header.single_shift or header.locking_shift):
        return body.decode("ascii", "replace")
    return septets.decode_septets(body, single_shift=header.single_shift, locking_shift=header.locking_shift)
