"""The few fields of a submit_sm the centre needs, read without building the whole PDU."""

from __future__ import annotations

from typing import NamedTuple

from gateways.adapters.smpp import pdu


class Submit(NamedTuple):
    sender: bytes  # ton, npi, address: as a receipt writes its destination, NUL left out
    msisdn: bytes
    registered_delivery: int
    identity: int  # equal for the same part of the same message


def parse_submit(frame: bytes) -> Submit:
    """Raises PduError. ``identity`` hashes our token and part number if carried, else who, whom and what."""
    find = frame.find
    try:
        source = find(0, 16) + 1
        dest = find(0, source + 2) + 1
        flags = find(0, dest + 2) + 1
        schedule_end = find(0, flags + 3)
        rest = find(0, schedule_end + 1) + 1
        if not (source and dest and flags and schedule_end > 0 and rest):
            raise pdu.PduError("a field has no end")
        text_at = rest + 5
        text_end = text_at + frame[rest + 4]
        registered_delivery = frame[rest]
        esm_class = frame[flags]
    except IndexError as error:
        raise pdu.PduError("cut short") from error
    size = len(frame)
    msisdn = frame[dest + 2 : flags - 1]
    if text_end > size or dest - source > 23 or flags - dest > 23:
        raise pdu.PduError("a field is too long")
    if not msisdn.isdigit():
        raise pdu.PduError("destination is no number", 0x0B)
    sender = frame[source : dest - 1]
    text = frame[text_at:text_end]
    is_headed = bool(esm_class & pdu.ESM_UDHI)
    if not is_headed and text_end == size:
        return Submit(sender, msisdn, registered_delivery, hash((msisdn, sender, text)))
    identity = _identity(frame, sender, msisdn, text, text_end, is_headed)
    return Submit(sender, msisdn, registered_delivery, identity)


def _identity(frame: bytes, sender: bytes, msisdn: bytes, text: bytes, text_end: int, is_headed: bool) -> int:
    """Identity of a part with a header or with parameters; the reference of the join does not count."""
    part = 1
    if is_headed and text and text[0] < len(text):
        part, text = _strip_header(text)
    tlvs = pdu.read_tlvs(frame, text_end)
    if pdu.TLV_SAR_SEQUENCE in tlvs:
        part = int.from_bytes(tlvs[pdu.TLV_SAR_SEQUENCE], "big")
    token = tlvs.get(pdu.TLV_PEYK_TOKEN)
    if token is not None:
        return hash((token, part))
    payload = tlvs.get(pdu.TLV_MESSAGE_PAYLOAD, b"")
    return hash((msisdn, sender, text + payload)) if part == 1 else hash((msisdn, sender, text, part))


def _strip_header(text: bytes) -> tuple[int, bytes]:
    """(part number, text behind the header). A look at one element, for speed; smscore reads them all."""
    end = 1 + text[0]
    at = 1
    while at + 2 <= end:
        kind, size = text[at], text[at + 1]
        if (kind, size) in ((0x00, 3), (0x08, 4)) and at + 2 + size <= end:
            return text[at + 1 + size], text[end:]
        at += 2 + size
    return 1, text[end:]
