"""Receipts and inbound messages out of deliver_sm and data_sm (reliability.md, section 5, last points).

The optional parameters 0x001e and 0x0427 win over the text; of the text only what stands before ``text:``
is read, because the rest is the subscriber's message. Nothing here raises for what a centre sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from gateways.adapters.smpp import pdu
from gateways.adapters.smpp.codes import ERROR_REASONS, MESSAGE_STATES, read_word
from gateways.adapters.smpp.settings import SmppSettings
from gateways.adapters.smpp.userdata import read_user_data
from gateways.types import DeliveryEvent, InboundMessage, Reason, UnreadableEvent
from smscore.parts import DATA_CODING_ASCII, DATA_CODING_GSM, DATA_CODING_LATIN1
from smscore.udh import UserDataHeader

# The usual form, appendix B of the specification, in one go.
_USUAL = re.compile(
    rb"id:([^ ]{1,64}) sub:[0-9]{0,3} dlvrd:[0-9]{0,3} submit date:[0-9]{0,14} "
    rb"done date:([0-9]{0,14}) stat:([A-Z]{1,16}) err:([0-9A-Za-z]{0,8})(?: |\Z)"
)
# A deliver_sm from its command to its sm_length, as `pdu.decode` would read it: (source ton, source, destination,
# esm_class, sm_length). What does not look like this takes the long way.
_USUAL_PDU = re.compile(
    rb"(?s).{4}\x00\x00\x00\x05.{8}[^\x00]{0,5}\x00(.).([^\x00]{0,20})\x00..([^\x00]{0,20})\x00"
    rb"(.)..[^\x00]{0,16}\x00[^\x00]{0,16}\x00....(.)"
)
_FIELD = re.compile(rb"(?i)\b(id|stat|err|done[ _]?date|dlvrd)\s*[:=]\s*([^\s;,]*)")
_TEXT = re.compile(rb"(?i)\btext\s*[:=]")
_SAFE = 254
_TURKISH_NATIONAL = re.compile(r"0?(5[0-9]{9})").fullmatch
TON_INTERNATIONAL = 1
_LOOKS_LIKE_RECEIPT = re.compile(rb"(?is)\s*id\s*:[^\s]{1,64}\s.{0,200}\bstat\s*:\s*[a-z]{1,16}\b")
_ALPHABET_CODINGS = {"gsm7": DATA_CODING_GSM, "latin1": DATA_CODING_LATIN1, "ascii": DATA_CODING_ASCII}

Event = DeliveryEvent | InboundMessage | UnreadableEvent
IdReader = Callable[[str], str]


def make_id_reader(base: str) -> IdReader:
    """How ids of this base are kept: as they stand, or as decimal numbers so that hex and decimal meet."""
    if base == "opaque":
        return lambda text: text
    radix = 16 if base == "hex" else 10

    def read(text: str) -> str:
        try:
            return str(int(text, radix))
        except ValueError:
            return text  # not a number after all: keep what came

    return read


class EventReader:
    """Reads stored raw PDUs with one account's settings."""

    def __init__(self, settings: SmppSettings) -> None:
        self._read_id = make_id_reader(settings.receipt_id_base)
        self._prefers_text_id = settings.receipt_id_source == "text"
        self._knows_by_text = settings.receipt_mark == "text"
        self._default_coding = _ALPHABET_CODINGS[settings.inbound_alphabet]
        self._reasons: Mapping[str, Reason] = ERROR_REASONS
        if settings.error_reasons:
            known = {code: _reason(name) for code, name in settings.error_reasons.items()}
            self._reasons = {**ERROR_REASONS, **known}

    def read(self, raw: bytes) -> Event:
        """One raw deliver_sm or data_sm."""
        return self._read_usual(raw) or self._read_any(raw)

    def _read_usual(self, raw: bytes) -> Event | None:
        """A receipt with its text in short_message, in half the time; None for everything else."""
        head = _USUAL_PDU.match(raw)
        if head is None:
            return None
        ton, source, destination, esm_class, size = head.groups()
        at = head.end()
        stop = at + size[0]
        if not size[0] or stop > len(raw) or not esm_class[0] & pdu.ESM_RECEIPT_BITS:
            return None
        if int.from_bytes(raw[:4], "big") != len(raw):
            return None
        try:
            tlvs = pdu.read_tlvs(raw, stop)
        except pdu.PduError:
            return None
        return self._read_receipt(raw[at:stop], tlvs, source, ton[0], destination)

    def _read_any(self, raw: bytes) -> Event:
        try:
            decoded = pdu.decode(raw)
        except pdu.PduError as error:
            return UnreadableEvent(str(error))
        if decoded.command not in (pdu.DELIVER_SM, pdu.DATA_SM):
            return UnreadableEvent(f"command_id 0x{decoded.command:08x}")
        esm_class = decoded.number("esm_class")
        has_receipt_parameters = pdu.TLV_RECEIPTED_MESSAGE_ID in decoded.tlvs
        is_receipt = bool(esm_class & pdu.ESM_RECEIPT_BITS) or has_receipt_parameters
        if is_receipt or (self._knows_by_text and _LOOKS_LIKE_RECEIPT.match(decoded.text_octets)):
            return self._read_receipt(
                decoded.text_octets,
                decoded.tlvs,
                decoded.octets("source_addr"),
                decoded.number("source_addr_ton"),
                decoded.octets("destination_addr"),
            )
        return read_inbound(decoded, self._default_coding)

    def _read_receipt(
        self, text: bytes, tlvs: Mapping[int, bytes], source: bytes, ton: int, destination: bytes
    ) -> Event:
        text_id, done, word, code = read_receipt_text(text)
        raw_id = tlvs.get(pdu.TLV_RECEIPTED_MESSAGE_ID, b"").split(b"\x00", 1)[0]
        provider_id = (text_id or read_plain(raw_id)) if self._prefers_text_id else (read_plain(raw_id) or text_id)
        if not provider_id:
            return UnreadableEvent("receipt without an id")
        state_octets = tlvs.get(pdu.TLV_MESSAGE_STATE, b"")
        if len(state_octets) == 1 and state_octets[0] in MESSAGE_STATES:
            word = MESSAGE_STATES[state_octets[0]]
        state, reason = read_word(word)
        if not code:
            code = _network_error(tlvs.get(pdu.TLV_NETWORK_ERROR_CODE, b""))
        if reason is Reason.OTHER:
            reason = self._reasons.get(code, Reason.OTHER)
        return DeliveryEvent(
            provider_message_id=self._read_id(provider_id),
            msisdn=_msisdn(source, ton),
            state=state,
            reason=reason,
            code=f"{word}:{code}" if code else word,
            occurred_at=done,
            sender=read_plain(destination),
        )


def read_receipt_text(octets: bytes) -> tuple[str, str, str, str]:
    """(id, done date, state word, error code) of a receipt's text; what is not there is empty."""
    usual = _USUAL.match(octets)
    if usual:
        provider_id, done, word, code = usual.groups()
        return read_plain(provider_id), done.decode(), word.decode(), code.decode()
    head = octets[: 2 * _SAFE]
    if head[:2] in (b"\x00i", b"\x00I"):  # some centres write receipts in UCS-2
        head = head[1::2]
    head = _TEXT.split(head, maxsplit=1)[0]
    found: dict[bytes, bytes] = {}
    for name, value in _FIELD.findall(head):
        found.setdefault(name.lower().replace(b"_", b" ").replace(b" ", b""), value)
    return (
        read_plain(found.get(b"id", b"")),
        read_plain(found.get(b"donedate", b"")),
        read_plain(found.get(b"stat", b"")).upper(),
        read_plain(found.get(b"err", b"")),
    )


def read_inbound(decoded: pdu.Pdu, default_coding: int = DATA_CODING_GSM) -> InboundMessage:
    """A message from a handset; an undecodable text is read as Latin-1 rather than lost.

    ``default_coding`` is what the centre means by data_coding 0; a national table in the header means septets.
    """
    coding = decoded.number("data_coding")
    data = read_user_data(decoded.text_octets, coding, decoded.number("esm_class"))
    if coding == DATA_CODING_GSM != default_coding and not (data.header.single_shift or data.header.locking_shift):
        data = read_user_data(decoded.text_octets, default_coding, decoded.number("esm_class"))
    reference, part, parts = get_concatenation(data.header, decoded.tlvs)
    return InboundMessage(
        msisdn=_msisdn(decoded.octets("source_addr"), decoded.number("source_addr_ton")),
        recipient=read_plain(decoded.octets("destination_addr")),
        text=data.text,
        reference=reference,
        part=part,
        parts=parts,
        piece=data._replace(header=data.header._replace(sequence=part, total=parts)) if parts > 1 else None,
    )


def get_concatenation(header: UserDataHeader, tlvs: Mapping[int, bytes]) -> tuple[int, int, int]:
    """(reference, part, parts) from the user-data header or else from the sar_* parameters."""
    total = int.from_bytes(tlvs.get(pdu.TLV_SAR_TOTAL, b"")[:1], "big")
    if header.total > 1 or total <= 1:
        return header.reference or 0, header.sequence, header.total
    part = int.from_bytes(tlvs.get(pdu.TLV_SAR_SEQUENCE, b"")[:1], "big")
    reference = int.from_bytes(tlvs.get(pdu.TLV_SAR_REFERENCE, b"")[:2], "big")
    return (reference, part, total) if 1 <= part <= total else (0, 1, 1)


def _msisdn(address: bytes, ton: int) -> str:
    """E.164 where the address is one, or a Turkish mobile in national form; as it came for short numbers and names.

    Centres that leave ton 0 still send the country code, never fewer digits.
    """
    digits = read_plain(address)
    if digits.startswith("+") or not digits.isdecimal():
        return digits
    if digits.startswith("00"):
        return f"+{digits[2:]}"
    if digits[0] != "0" and (ton == TON_INTERNATIONAL or len(digits) >= 11):
        return f"+{digits}"
    national = _TURKISH_NATIONAL(digits)
    return f"+90{national[1]}" if national else digits


def read_plain(octets: bytes) -> str:
    """Octets as text that a database takes: no NUL, no control characters, no spaces around. Ids of answers and of
    receipts are read alike, or a centre that pads them in one place would never be understood."""
    if octets.isalnum():
        return octets.decode("ascii")
    return "".join(c for c in octets.decode("latin-1") if c.isprintable()).strip()


def _network_error(octets: bytes) -> str:
    return f"{int.from_bytes(octets[1:3], 'big'):03d}" if len(octets) == 3 else ""


def _reason(name: str) -> Reason:
    try:
        return Reason(name)
    except ValueError:
        return Reason.OTHER
