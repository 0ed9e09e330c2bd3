"""What the Twisted centre and client share: PDUs of ``smpp.pdu`` as plain values, and JSON lines.

Runs in an environment of its own (``./dev crosstest``), never in the product's.
"""

import json
import logging
import sys

from smpp.pdu import constants, pdu_encoding, pdu_types

logging.basicConfig(stream=sys.stderr, level=logging.ERROR)

FEATURES = pdu_types.EsmClassGsmFeatures


def tell(line):
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def status_number(status):
    """The command_status of the wire: the library's enumeration counts from 1."""
    return constants.command_status_name_map[status.name]


def text_of(value):
    return value.decode("latin-1") if isinstance(value, bytes) else (value or "")


def octet_of(encoder, value):
    return encoder().encode(value)[0] if value is not None else 0


def read_message(pdu):
    params = pdu.params
    body = params.get("short_message") or params.get("message_payload") or b""
    sar = None
    if "sar_total_segments" in params:
        sar = [params["sar_msg_ref_num"], params["sar_total_segments"], params["sar_segment_seqnum"]]
    state = params.get("message_state")
    return {
        "from": text_of(params["source_addr"]),
        "from_ton": octet_of(pdu_encoding.AddrTonEncoder, params["source_addr_ton"]),
        "from_npi": octet_of(pdu_encoding.AddrNpiEncoder, params["source_addr_npi"]),
        "to": text_of(params["destination_addr"]),
        "to_ton": octet_of(pdu_encoding.AddrTonEncoder, params["dest_addr_ton"]),
        "to_npi": octet_of(pdu_encoding.AddrNpiEncoder, params["dest_addr_npi"]),
        "octets": body.hex(),
        "text": None,
        "data_coding": octet_of(pdu_encoding.DataCodingEncoder, params["data_coding"]),
        "esm_class": octet_of(pdu_encoding.EsmClassEncoder, params["esm_class"]),
        "registered_delivery": octet_of(pdu_encoding.RegisteredDeliveryEncoder, params["registered_delivery"]),
        "validity": str(params.get("validity_period") or ""),
        "sar": sar,
        "receipt_id": text_of(params.get("receipted_message_id")),
        "state": octet_of(pdu_encoding.MessageStateEncoder, state) if state else 0,
    }


def make_params(order):
    """Fields of a submit_sm or deliver_sm that ``smpp.pdu`` encodes; octets go as they are."""
    numeric = order["from"].isdecimal()
    esm_class = order.get("esm_class", 0)
    octets = bytes.fromhex(order["octets"])
    params = {
        "source_addr": order["from"].encode(),
        "source_addr_ton": pdu_types.AddrTon.INTERNATIONAL if numeric else pdu_types.AddrTon.ALPHANUMERIC,
        "source_addr_npi": pdu_types.AddrNpi.ISDN if numeric else pdu_types.AddrNpi.UNKNOWN,
        "destination_addr": order["to"].encode(),
        "dest_addr_ton": pdu_types.AddrTon.INTERNATIONAL,
        "dest_addr_npi": pdu_types.AddrNpi.ISDN,
        "esm_class": pdu_types.EsmClass(
            pdu_types.EsmClassMode.DEFAULT,
            pdu_types.EsmClassType.SMSC_DELIVERY_RECEIPT if esm_class & 4 else pdu_types.EsmClassType.DEFAULT,
            [FEATURES.UDHI_INDICATOR_SET] if esm_class & 0x40 else [],
        ),
        "protocol_id": 0,
        "priority_flag": pdu_types.PriorityFlag.LEVEL_0,
        "registered_delivery": pdu_types.RegisteredDelivery(
            pdu_types.RegisteredDeliveryReceipt.SMSC_DELIVERY_RECEIPT_REQUESTED
            if order.get("receipt", True)
            else pdu_types.RegisteredDeliveryReceipt.NO_SMSC_DELIVERY_RECEIPT_REQUESTED
        ),
        "replace_if_present_flag": pdu_types.ReplaceIfPresentFlag.DO_NOT_REPLACE,
        "data_coding": pdu_types.DataCoding(pdu_types.DataCodingScheme.RAW, order.get("data_coding", 0)),
        "short_message": b"" if order.get("payload") else octets,
    }
    if order.get("payload"):
        params["message_payload"] = octets
    if order.get("sar"):
        names = ("sar_msg_ref_num", "sar_total_segments", "sar_segment_seqnum")
        params.update(zip(names, order["sar"], strict=True))
    return params
