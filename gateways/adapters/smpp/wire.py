"""Short cuts of the hot path: submit_sm bodies from a cached head, the number, a cached middle, the text.

A body here is everything behind the 16 octets of the header. Same octets as ``pdu.encode`` (tested).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from gateways.adapters.smpp import pdu
from gateways.adapters.smpp.settings import INTERFACE_VERSIONS, MAX_VALIDITY, MESSAGE_MODES, SmppSettings
from gateways.adapters.smpp.userdata import TooLong, encode_several, encode_single, write_latin1, write_packed
from gateways.types import OutboundMessage, Reason

_LENGTHS = [bytes((n,)) for n in range(256)]
_CACHE_LIMIT = 4096
_BIND_COMMANDS = {
    "transceiver": pdu.BIND_TRANSCEIVER,
    "transmitter": pdu.BIND_TRANSMITTER,
    "receiver": pdu.BIND_RECEIVER,
}


# How septets are written where an account wants them otherwise, by encoding.
_WRITERS: dict[str, dict[str, Callable[[bytes, bool], bytes]]] = {
    "packed": dict.fromkeys(("gsm7", "gsm7-tr-single", "gsm7-tr-locking"), write_packed),
    "latin1": {"gsm7": write_latin1},
}


class CannotEncode(Exception):
    """This message cannot be put on the wire by this account; it was not sent."""

    def __init__(self, message: str, reason: Reason) -> None:
        super().__init__(message)
        self.reason = reason


def bind_request(settings: SmppSettings, sequence: int) -> bytes:
    return pdu.encode(
        pdu.Pdu(
            _BIND_COMMANDS[settings.bind_mode],
            sequence=sequence,
            fields={
                "system_id": settings.system_id.encode("ascii"),
                "password": settings.password.encode("ascii"),
                "system_type": settings.system_type.encode("ascii"),
                "interface_version": INTERFACE_VERSIONS[settings.interface_version],
                "addr_ton": settings.bind_ton,
                "addr_npi": settings.bind_npi,
                "address_range": settings.address_range.encode("ascii"),
            },
        )
    )


def format_validity(seconds: int) -> bytes:
    """Relative SMPP time (section 7.1.1.2), at most 99 days here; empty = the centre's default."""
    if seconds <= 0:
        return b""
    minutes, second = divmod(min(seconds, MAX_VALIDITY), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    month, day = divmod(days, 30)
    return b"00%02d%02d%02d%02d%02d000R" % (month, day, hour, minute, second)


def format_expiry(seconds: int, now: float) -> bytes:
    """Absolute SMPP time (section 7.1.1.1) in UTC, ``seconds`` after ``now`` (epoch); empty = the centre's default."""
    if seconds <= 0:
        return b""
    return time.strftime("%y%m%d%H%M%S000+", time.gmtime(now + min(seconds, MAX_VALIDITY))).encode()


class SubmitEncoder:
    """Encodes messages with one account's settings."""

    def __init__(self, settings: SmppSettings) -> None:
        self._settings = settings
        self._heads: dict[str, bytes] = {}
        self._middles: dict[tuple[str, bool, int], bytes] = {}
        self._dest_head = bytes((settings.dest_ton, settings.dest_npi))
        self._send_token = settings.send_token
        self._mode = MESSAGE_MODES[settings.message_mode]
        self._writers = _WRITERS.get(settings.outbound_alphabet, {})
        self._is_absolute = settings.validity_form == "absolute"

    def encode(self, message: OutboundMessage) -> bytes | tuple[bytes, ...]:
        """One body, or the bodies of a long message's parts. Raises CannotEncode."""
        token, msisdn, sender, text, encoding, parts, validity, _, _ = message
        head = self._heads.get(sender) or self._make_head(sender)
        digits = msisdn[1:] if msisdn.startswith("+") else msisdn
        if not (digits.isascii() and digits.isdecimal() and len(digits) <= 20):
            raise CannotEncode("number is not E.164", Reason.BAD_ADDRESS)
        head = head + digits.encode()
        tail = b"\x14\x00\x00\x08" + (token & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "big") if self._send_token else b""
        if not text:
            raise CannotEncode("empty text", Reason.BAD_CONTENT)
        try:
            if parts > 1:  # as they are billed: what is added to a text on the way may make two of one
                return self._encode_long(message, head, tail)
            try:
                octets, udhi = encode_single(text, encoding)
            except TooLong:  # billed as one part, by an operator that counts its letters otherwise
                return self._encode_long(message, head, tail)
            if encoding in self._writers:
                octets = self._writers[encoding](octets, udhi)
            middle = self._middles.get((encoding, udhi, validity))
            if middle is None or self._is_absolute:
                middle = self._make_middle(encoding, udhi, validity)
            return b"".join((head, middle, _LENGTHS[len(octets)], octets, tail))
        except (ValueError, IndexError) as error:  # UnicodeEncodeError is a ValueError
            raise CannotEncode(f"text does not fit {encoding}: {type(error).__name__}", Reason.BAD_CONTENT) from error

    def _encode_long(self, message: OutboundMessage, head: bytes, tail: bytes) -> bytes | tuple[bytes, ...]:
        mode = self._settings.long_mode
        encoding = message.encoding
        reference = message.reference or message.token
        has_table = encoding.startswith("gsm7-tr")
        if mode in ("sar", "payload") and has_table:
            mode = "udh8"  # a shift table cannot be told without a header of our own
        pieces = encode_several(
            message.text, encoding, reference, wide=mode == "udh16", header=mode in ("udh8", "udh16")
        )
        if encoding in self._writers:
            write = self._writers[encoding]
            # The centre splits a payload: it is written as one.
            pieces = [(b"".join(octets for octets, _ in pieces), False)] if mode == "payload" else pieces
            pieces = [(write(octets, has_header), has_header) for octets, has_header in pieces]
        if mode == "payload":
            middle = self._make_middle(encoding, False, message.validity_seconds)
            whole = b"".join(octets for octets, _ in pieces)
            return b"".join((head, middle, b"\x00", pdu.encode_tlv(pdu.TLV_MESSAGE_PAYLOAD, whole), tail))
        bodies = []
        for index, (octets, has_header) in enumerate(pieces, 1):
            middle = self._make_middle(encoding, has_header, message.validity_seconds)
            sar = _sar(reference, len(pieces), index) if mode == "sar" and len(pieces) > 1 else b""
            bodies.append(b"".join((head, middle, _LENGTHS[len(octets)], octets, sar, tail)))
        return bodies[0] if len(bodies) == 1 else tuple(bodies)

    def _make_head(self, sender: str) -> bytes:
        """Service type and source address, up to the destination's ton and npi."""
        settings = self._settings
        plain = sender[1:] if sender.startswith("+") else sender
        if not plain or not plain.isascii() or not plain.isprintable() or len(plain) > 20:
            raise CannotEncode("sender cannot be an SMPP address", Reason.BAD_SENDER)
        if not plain.isdecimal():
            ton, npi = settings.source_ton_alpha, settings.source_npi_alpha
        elif sender.startswith("+") or len(plain) > 8:
            ton, npi = settings.source_ton_number, settings.source_npi_number
        else:
            ton, npi = settings.source_ton_short, settings.source_npi_short
        source = bytes((ton, npi)) + plain.encode("ascii") + b"\x00"
        head = settings.service_type.encode("ascii") + b"\x00" + source + self._dest_head
        if len(self._heads) >= _CACHE_LIMIT:
            self._heads.clear()
        self._heads[sender] = head
        return head

    def _make_middle(self, encoding: str, udhi: bool, validity: int) -> bytes:
        """The end of the destination up to sm_default_msg_id."""
        settings = self._settings
        if encoding == "ucs2":
            data_coding = settings.data_coding_ucs2
        elif encoding == "gsm7":
            data_coding = settings.data_coding_gsm7
        else:
            data_coding = settings.data_coding_turkish
        esm_class = self._mode | (pdu.ESM_UDHI if udhi else 0)
        middle = b"".join(
            (
                b"\x00",
                bytes((esm_class, settings.protocol_id, settings.priority_flag)),
                b"\x00",
                self._format_validity(validity or settings.validity_seconds) + b"\x00",
                bytes((settings.registered_delivery, 0, data_coding, 0)),
            )
        )
        if len(self._middles) >= _CACHE_LIMIT:
            self._middles.clear()
        self._middles[encoding, udhi, validity] = middle
        return middle

    def _format_validity(self, seconds: int) -> bytes:
        form = self._settings.validity_form
        if form == "none":
            return b""
        return format_expiry(seconds, time.time()) if form == "absolute" else format_validity(seconds)


def _sar(reference: int, total: int, index: int) -> bytes:
    # Eight bits of reference: a centre that makes a header of it has room for no more beside parts of this size.
    return b"".join(
        (
            pdu.encode_tlv(pdu.TLV_SAR_REFERENCE, (reference & 0xFF).to_bytes(2, "big")),
            pdu.encode_tlv(pdu.TLV_SAR_TOTAL, bytes((total,))),
            pdu.encode_tlv(pdu.TLV_SAR_SEQUENCE, bytes((index,))),
        )
    )
