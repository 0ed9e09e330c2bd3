"""Receipts in all the ways message centres write them, and messages from handsets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.adapters.smpp import pdu
from gateways.adapters.smpp.receipts import EventReader, make_id_reader, read_receipt_text
from gateways.adapters.smpp.settings import SmppSettings
from gateways.types import DeliveryEvent, DeliveryState, InboundMessage, Reason, UnreadableEvent
from smscore import segment
from smscore.parts import encode_segmentation

D, U, A, X = (
    DeliveryState.DELIVERED,
    DeliveryState.UNDELIVERED,
    DeliveryState.ACCEPTED,
    DeliveryState.UNKNOWN,
)
USUAL = b"id:%b sub:001 dlvrd:001 submit date:2611221200 done date:2611221201 stat:%b err:%b text:Merhaba"


def deliver(text: bytes, esm_class: int = 4, command: int = pdu.DELIVER_SM, **changes) -> bytes:
    tlvs = changes.pop("tlvs", {})
    fields: dict[str, pdu.Value] = {
        "source_addr_ton": 1,
        "source_addr_npi": 1,
        "source_addr": b"905321112233",
        "dest_addr_ton": 5,
        "destination_addr": b"PEYK",
        "esm_class": esm_class,
        "short_message": text,
    }
    if command == pdu.DATA_SM:
        tlvs = {pdu.TLV_MESSAGE_PAYLOAD: fields.pop("short_message"), **tlvs}
    return pdu.encode(pdu.Pdu(command, 0, 1, {**fields, **changes}, tlvs))


def read(raw: bytes, **settings) -> DeliveryEvent | InboundMessage | UnreadableEvent:
    return EventReader(SmppSettings.from_mapping(settings)).read(raw)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (USUAL % (b"12345", b"DELIVRD", b"000"), ("12345", D, Reason.NONE)),
        (USUAL % (b"12345", b"UNDELIV", b"001"), ("12345", U, Reason.UNKNOWN_SUBSCRIBER)),
        (USUAL % (b"12345", b"UNDELIV", b"006"), ("12345", U, Reason.ABSENT_SUBSCRIBER)),
        (USUAL % (b"12345", b"UNDELIV", b"999"), ("12345", U, Reason.OTHER)),
        (USUAL % (b"12345", b"EXPIRED", b"000"), ("12345", U, Reason.EXPIRED)),
        (USUAL % (b"12345", b"DELETED", b"000"), ("12345", U, Reason.DELETED)),
        (USUAL % (b"12345", b"REJECTD", b"000"), ("12345", U, Reason.REFUSED)),
        (USUAL % (b"12345", b"ENROUTE", b"000"), ("12345", A, Reason.NONE)),
        (USUAL % (b"12345", b"ACCEPTD", b"000"), ("12345", A, Reason.NONE)),
        (USUAL % (b"12345", b"UNKNOWN", b"000"), ("12345", X, Reason.NONE)),
        (USUAL % (b"12345", b"FOOBAR", b"000"), ("12345", X, Reason.NONE)),
        (USUAL % (b"00012a", b"DELIVRD", b"000"), ("00012a", D, Reason.NONE)),
        (USUAL % (b"a-b_c.d", b"DELIVRD", b"000"), ("a-b_c.d", D, Reason.NONE)),
        (b"ID:77 STAT:delivrd ERR:0", ("77", D, Reason.NONE)),
        (b"id: 77 stat: DELIVERED err: 0", ("77", D, Reason.NONE)),
        (b"id:77 sub:1 dlvrd:1 submit date:1 done date:2 stat:UNDELIVERABLE", ("77", U, Reason.OTHER)),
        (b"stat:EXPIRED id:77", ("77", U, Reason.EXPIRED)),
        (b"id=77;stat=DELIVRD;err=0", ("77", D, Reason.NONE)),
        (b"id:77 stat:DELIVRD err:000 text:id:88 stat:REJECTD", ("77", D, Reason.NONE)),
        (b"id:77 err:000 Text:stat:DELIVRD", ("77", X, Reason.NONE)),
        ("id:77 stat:DELIVRD err:000 text:".encode("utf-16-be"), ("77", D, Reason.NONE)),
        (b"id:77 stat:DELIVRD\x00", ("77", D, Reason.NONE)),
    ],
)
def test_receipt_text(text: bytes, expected: tuple[str, DeliveryState, Reason]) -> None:
    event = read(deliver(text))
    assert isinstance(event, DeliveryEvent)
    assert (event.provider_message_id, event.state, event.reason) == expected
    assert event.msisdn == "+905321112233"
    assert event.sender == "PEYK"


def test_code_and_time_travel_along() -> None:
    event = read(deliver(USUAL % (b"1", b"UNDELIV", b"0A7")))
    assert isinstance(event, DeliveryEvent)
    assert (event.code, event.occurred_at) == ("UNDELIV:0A7", "2611221201")


def test_parameters_win_over_the_text() -> None:
    tlvs = {pdu.TLV_RECEIPTED_MESSAGE_ID: b"right\x00", pdu.TLV_MESSAGE_STATE: b"\x05"}
    event = read(deliver(USUAL % (b"wrong", b"DELIVRD", b"000"), tlvs=tlvs))
    assert isinstance(event, DeliveryEvent)
    assert (event.provider_message_id, event.state) == ("right", U)


def test_receipt_of_parameters_alone() -> None:
    tlvs = {
        pdu.TLV_RECEIPTED_MESSAGE_ID: b"77",
        pdu.TLV_MESSAGE_STATE: b"\x05",
        pdu.TLV_NETWORK_ERROR_CODE: b"\x03\x00\x06",
    }
    for changes in ({}, {"esm_class": 0}, {"command": pdu.DATA_SM}):
        raw = deliver(b"", tlvs=tlvs, **changes)
        event = read(raw)
        assert isinstance(event, DeliveryEvent)
        assert (event.provider_message_id, event.state) == ("77", U)
        assert (event.reason, event.code) == (Reason.ABSENT_SUBSCRIBER, "UNDELIV:006")


@pytest.mark.parametrize(
    ("answer_base", "receipt_base", "answered", "receipted"),
    [
        ("hex", "dec", "1a2B", "6699"),
        ("hex", "dec", "00001A2B", "0006699"),
        ("dec", "hex", "6699", "1A2B"),
        ("dec", "dec", "0077", "77"),
    ],
)
def test_ids_meet_over_bases(answer_base: str, receipt_base: str, answered: str, receipted: str) -> None:
    event = read(
        deliver(USUAL % (receipted.encode(), b"DELIVRD", b"000")),
        answer_id_base=answer_base,
        receipt_id_base=receipt_base,
    )
    assert isinstance(event, DeliveryEvent)
    assert event.provider_message_id == make_id_reader(answer_base)(answered)


def test_opaque_ids_are_left_alone() -> None:
    read_id = make_id_reader("opaque")
    assert [read_id(text) for text in ("007", "1A", "1a")] == ["007", "1A", "1a"]
    assert make_id_reader("dec")("not-a-number") == "not-a-number"


def test_operator_may_redefine_errors() -> None:
    raw = deliver(USUAL % (b"1", b"UNDELIV", b"001"))
    event = read(raw, error_reasons={"001": "blocked_by_recipient"})
    assert isinstance(event, DeliveryEvent)
    assert event.reason is Reason.BLOCKED_BY_RECIPIENT


@pytest.mark.parametrize(
    "raw", [b"", b"\x00" * 16, deliver(b"no id here stat:DELIVRD"), pdu.encode(pdu.Pdu(pdu.UNBIND))]
)
def test_unreadable_is_said_not_raised(raw: bytes) -> None:
    assert isinstance(read(raw), UnreadableEvent)


@pytest.mark.parametrize(
    ("address", "ton", "msisdn"),
    [
        (b"905321112233", 1, "+905321112233"),
        (b"905321112233", 0, "+905321112233"),
        (b"+905321112233", 1, "+905321112233"),
        (b"5321112233", 2, "+905321112233"),
        (b"05321112233", 2, "+905321112233"),
        (b"05321112233", 0, "+905321112233"),
        (b"00905321112233", 1, "+905321112233"),
        (b"004512345678", 0, "+4512345678"),
        (b"5352123456", 1, "+5352123456"),
        (b"2125550000", 2, "2125550000"),
        (b"3040", 3, "3040"),
        (b"", 0, ""),
    ],
)
def test_number_forms(address: bytes, ton: int, msisdn: str) -> None:
    event = read(deliver(USUAL % (b"1", b"DELIVRD", b"0"), source_addr=address, source_addr_ton=ton))
    assert isinstance(event, DeliveryEvent)
    assert event.msisdn == msisdn


@pytest.mark.parametrize("text", ["RET", "İptal lütfen", "Дуr 😀", "a" * 200, "ğ" * 200])
def test_inbound_in_every_encoding(text: str) -> None:
    parts = encode_segmentation(segment(text), reference=5)
    events = [read(deliver(p.short_message, esm_class=p.esm_class, data_coding=p.data_coding)) for p in parts]
    assert all(isinstance(e, InboundMessage) for e in events)
    assert "".join(e.text for e in events) == text
    assert [(e.part, e.parts) for e in events] == [(n, len(parts)) for n in range(1, len(parts) + 1)]
    assert {e.recipient for e in events} == {"PEYK"}


def test_inbound_with_a_broken_header_is_not_lost() -> None:
    event = read(deliver(b"\x20abc", esm_class=0x40))
    assert isinstance(event, InboundMessage)
    assert event.text.endswith("abc")


def test_usual_and_tolerant_reading_agree() -> None:
    usual = USUAL % (b"12345", b"UNDELIV", b"001")
    assert read_receipt_text(usual) == read_receipt_text(usual.replace(b" sub:", b"  sub:"))


FIELD_VALUES = {
    "service_type": st.sampled_from([b"", b"CMT"]),
    "source_addr_ton": st.integers(0, 255),
    "source_addr": st.sampled_from([b"905321234567", b"+90532", b"", b"4609", b"\x80\xff"]),
    "destination_addr": st.sampled_from([b"PEYK", b"4609", b"", b"PE YK"]),
    "esm_class": st.sampled_from([0, 4, 8, 0x44, 0x40, 0x20]),
    "data_coding": st.sampled_from([0, 3, 8]),
    "short_message": st.one_of(
        st.just(b"id:12 sub:001 dlvrd:001 submit date:2611221200 done date:2611221201 stat:DELIVRD err:000 text:x"),
        st.just(b"id:AB stat:UNDELIV err:001"),
        st.binary(max_size=40),
    ),
}
TLVS = st.dictionaries(st.sampled_from([0x001E, 0x0427, 0x0423, 0x0424]), st.binary(max_size=6), max_size=3)


@given(fields=st.fixed_dictionaries(FIELD_VALUES), tlvs=TLVS, cut=st.integers(0, 6), junk=st.binary(max_size=3))
def test_short_way_reads_what_the_long_way_reads(fields, tlvs, cut, junk):
    reader = EventReader(SmppSettings(port=1, system_id="test"))
    whole = pdu.encode(pdu.Pdu(pdu.DELIVER_SM, sequence=7, fields=fields, tlvs=tlvs))
    for raw in (whole, whole[: len(whole) - cut] + junk, whole[:4] + bytes([0, 0, 0, 6]) + whole[8:]):
        usual = reader._read_usual(raw)
        assert usual is None or usual == reader._read_any(raw)
