"""Every setting of an SMPP account: what it does on the wire, and that a wrong one is refused by name."""

import time
from typing import Any

import pytest

from gateways.adapters.smpp import pdu
from gateways.adapters.smpp.gateway import SmppGateway
from gateways.adapters.smpp.receipts import EventReader
from gateways.adapters.smpp.settings import CHOICES, MAX_VALIDITY, OCTETS, POSITIVE, RANGES, SmppSettings
from gateways.adapters.smpp.wire import CannotEncode, SubmitEncoder, bind_request, format_expiry
from gateways.base import BadSettings
from gateways.simulator.mo import make_mo_bodies
from gateways.types import DeliveryEvent, DeliveryState, InboundMessage, OutboundMessage, OutcomeKind
from smscore import segment
from smscore.parts import decode_part, join_parts, unpack_part
from tests.gateways.peer_texts import TEXTS, make_message
from tests.gateways.wire_cases import Recorder, bound_session, messages, run, running_centre, until

BAD = [
    ({"port": "2775"}, "port: a number"),
    ({"port": 2775.5}, "port: a whole number"),
    ({"port": True}, "port: a number"),
    ({"tps": float("nan")}, "tps: a number"),
    ({"host": ""}, "host"),
    ({"host": 5}, "host: a text"),
    ({"tls": "yes"}, "tls: true or false"),
    ({"dest_ton": 256}, "dest_ton: 0..255"),
    ({"priority_flag": 4}, "priority_flag: 0..3"),
    ({"registered_delivery": 32}, "registered_delivery: 0..31"),
    ({"validity_seconds": MAX_VALIDITY + 1}, "validity_seconds"),
    ({"validity_form": "soon"}, "validity_form: one of relative, absolute, none"),
    ({"message_mode": "express"}, "message_mode: one of default, datagram, transaction, store"),
    ({"interface_version": "4.0"}, "interface_version"),
    ({"receipt_mark": "none"}, "receipt_mark"),
    ({"inbound_alphabet": "utf8"}, "inbound_alphabet"),
    ({"address_range": "9" * 41}, "address_range: at most 40"),
    ({"answer_timeout": 0}, "answer_timeout: more than 0"),
    ({"enquire_link_timeout": -1}, "enquire_link_timeout: more than 0"),
    ({"error_reasons": {"012": "gone"}}, "error_reasons: '012'"),
    ({"error_reasons": ["012"]}, "error_reasons: an object"),
]


@pytest.mark.parametrize(("values", "message"), BAD, ids=[message for _, message in BAD])
def test_a_wrong_setting_is_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(BadSettings) as caught:
        SmppSettings.from_mapping(values)
    assert str(caught.value).startswith(message)


def test_every_setting_has_a_rule() -> None:
    """Texts are chosen from or measured, numbers lie between two others; these few are free."""
    free = {"host", "tls_ca_file", "tls_certificate_file", "tls_server_name", "error_reasons"}
    flags = {name for name, value in vars_of(SmppSettings()).items() if isinstance(value, bool)}
    assert set(vars_of(SmppSettings())) == {*CHOICES, *OCTETS, *RANGES, *POSITIVE, *flags, *free}


def vars_of(settings: SmppSettings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in settings.__dataclass_fields__}


def submit(**settings: Any) -> pdu.Pdu:
    message = OutboundMessage(1, "+905321112233", "PEYK", "Ağaç", "gsm7-tr-single", 1, settings.pop("seconds", 0))
    body = SubmitEncoder(SmppSettings.from_mapping(settings)).encode(message)
    assert isinstance(body, bytes)
    return pdu.decode(pdu.HEADER.pack(16 + len(body), pdu.SUBMIT_SM, 0, 1) + body)


@pytest.mark.parametrize(
    ("settings", "field", "value"),
    [
        ({"message_mode": "datagram"}, "esm_class", 0x41),
        ({"message_mode": "transaction"}, "esm_class", 0x42),
        ({"message_mode": "store"}, "esm_class", 0x43),
        ({"registered_delivery": 17}, "registered_delivery", 17),
        ({"registered_delivery": 0}, "registered_delivery", 0),
        ({"priority_flag": 3}, "priority_flag", 3),
        ({"protocol_id": 0x40}, "protocol_id", 0x40),
        ({"data_coding_turkish": 0xF1}, "data_coding", 0xF1),
        ({"service_type": "OTP"}, "service_type", b"OTP"),
        ({"source_ton_alpha": 0, "source_npi_alpha": 1}, "source_addr_npi", 1),
        ({"dest_ton": 2}, "dest_addr_ton", 2),
        ({"dest_npi": 8}, "dest_addr_npi", 8),
        ({"validity_seconds": 7200}, "validity_period", b"000000020000000R"),
        ({"validity_seconds": 7200, "validity_form": "none"}, "validity_period", b""),
        ({"seconds": 60, "validity_seconds": 7200}, "validity_period", b"000000000100000R"),
    ],
)
def test_what_a_setting_does_in_a_submit(settings: dict[str, Any], field: str, value: Any) -> None:
    assert submit(**settings).fields[field] == value


def test_absolute_validity_is_told_in_utc() -> None:
    assert format_expiry(3600, 1_800_000_000) == b"270115090000000+"
    assert format_expiry(0, 1_800_000_000) == b""
    before = time.time()
    told = submit(validity_form="absolute", seconds=3600).octets("validity_period")
    assert told in {format_expiry(3600, before + n) for n in range(5)}


def test_absolute_validity_is_made_anew_for_every_message(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = SubmitEncoder(SmppSettings(validity_form="absolute", validity_seconds=60))
    bodies = set()
    for now in (1_800_000_000, 1_800_000_060):
        monkeypatch.setattr("gateways.adapters.smpp.wire.time.time", lambda now=now: now)
        bodies.add(encoder.encode(OutboundMessage(1, "+905321112233", "PEYK", "a")))
    assert len(bodies) == 2


def test_what_a_bind_says() -> None:
    settings = SmppSettings(
        system_id="peyk",
        password="secret",
        system_type="VMA",
        interface_version="3.3",
        address_range="^90850",
        bind_ton=1,
        bind_npi=1,
        bind_mode="receiver",
    )
    assert pdu.decode(bind_request(settings, 7)) == pdu.Pdu(
        pdu.BIND_RECEIVER,
        sequence=7,
        fields={
            "system_id": b"peyk",
            "password": b"secret",
            "system_type": b"VMA",
            "interface_version": 0x33,
            "addr_ton": 1,
            "addr_npi": 1,
            "address_range": b"^90850",
        },
    )


@pytest.mark.parametrize(
    ("text", "encoding", "octets"),
    [
        ("Merhaba", "gsm7", "CDB21C1D16871B"),  # seven bits are left over: CR, not @
        ("10€", "gsm7", "31D8A60C"),
        ("Ağaç", "gsm7-tr-single", "03240101086ECEE1CD18"),
        ("Ağaç", "gsm7-tr-locking", "032501010832C260"),
        ("ş", "ucs2", "015F"),
    ],
)
def test_packed_septets_are_those_of_the_air(text: str, encoding: str, octets: str) -> None:
    [told] = encode_all(OutboundMessage(1, "+905321112233", "PEYK", text, encoding), outbound_alphabet="packed")
    assert told.octets("short_message").hex().upper() == octets


@pytest.mark.parametrize("name", [name for name, text in TEXTS.items() if text.encoding != "ucs2"])
def test_packed_texts_come_back(name: str) -> None:
    message = make_message(name)
    parts = []
    for told in encode_all(message, outbound_alphabet="packed"):
        octets, has_header = told.octets("short_message"), bool(told.number("esm_class") & 0x40)
        assert len(octets) <= 140
        # TP-UDL is not told in SMPP: as many septets as fit, less the padding.
        part = unpack_part(octets, len(octets) * 8 // 7, data_coding=0, has_header=has_header)
        parts.append(decode_part(part.short_message, 0, part.esm_class))
    assert join_parts(parts).replace("\r", "") == message.text.replace("\r", "")


@pytest.mark.parametrize("mode", CHOICES["long_mode"])
def test_latin1_for_centres_that_mean_it(mode: str) -> None:
    text = "Öğle arası değil: @ $ ñ [x] ".replace("ğ", "g").replace("ı", "i") * 10
    message = OutboundMessage(1, "+905321112233", "PEYK", text, "gsm7", segment(text).parts, 0, 7)
    told = encode_all(message, outbound_alphabet="latin1", data_coding_gsm7=3, long_mode=mode)
    assert {t.number("data_coding") for t in told} == {3}
    bodies = [t.text_octets[6 if mode == "udh8" else 7 if mode == "udh16" else 0 :] for t in told]
    assert b"".join(bodies).decode("latin-1") == text


def test_latin1_refuses_what_it_cannot_write() -> None:
    with pytest.raises(CannotEncode):
        encode_all(OutboundMessage(1, "+905321112233", "PEYK", "10 €"), outbound_alphabet="latin1")


def encode_all(message: OutboundMessage, **settings: Any) -> list[pdu.Pdu]:
    bodies = SubmitEncoder(SmppSettings.from_mapping(settings)).encode(message)
    whole = bodies if isinstance(bodies, tuple) else (bodies,)
    return [pdu.decode(pdu.HEADER.pack(16 + len(body), pdu.SUBMIT_SM, 0, 1) + body) for body in whole]


# -- receipts and messages from handsets, from the simulator -----------------------------------------------------


def receive(settings: dict[str, Any], **script: Any) -> tuple[Recorder, list[Any]]:
    """The outcome of five messages and their receipts as read with these settings."""

    async def scenario() -> tuple[Recorder, list[Any]]:
        listener = Recorder()
        async with running_centre(**script) as (_, port), bound_session(port, listener, **settings) as session:
            session.submit_many(messages(5))
            await until(lambda: len(listener.outcomes) == 5 and len(listener.raws) == 5)
        reader = EventReader(SmppSettings.from_mapping(settings))
        return listener, [reader.read(raw) for raw in listener.raws]

    result: tuple[Recorder, list[Any]] = run(scenario())
    return result


@pytest.mark.parametrize(
    ("settings", "script"),
    [
        ({"receipt_id_source": "text"}, {"receipt_parameter_id_format": "hex"}),
        ({"receipt_id_source": "parameter"}, {"receipt_id_format": "HEX", "receipt_parameter_id_format": "dec"}),
        ({"answer_id_base": "hex", "receipt_id_base": "dec"}, {"id_format": "HEX", "receipt_form": "text"}),
        ({"answer_id_base": "dec", "receipt_id_base": "hex"}, {"receipt_id_format": "hex", "receipt_form": "tlv"}),
        ({"receipt_mark": "text"}, {"receipts_marked": False, "receipt_form": "text"}),
        ({}, {"receipts_marked": False, "receipt_form": "both"}),
    ],
)
def test_quirks_of_receipts_find_their_message(settings: dict[str, Any], script: dict[str, Any]) -> None:
    listener, events = receive(settings, **script)
    assert all(isinstance(e, DeliveryEvent) and e.state is DeliveryState.DELIVERED for e in events)
    assert sorted(e.provider_message_id for e in events) == sorted(o.provider_message_id for o in listener.outcomes)


def test_an_unmarked_receipt_is_a_message_unless_the_setting_says_otherwise() -> None:
    _, events = receive({}, receipts_marked=False, receipt_form="text")
    assert all(isinstance(e, InboundMessage) for e in events)


def read_deliver(fields: dict[str, pdu.Value], **settings: Any) -> Any:
    raw = pdu.encode(pdu.Pdu(pdu.DELIVER_SM, fields={"source_addr": b"905321112233", **fields}))
    return EventReader(SmppSettings.from_mapping(settings)).read(raw)


@pytest.mark.parametrize("text", ["id: bende", "stat:DELIVRD id:5", "Merhaba id:7 stat:DELIVRD"])
def test_a_persons_text_is_no_receipt(text: str) -> None:
    event = read_deliver({"short_message": text.encode()}, receipt_mark="text")
    assert isinstance(event, InboundMessage) and event.text == text


@pytest.mark.parametrize(("alphabet", "text"), [("gsm7", "¡è$"), ("latin1", "@\x04\x02"), ("ascii", "@\x04\x02")])
def test_what_data_coding_0_means_inbound(alphabet: str, text: str) -> None:
    fields: dict[str, pdu.Value] = {"source_addr": b"905321112233", "short_message": b"\x40\x04\x02"}
    event = EventReader(SmppSettings(inbound_alphabet=alphabet)).read(
        pdu.encode(pdu.Pdu(pdu.DELIVER_SM, fields=fields))
    )
    assert isinstance(event, InboundMessage) and event.text == text


def test_a_national_table_is_read_whatever_data_coding_0_means() -> None:
    octets = bytes.fromhex("03240101") + b"\x41\x1b\x67\x61\x1b\x63"
    fields: dict[str, pdu.Value] = {"source_addr": b"90532", "esm_class": 0x40, "short_message": octets}
    event = EventReader(SmppSettings(inbound_alphabet="latin1")).read(
        pdu.encode(pdu.Pdu(pdu.DELIVER_SM, fields=fields))
    )
    assert isinstance(event, InboundMessage) and event.text == "Ağaç"


@pytest.mark.parametrize("mode", ["udh8", "udh16", "sar"])
@pytest.mark.parametrize("text", ["Uzun bir mesaj. " * 30, "Şikâyet: çağrı merkezi açmıyor 😀 " * 6])
def test_a_long_message_from_a_handset(mode: str, text: str) -> None:
    count = len(make_mo_bodies("90532", "4609", text, mode, 1))

    async def scenario() -> None:
        listener = Recorder()
        async with running_centre() as (centre, port), bound_session(port, listener):
            order = range(count, 0, -1)
            centre.send_mo(phone="+905321112233", recipient="4609", text=text, account="test", mode=mode, order=order)
            await until(lambda: len(listener.raws) == count)
        pieces = [EventReader(SmppSettings()).read(raw) for raw in listener.raws]
        assert [p.part for p in pieces] == list(range(count, 0, -1))
        assert len({(p.reference, p.parts) for p in pieces}) == 1 and pieces[0].parts == count > 1
        assert join_parts(p.piece for p in pieces) == text

    run(scenario())


def test_the_connection_test_names_what_is_wrong() -> None:
    async def scenario() -> None:
        gateway = SmppGateway.from_settings({"tls": True, "tls_ca_file": "/nowhere/ca.pem", "port": 1})
        result = await gateway.check()
        assert not result.ok and result.code.startswith("tls_ca_file")

    run(scenario())


def test_every_long_mode_is_whole_on_the_phone() -> None:
    text = "Uzun bir mesaj, şaşırtıcı değil. " * 12

    async def scenario(mode: str) -> None:
        listener = Recorder()
        async with running_centre() as (centre, port), bound_session(port, listener, long_mode=mode) as session:
            session.submit_many([OutboundMessage(1, "+905321112233", "PEYK", text, "ucs2", 6, 0, 9)])
            await until(lambda: len(listener.outcomes) == 1)
            assert [m["text"] for m in centre.phones.list_messages("905321112233")] == [text]
        assert listener.tokens(OutcomeKind.ACCEPTED) == [1]

    for mode in CHOICES["long_mode"]:
        run(scenario(mode))
