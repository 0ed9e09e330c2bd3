"""The user-data header: joins parts and announces national tables (TS 23.040 §9.2.3.24)."""

from typing import Final, NamedTuple

from smscore.alphabet import NLI_TURKISH
from smscore.encoding import MOST_PARTS, Encoding

# Identifiers are hexadecimal; 24 and 25 in decimal would be EMS pictures.
CONCAT_8: Final = 0x00
CONCAT_16: Final = 0x08
SINGLE_SHIFT: Final = 0x24
LOCKING_SHIFT: Final = 0x25

SHIFT_ELEMENTS: Final = {
    Encoding.GSM7: b"",
    Encoding.GSM7_TR_SINGLE: bytes((SINGLE_SHIFT, 1, NLI_TURKISH)),
    Encoding.GSM7_TR_LOCKING: bytes((LOCKING_SHIFT, 1, NLI_TURKISH)),
    Encoding.UCS2: b"",
}
"""The element each part of a message in this encoding carries."""


class MalformedHeader(ValueError):
    """The octets say they begin with a user-data header, and do not."""


class UserDataHeader(NamedTuple):
    """What a header says.

    Total 1, sequence 1 and no reference for a message that is not one of several parts.
    """

    reference: int | None = None
    reference_bits: int = 0
    total: int = 1
    sequence: int = 1
    single_shift: int = 0
    locking_shift: int = 0
    others: tuple[tuple[int, bytes], ...] = ()
    """Elements we do not read (ports, EMS …), as (identifier, data)."""


def build_header(
    encoding: Encoding,
    *,
    reference: int = 0,
    reference_bits: int = 8,
    total: int = 1,
    sequence: int = 1,
) -> bytes:
    """Return the header of one part with its length octet, empty if it needs none.

    The reference is taken modulo 256 or 65,536. ValueError for a total or sequence out of 1..255.
    """
    if not 1 <= sequence <= total <= MOST_PARTS:
        raise ValueError(f"part {sequence} of {total} cannot be expressed")
    elements = SHIFT_ELEMENTS[encoding]
    if total > 1:
        if reference_bits == 16:
            reference &= 0xFFFF
            elements += bytes((CONCAT_16, 4, reference >> 8, reference & 0xFF, total, sequence))
        elif reference_bits == 8:
            elements += bytes((CONCAT_8, 3, reference & 0xFF, total, sequence))
        else:
            raise ValueError("a reference has 8 or 16 bits")
    return bytes((len(elements),)) + elements if elements else b""


def parse_header(user_data: bytes) -> tuple[UserDataHeader, bytes]:
    """Split octets that begin with a header into (header, what follows it). MalformedHeader if they do not.

    Order of elements is free and the last of a kind counts. A concatenation element that makes no sense
    (part 0, part 3 of 2) is ignored, as TS 23.040 asks.
    """
    if not user_data or len(user_data) < user_data[0] + 1:
        raise MalformedHeader("header is longer than the user data")
    end = user_data[0] + 1
    header = UserDataHeader()
    others: list[tuple[int, bytes]] = []
    position = 1
    while position < end:
        if position + 2 > end or position + 2 + user_data[position + 1] > end:
            raise MalformedHeader("element runs past the header")
        kind, size = user_data[position], user_data[position + 1]
        data = user_data[position + 2 : position + 2 + size]
        position += 2 + size
        read = _read_element(header, kind, data)
        if read is None:
            others.append((kind, data))
        else:
            header = read
    return header._replace(others=tuple(others)), user_data[end:]


def _read_element(header: UserDataHeader, kind: int, data: bytes) -> UserDataHeader | None:
    """The header with this element read into it; None if it is none of ours."""
    if (kind, len(data)) in ((CONCAT_8, 3), (CONCAT_16, 4)):
        total, sequence = data[-2:]
        if not 1 <= sequence <= total:
            return header
        return header._replace(
            reference=int.from_bytes(data[:-2]),
            reference_bits=8 * (len(data) - 2),
            total=total,
            sequence=sequence,
        )
    if (kind, len(data)) == (SINGLE_SHIFT, 1):
        return header._replace(single_shift=data[0])
    if (kind, len(data)) == (LOCKING_SHIFT, 1):
        return header._replace(locking_shift=data[0])
    return None
