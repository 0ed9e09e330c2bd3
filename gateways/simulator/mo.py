"""Messages from simulated handsets: deliver_sm bodies of a text, in the ways message centres send long ones."""

from __future__ import annotations

from gateways.adapters.smpp import pdu
from smscore import segment
from smscore.parts import ESM_UDHI, encode_segmentation
from smscore.udh import UserDataHeader, parse_header

MODES = ("udh8", "udh16", "sar")


def make_mo_bodies(phone: str, recipient: str, text: str, mode: str, reference: int) -> list[bytes]:
    """One body per part. Raises ValueError for an empty text or an unknown mode.

    With ``sar`` a national table still needs its header, so such texts are written in UCS-2.
    """
    if mode not in MODES:
        raise ValueError(f"mode: one of {', '.join(MODES)}")
    has_header = mode != "sar"
    found = segment(text, national=has_header, reference_bits=16 if mode == "udh16" else 8)
    parts = encode_segmentation(found, reference=reference)
    if not parts:
        raise ValueError("empty text")
    bodies = []
    for number, part in enumerate(parts, 1):
        octets, esm_class, tlvs = part.short_message, part.esm_class, {}
        if not has_header and len(parts) > 1:
            header, octets = parse_header(octets)
            esm_class, tlvs = esm_class & ~ESM_UDHI, _sar(header, reference, number)
        fields: dict[str, pdu.Value] = {
            "source_addr_ton": 1,
            "source_addr_npi": 1,
            "source_addr": phone.lstrip("+").encode("ascii"),
            "dest_addr_ton": 0 if recipient.isdecimal() else 5,
            "destination_addr": recipient.lstrip("+").encode("ascii"),
            "esm_class": esm_class,
            "data_coding": part.data_coding,
            "short_message": octets,
        }
        bodies.append(pdu.encode(pdu.Pdu(pdu.DELIVER_SM, fields=fields, tlvs=tlvs))[pdu.HEADER_LENGTH :])
    return bodies


def _sar(header: UserDataHeader, reference: int, number: int) -> dict[int, bytes]:
    return {
        pdu.TLV_SAR_REFERENCE: (reference & 0xFFFF).to_bytes(2, "big"),
        pdu.TLV_SAR_TOTAL: bytes((header.total,)),
        pdu.TLV_SAR_SEQUENCE: bytes((number,)),
    }
