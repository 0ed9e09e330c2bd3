"""SMPP 3.4 protocol data units: constants, framing, and a strict decoder and encoder for every PDU we meet.

Layouts: SMPP v3.4, sections 4 and 5.3. One table describes all bodies. This is the exact, general path;
``wire.py`` holds the short cuts of the hot path, tested to give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from struct import Struct

HEADER = Struct(">IIII")
HEADER_LENGTH = 16
# 64 KiB of message_payload plus every other field; nothing honest is longer.
MAX_LENGTH = 66_560
MAX_SEQUENCE = 0x7FFFFFFF

RESPONSE = 0x80000000
GENERIC_NACK = 0x80000000
BIND_RECEIVER = 0x00000001
BIND_TRANSMITTER = 0x00000002
QUERY_SM = 0x00000003
SUBMIT_SM = 0x00000004
DELIVER_SM = 0x00000005
UNBIND = 0x00000006
REPLACE_SM = 0x00000007
CANCEL_SM = 0x00000008
BIND_TRANSCEIVER = 0x00000009
OUTBIND = 0x0000000B
ENQUIRE_LINK = 0x00000015
SUBMIT_MULTI = 0x00000021
ALERT_NOTIFICATION = 0x00000102
DATA_SM = 0x00000103
SUBMIT_SM_RESP = SUBMIT_SM | RESPONSE
DELIVER_SM_RESP = DELIVER_SM | RESPONSE
ENQUIRE_LINK_RESP = ENQUIRE_LINK | RESPONSE
UNBIND_RESP = UNBIND | RESPONSE
DATA_SM_RESP = DATA_SM | RESPONSE

TLV_RECEIPTED_MESSAGE_ID = 0x001E
TLV_USER_MESSAGE_REFERENCE = 0x0204
TLV_SAR_REFERENCE = 0x020C
TLV_SAR_TOTAL = 0x020E
TLV_SAR_SEQUENCE = 0x020F
TLV_SC_INTERFACE_VERSION = 0x0210
TLV_NETWORK_ERROR_CODE = 0x0423
TLV_MESSAGE_PAYLOAD = 0x0424
TLV_MESSAGE_STATE = 0x0427
# Vendor range (0x1400-0x3FFF): our message identity, 8 octets, sent only where the account's settings say so.
TLV_PEYK_TOKEN = 0x1400

ESM_RECEIPT_BITS = 0x3C
ESM_UDHI = 0x40

Value = int | bytes


class PduError(Exception):
    """A PDU that breaks the rules. ``status`` is the command_status to answer it with;
    ``fatal`` means the byte stream itself cannot be trusted any more."""

    def __init__(self, message: str, status: int = 0x02, *, fatal: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.fatal = fatal


@dataclass(slots=True)
class Pdu:
    """A decoded PDU. Strings stay octets without their NUL; absent optional bodies leave ``fields`` empty."""

    command: int
    status: int = 0
    sequence: int = 0
    fields: dict[str, Value] = field(default_factory=dict)
    tlvs: dict[int, bytes] = field(default_factory=dict)

    def octets(self, name: str) -> bytes:
        value = self.fields.get(name, b"")
        return value if isinstance(value, bytes) else b""

    def number(self, name: str) -> int:
        value = self.fields.get(name, 0)
        return value if isinstance(value, int) else 0

    @property
    def text_octets(self) -> bytes:
        """The user data, wherever it travels (short_message or message_payload)."""
        return self.octets("short_message") or self.tlvs.get(TLV_MESSAGE_PAYLOAD, b"")


# (name, kind): kind "int" = one octet, a number = C-octet string of at most that many octets with its NUL,
# "sm" = sm_length and short_message.
Layout = tuple[tuple[str, int | str], ...]

_BIND: Layout = (
    ("system_id", 16),
    ("password", 9),
    ("system_type", 13),
    ("interface_version", "int"),
    ("addr_ton", "int"),
    ("addr_npi", "int"),
    ("address_range", 41),
)
_SOURCE: Layout = (("source_addr_ton", "int"), ("source_addr_npi", "int"), ("source_addr", 21))
_DEST: Layout = (("dest_addr_ton", "int"), ("dest_addr_npi", "int"), ("destination_addr", 21))
# data_sm, alert_notification and many a real centre allow 65 octets; receipts of long ids need it.
_LONG_SOURCE: Layout = (("source_addr_ton", "int"), ("source_addr_npi", "int"), ("source_addr", 65))
_LONG_DEST: Layout = (("dest_addr_ton", "int"), ("dest_addr_npi", "int"), ("destination_addr", 65))
_MESSAGE: Layout = (
    ("service_type", 6),
    *_SOURCE,
    *_DEST,
    ("esm_class", "int"),
    ("protocol_id", "int"),
    ("priority_flag", "int"),
    ("schedule_delivery_time", 17),
    ("validity_period", 17),
    ("registered_delivery", "int"),
    ("replace_if_present_flag", "int"),
    ("data_coding", "int"),
    ("sm_default_msg_id", "int"),
    ("short_message", "sm"),
)
_ID: Layout = (("message_id", 65),)

LAYOUTS: Mapping[int, Layout] = {
    BIND_RECEIVER: _BIND,
    BIND_TRANSMITTER: _BIND,
    BIND_TRANSCEIVER: _BIND,
    BIND_RECEIVER | RESPONSE: (("system_id", 16),),
    BIND_TRANSMITTER | RESPONSE: (("system_id", 16),),
    BIND_TRANSCEIVER | RESPONSE: (("system_id", 16),),
    OUTBIND: (("system_id", 16), ("password", 9)),
    UNBIND: (),
    UNBIND_RESP: (),
    GENERIC_NACK: (),
    ENQUIRE_LINK: (),
    ENQUIRE_LINK_RESP: (),
    SUBMIT_SM: _MESSAGE,
    SUBMIT_SM_RESP: _ID,
    DELIVER_SM: _MESSAGE,
    DELIVER_SM_RESP: _ID,
    DATA_SM: (
        ("service_type", 6),
        *_LONG_SOURCE,
        *_LONG_DEST,
        ("esm_class", "int"),
        ("registered_delivery", "int"),
        ("data_coding", "int"),
    ),
    DATA_SM_RESP: _ID,
    QUERY_SM: (*_ID, *_SOURCE),
    QUERY_SM | RESPONSE: (*_ID, ("final_date", 17), ("message_state", "int"), ("error_code", "int")),
    CANCEL_SM: (("service_type", 6), *_ID, *_SOURCE, *_DEST),
    CANCEL_SM | RESPONSE: (),
    ALERT_NOTIFICATION: (
        *_LONG_SOURCE,
        ("esme_addr_ton", "int"),
        ("esme_addr_npi", "int"),
        ("esme_addr", 65),
    ),
}
_NO_TLVS = frozenset({UNBIND, UNBIND_RESP, GENERIC_NACK, ENQUIRE_LINK, ENQUIRE_LINK_RESP, OUTBIND})


def check_length(length: int) -> None:
    """Raises PduError (fatal) for a command_length no honest peer sends: after it nothing can be framed."""
    if not HEADER_LENGTH <= length <= MAX_LENGTH:
        raise PduError(f"command_length {length}", 0x02, fatal=True)


def decode(frame: bytes) -> Pdu:
    """One whole PDU. Raises PduError for anything that is not exactly one well-formed PDU of a known kind."""
    if len(frame) < HEADER_LENGTH:
        raise PduError("shorter than a header", 0x02, fatal=True)
    length, command, status, sequence = HEADER.unpack_from(frame)
    if length != len(frame):
        raise PduError("command_length does not fit", 0x02, fatal=True)
    layout = LAYOUTS.get(command)
    if layout is None:
        raise PduError(f"command_id 0x{command:08x}", 0x03)
    pdu = Pdu(command, status, sequence)
    if length == HEADER_LENGTH and command & RESPONSE:
        return pdu  # a refusal carries no body, and some centres leave it out of others too
    at = _read_fields(frame, layout, pdu.fields)
    if command in _NO_TLVS:
        if at != length:
            raise PduError("octets after the body", 0x02)
    else:
        pdu.tlvs = read_tlvs(frame, at)
    return pdu


def _read_fields(frame: bytes, layout: Layout, fields: dict[str, Value]) -> int:
    at, end = HEADER_LENGTH, len(frame)
    for name, kind in layout:
        if kind == "int" or kind == "sm":
            if at >= end:
                raise PduError(f"{name} is missing")
            number = frame[at]
            at += 1
            if kind == "int":
                fields[name] = number
                continue
            if at + number > end:
                raise PduError("sm_length runs past the end", 0x01)
            fields[name] = frame[at : at + number]
            at += number
        else:
            assert isinstance(kind, int)
            stop = frame.find(b"\x00", at, at + kind)
            if stop < 0:
                raise PduError(f"{name} has no end")
            fields[name] = frame[at:stop]
            at = stop + 1
    return at


def read_tlvs(frame: bytes, at: int) -> dict[int, bytes]:
    """Optional parameters from ``at`` to the end; a repeated tag: the last counts. Raises PduError."""
    tlvs: dict[int, bytes] = {}
    end = len(frame)
    while at < end:
        if at + 4 > end:
            raise PduError("optional parameter cut short", 0xC0)
        tag = (frame[at] << 8) | frame[at + 1]
        size = (frame[at + 2] << 8) | frame[at + 3]
        at += 4
        if at + size > end:
            raise PduError("optional parameter runs past the end", 0xC2)
        tlvs[tag] = frame[at : at + size]
        at += size
    return tlvs


def encode(pdu: Pdu) -> bytes:
    """The octets of a PDU; a field left out is empty or 0. Raises PduError for what does not fit."""
    layout = LAYOUTS.get(pdu.command)
    if layout is None:
        raise PduError(f"command_id 0x{pdu.command:08x}", 0x03)
    pieces: list[bytes] = []
    if pdu.fields or pdu.tlvs or not pdu.command & RESPONSE:
        for name, kind in layout:
            pieces.append(_field_octets(name, kind, pdu.fields.get(name)))
    if pdu.tlvs and pdu.command in _NO_TLVS:
        raise PduError("takes no optional parameters", 0xC1)
    for tag, value in pdu.tlvs.items():
        pieces.append(encode_tlv(tag, value))
    body = b"".join(pieces)
    check_length(HEADER_LENGTH + len(body))
    return HEADER.pack(HEADER_LENGTH + len(body), pdu.command, pdu.status, pdu.sequence) + body


def _field_octets(name: str, kind: int | str, value: Value | None) -> bytes:
    if kind == "int":
        number = value or 0
        if not isinstance(number, int) or not 0 <= number <= 255:
            raise PduError(f"{name} is not one octet")
        return bytes((number,))
    octets = value or b""
    if not isinstance(octets, bytes):
        raise PduError(f"{name} is not octets")
    if kind == "sm":
        if len(octets) > 254:
            raise PduError("short_message over 254 octets", 0x01)
        return bytes((len(octets),)) + octets
    assert isinstance(kind, int)
    if len(octets) >= kind or b"\x00" in octets:
        raise PduError(f"{name} does not fit {kind - 1} octets")
    return octets + b"\x00"


def encode_tlv(tag: int, value: bytes) -> bytes:
    if not 0 <= tag <= 0xFFFF or len(value) > 0xFFFF:
        raise PduError("optional parameter too long", 0xC2)
    return tag.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value


def response(command: int, status: int, sequence: int, body: bytes = b"") -> bytes:
    """A response PDU with a ready body."""
    return HEADER.pack(HEADER_LENGTH + len(body), command | RESPONSE, status, sequence) + body
