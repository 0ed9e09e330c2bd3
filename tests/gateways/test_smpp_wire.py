"""The short cuts of the hot path give the octets of the exact path, and those of the specification sheet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.adapters.smpp import pdu
from gateways.adapters.smpp.settings import SmppSettings
from gateways.adapters.smpp.wire import CannotEncode, SubmitEncoder, format_validity
from gateways.base import BadSettings
from gateways.types import OutboundMessage
from smscore import segment
from smscore.parts import decode_part, join_parts

TURKISH = "abcçdefgğhıijklmnoöprsştuüvyzABCÇĞİÖŞÜ 0123456789.,!?€"


def decode_body(body: bytes) -> pdu.Pdu:
    return pdu.decode(pdu.HEADER.pack(16 + len(body), pdu.SUBMIT_SM, 0, 1) + body)


def encode(text: str, encoding: str = "gsm7", parts: int = 1, **settings) -> list[pdu.Pdu]:
    message = OutboundMessage(77, "+905321112233", "PEYK", text, encoding, parts, 3600, 0x12A)
    bodies = SubmitEncoder(SmppSettings.from_mapping(settings)).encode(message)
    return [decode_body(body) for body in (bodies if isinstance(bodies, tuple) else (bodies,))]


def test_body_is_what_the_exact_encoder_writes() -> None:
    message = OutboundMessage(77, "+905321112233", "PEYK", "Merhaba", "gsm7", 1, 172_800)
    settings = SmppSettings(service_type="CMT", send_token=True, priority_flag=1)
    body = SubmitEncoder(settings).encode(message)
    exact = pdu.Pdu(
        pdu.SUBMIT_SM,
        sequence=1,
        fields={
            "service_type": b"CMT",
            "source_addr_ton": 5,
            "source_addr": b"PEYK",
            "dest_addr_ton": 1,
            "dest_addr_npi": 1,
            "destination_addr": b"905321112233",
            "priority_flag": 1,
            "validity_period": b"000002000000000R",
            "registered_delivery": 1,
            "short_message": b"Merhaba",
        },
        tlvs={pdu.TLV_PEYK_TOKEN: (77).to_bytes(8, "big")},
    )
    assert pdu.encode(exact)[16:] == body


@pytest.mark.parametrize(
    ("text", "encoding", "octets", "esm_class", "coding"),
    [
        ("Merhaba", "gsm7", "4D657268616261", 0, 0),
        ("10€", "gsm7", "31301B65", 0, 0),
        ("Ağaç", "gsm7-tr-single", "03240101411B67611B63", 0x40, 0),
        ("Ağaç", "gsm7-tr-locking", "03250101410C6160", 0x40, 0),
        ("ş", "ucs2", "015F", 0, 8),
        ("😀", "ucs2", "D83DDE00", 0, 8),
    ],
)
def test_vectors_of_the_specification(text: str, encoding: str, octets: str, esm_class: int, coding: int) -> None:
    [submit] = encode(text, encoding)
    assert submit.octets("short_message").hex().upper() == octets
    assert (submit.number("esm_class"), submit.number("data_coding")) == (esm_class, coding)


def test_long_turkish_carries_both_elements() -> None:
    found = segment("şeker " * 60)
    first, *rest = encode(found.text, found.encoding, found.parts)
    assert first.octets("short_message")[:9].hex() == "0824010100032a" + f"{found.parts:02x}01"
    assert len(rest) == found.parts - 1


def test_wide_reference() -> None:
    first, *_ = encode("a" * 400, parts=3, long_mode="udh16")
    assert first.octets("short_message")[:7].hex() == "060804012a0301"
    assert len(first.octets("short_message")) == 7 + 152


@pytest.mark.parametrize("mode", ["udh8", "udh16", "sar", "payload"])
@pytest.mark.parametrize(
    ("text", "encoding", "esm_class"),
    [
        ("S" * 158, "gsm7", 0),
        ("ş" * 70, "ucs2", 0),
        ("ş" * 70, "gsm7-tr-single", 0x40),
        ("ş" * 70, "gsm7-tr-locking", 0x40),
    ],
)
def test_what_is_billed_as_two_parts_and_fits_one_goes_without_the_header_of_a_part(
    text: str, encoding: str, esm_class: int, mode: str
) -> None:
    """An operator's own words behind the text make it longer for the bill, not for us."""
    (sent,) = encode(text, encoding, parts=2, long_mode=mode)
    assert sent.fields["esm_class"] == esm_class
    octets = sent.fields["short_message"] or sent.tlvs[pdu.TLV_MESSAGE_PAYLOAD]
    part = decode_part(octets, sent.fields["data_coding"], esm_class)
    assert part.text == text and part.header.total in (0, 1)
    assert pdu.TLV_SAR_TOTAL not in sent.tlvs


def test_what_is_billed_as_one_part_and_does_not_fit_goes_in_two() -> None:
    """An operator that counts a Turkish letter as one has it travel as two septets all the same."""
    text = "ş" * 10 + "a" * 140
    sent = encode(text, "gsm7-tr-single", parts=1)
    assert len(sent) == 2
    assert join_parts([decode_part(p.fields["short_message"], 0, p.fields["esm_class"]) for p in sent]) == text


def test_sar_parameters_leave_the_text_bare() -> None:
    first, second, third = encode("a" * 400, parts=3, long_mode="sar")
    assert first.octets("short_message") == b"a" * 153
    assert second.tlvs[pdu.TLV_SAR_SEQUENCE] == b"\x02"
    assert third.tlvs == {
        pdu.TLV_SAR_REFERENCE: b"\x00\x2a",  # eight bits, whatever ours has
        pdu.TLV_SAR_TOTAL: b"\x03",
        pdu.TLV_SAR_SEQUENCE: b"\x03",
    }
    assert first.number("esm_class") == 0


def test_payload_carries_all_at_once() -> None:
    [submit] = encode("a" * 400, parts=3, long_mode="payload")
    assert submit.octets("short_message") == b""
    assert submit.tlvs[pdu.TLV_MESSAGE_PAYLOAD] == b"a" * 400


@given(st.text(TURKISH + "щ😀", min_size=1, max_size=700), st.sampled_from(["udh8", "udh16"]))
def test_any_text_comes_back(text: str, mode: str) -> None:
    found = segment(text, reference_bits=16 if mode == "udh16" else 8)
    submits = encode(found.text, found.encoding, found.parts, long_mode=mode)
    parts = [decode_part(s.octets("short_message"), s.number("data_coding"), s.number("esm_class")) for s in submits]
    assert join_parts(parts) == found.text
    assert len(parts) == found.parts


@pytest.mark.parametrize(
    ("sender", "ton", "npi", "address"),
    [
        ("PEYK", 5, 0, b"PEYK"),
        ("Peyk 24-7", 5, 0, b"Peyk 24-7"),
        ("3040", 3, 0, b"3040"),
        ("+905321112233", 1, 1, b"905321112233"),
        ("908505550000", 1, 1, b"908505550000"),
    ],
)
def test_sender_kinds(sender: str, ton: int, npi: int, address: bytes) -> None:
    body = SubmitEncoder(SmppSettings()).encode(OutboundMessage(1, "+905321112233", sender, "a"))
    assert isinstance(body, bytes)
    submit = decode_body(body)
    found = (submit.number("source_addr_ton"), submit.number("source_addr_npi"), submit.octets("source_addr"))
    assert found == (ton, npi, address)


@pytest.mark.parametrize("sender", ["", "ÇİÇEK", "x" * 21, "a\nb"])
def test_sender_that_is_no_address(sender: str) -> None:
    with pytest.raises(CannotEncode):
        SubmitEncoder(SmppSettings()).encode(OutboundMessage(1, "+905321112233", sender, "a"))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, b""),
        (60, b"000000000100000R"),
        (3_661, b"000000010101000R"),
        (172_800, b"000002000000000R"),
        (40 * 86_400, b"000110000000000R"),
    ],
)
def test_validity(seconds: int, text: bytes) -> None:
    assert format_validity(seconds) == text


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"password": "far too long"}, "password"),
        ({"system_id": "ş"}, "system_id"),
        ({"bind_mode": "both"}, "bind_mode"),
        ({"window_size": 0}, "window_size"),
        ({"tps": -1}, "tps"),
        ({"port": 70000}, "port"),
        ({"answer_id_base": "hex"}, "answer_id_base"),
    ],
)
def test_bad_settings_name_the_field_and_no_secret(values: dict[str, object], field: str) -> None:
    with pytest.raises(BadSettings, match=field) as caught:
        SmppSettings.from_mapping(values)
    assert "far too long" not in str(caught.value)
