"""Peers that nobody here wrote, both ways: node-smpp, and smpp.twisted (the protocol inside the gateway Jasmin).

``./dev crosstest`` installs them; without them these tests are skipped. What a peer itself gets wrong is asserted as it
is, in the tests named ``…_fault``, so that a better version of it is noticed.
"""

import asyncio
import ssl
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gateways.adapters.smpp.gateway import SmppGateway
from gateways.simulator.centre import Centre
from gateways.simulator.connection import Connection
from gateways.simulator.script import Script
from gateways.types import DeliveryEvent, DeliveryState, InboundMessage, OutboundMessage, OutcomeKind, Reason
from smscore.parts import EncodedPart, encode_message, join_parts
from tests.gateways.certificates import make_certificate
from tests.gateways.foreign_peers import PEERS, foreign_centre, is_installed, read_part, run_foreign_client
from tests.gateways.peer_texts import NUMBER, TEXTS, make_message
from tests.gateways.wire_cases import Recorder, run_in_real_time, running_centre, until

pytestmark = pytest.mark.skipif(
    not all(is_installed(peer) for peer in PEERS), reason="foreign SMPP peers: ./dev crosstest installs them"
)

# How texts travel, how we are bound, how receipts look: each peer meets each way once.
WAYS = [
    ({"long_mode": "udh8"}, {"receipt_form": "both"}),
    ({"long_mode": "udh16", "bind_mode": "separate"}, {"receipt_form": "text"}),
    ({"long_mode": "sar"}, {"receipt_form": "tlv"}),
    (
        {"long_mode": "payload", "bind_mode": "separate", "answer_id_base": "hex", "receipt_id_base": "dec"},
        {"answer_ids": "hex"},
    ),
    ({"answer_id_base": "dec", "receipt_id_base": "hex", "message_mode": "store"}, {"receipt_ids": "hex"}),
]
WAY_NAMES = ["udh8", "udh16-tx-rx-text", "sar-tlv", "payload-tx-rx-hex-ids", "store-hex-receipts"]


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize(("settings", "options"), WAYS, ids=WAY_NAMES)
def test_every_text_to_a_foreign_centre(peer: str, settings: dict[str, Any], options: dict[str, Any]) -> None:
    """All texts over one link: whole at the centre, all parts answered, every receipt read and acknowledged."""
    wide = settings.get("long_mode") == "udh16"
    batch = [make_message(name, n, f"+90532000{n:03d}0", wide=wide) for n, name in enumerate(TEXTS, 1)]

    async def scenario() -> None:
        listener = Recorder()
        async with foreign_centre(peer, **options) as centre:
            gateway = make_gateway(centre.port, **settings)
            link = gateway.create_link(listener)
            await link.open()
            link.submit_many(batch)
            await until(lambda: len(listener.outcomes) == len(batch))
            expected = sum(len(o.part_ids) for o in listener.outcomes)
            await until(lambda: len(listener.raws) == len(centre.receipt_answers) == expected)
            await link.close()
            assert centre.binds == (["receiver", "transmitter"] if "bind_mode" in settings else ["transceiver"])
            assert centre.receipt_answers == [0] * expected and not centre.errors
        assert sorted(listener.tokens(OutcomeKind.ACCEPTED)) == [m.token for m in batch]
        check_texts(peer, batch, centre.submits)
        events = gateway.read_events(listener.raws)
        assert all(isinstance(e, DeliveryEvent) and e.state is DeliveryState.DELIVERED for e in events)
        assert sorted(e.provider_message_id for e in events) == sorted(i for o in listener.outcomes for i in o.part_ids)

    run_in_real_time(scenario())


def check_texts(peer: str, batch: list[Any], submits: list[dict[str, Any]]) -> None:
    for name, message in zip(TEXTS, batch, strict=True):
        seen = [s for s in submits if s["to"] == message.msisdn[1:]]
        assert join_parts(read_part(s) for s in seen) == message.text, name
        assert {(s["from"], s["from_ton"], s["to_ton"], s["to_npi"]) for s in seen} == {("PEYK", 5, 1, 1)}, name
        own = [s["text"] for s in seen]
        if all(text is not None for text in own):
            assert "".join(own) == message.text, f"{peer} reads {name} otherwise"


@pytest.mark.parametrize("peer", PEERS)
def test_refusals_throttles_and_failures_of_a_foreign_centre(peer: str) -> None:
    batch = [make_message("plain", n, f"+90532111220{n}") for n in (1, 7, 8, 9)]

    async def scenario() -> None:
        listener = Recorder()
        async with foreign_centre(peer) as centre:
            gateway = make_gateway(centre.port)
            link = gateway.create_link(listener)
            await link.open()
            link.submit_many(batch)
            await until(lambda: len(listener.outcomes) == 4 and len(listener.raws) == 2)
            await link.close()
        outcomes = {o.token: (o.kind, o.reason, o.code) for o in listener.outcomes}
        assert outcomes[8] == (OutcomeKind.DEFERRED, Reason.THROTTLED, "0x00000058")
        assert outcomes[9] == (OutcomeKind.REJECTED, Reason.BAD_ADDRESS, "0x0000000b")
        states = {e.msisdn: (e.state, e.reason) for e in gateway.read_events(listener.raws)}
        assert states == {
            "+905321112201": (DeliveryState.DELIVERED, Reason.NONE),
            "+905321112207": (DeliveryState.UNDELIVERED, Reason.UNKNOWN_SUBSCRIBER),
        }

    run_in_real_time(scenario())


@pytest.mark.parametrize("peer", PEERS)
def test_a_foreign_centre_refuses_the_password(peer: str) -> None:
    async def scenario() -> None:
        async with foreign_centre(peer) as centre:
            result = await make_gateway(centre.port, password="wrong").check()
            assert not result.ok and result.code == "0x0000000e"
            assert (await make_gateway(centre.port, bind_mode="separate").check()).ok

    run_in_real_time(scenario())


def has_raws(listener: Recorder, count: int) -> bool:
    return len(listener.raws) == count


def inbound_orders(parts: list[EncodedPart], mode: str) -> list[dict[str, Any]]:
    """Parts as orders to a peer: with their header, or with sar_* in its place (texts without national tables)."""
    orders = []
    for number, part in enumerate(parts, 1):
        octets, esm_class, sar = part.short_message, part.esm_class, None
        if mode == "sar" and len(parts) > 1:
            octets, esm_class, sar = octets[octets[0] + 1 :], 0, [777, len(parts), number]
        orders.append(
            {"octets": octets.hex(), "data_coding": part.data_coding, "esm_class": esm_class, "sar": sar},
        )
    return orders


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("mode", ["udh", "sar"])
def test_messages_from_handsets_through_a_foreign_centre(peer: str, mode: str) -> None:
    names = [n for n, t in TEXTS.items() if mode == "udh" or (t.parts > 1 and not t.encoding.startswith("gsm7-tr"))]

    async def scenario() -> None:
        listener = Recorder()
        async with foreign_centre(peer) as centre:
            gateway = make_gateway(centre.port)
            link = gateway.create_link(listener)
            await link.open()
            for name in names:
                text, encoding, _ = TEXTS[name]
                orders = inbound_orders(encode_message(text, encoding, reference=9), mode)
                listener.batches.clear()
                for order in reversed(orders):
                    centre.deliver(**{"from": NUMBER, "to": "4609", **order})
                await until(partial(has_raws, listener, len(orders)))
                events = gateway.read_events(listener.raws)
                assert all(isinstance(e, InboundMessage) for e in events), name
                assert {(e.msisdn, e.recipient) for e in events} == {(f"+{NUMBER}", "4609")}
                whole = join_parts(e.piece for e in events) if len(events) > 1 else events[0].text
                assert whole == text, name
            await until(lambda: len(centre.inbound_answers) >= len(names))
            await link.close()
        assert set(centre.inbound_answers) == {0} and not centre.errors

    run_in_real_time(scenario())


# -- foreign clients against our simulator -------------------------------------------------------------------


# smpp.pdu cannot write message_payload: test_twisted_cannot_write_payload_fault.
CLIENT_WAYS = [("node", "udh"), ("node", "sar"), ("node", "payload"), ("twisted", "udh"), ("twisted", "sar")]


@pytest.mark.parametrize(("peer", "way"), CLIENT_WAYS)
@pytest.mark.parametrize("mode", ["transceiver", "separate"])
def test_a_foreign_client_sends_every_text(peer: str, mode: str, way: str) -> None:
    names = [n for n, t in TEXTS.items() if way == "udh" or (t.parts > 1 and not t.encoding.startswith("gsm7-tr"))]
    orders: list[dict[str, Any]] = []
    for n, name in enumerate(names):
        text, encoding, _ = TEXTS[name]
        parts = inbound_orders(encode_message(text, encoding, reference=n), way)
        if way == "payload":
            bodies = [bytes.fromhex(p["octets"])[6:].hex() for p in parts]
            parts = [{"octets": "".join(bodies), "data_coding": parts[0]["data_coding"], "payload": True}]
        orders += [{"from": "PEYK", "to": f"90532111{n:04d}", **part} for part in parts]

    async def scenario() -> None:
        async with running_centre(receipt_form="both") as (centre, port):
            told = await run_foreign_client(peer, port=port, mode=mode, messages=orders, receipts=len(orders))
            assert told["binds"] == [0, 0] if mode == "separate" else [0]
            assert [a["status"] for a in told["answers"]] == [0] * len(orders)
            assert sorted(r["receipt_id"] for r in told["receipts"]) == sorted(a["id"] for a in told["answers"])
            assert {r["state"] for r in told["receipts"]} == {2}
            assert centre.get_figures()["receipts_acknowledged"] == len(orders)
            for n, name in enumerate(names):
                (shown,) = centre.phones.list_messages(f"90532111{n:04d}")
                assert shown["text"] == TEXTS[name].text, name

    run_in_real_time(scenario())


@pytest.mark.parametrize("peer", PEERS)
def test_eight_bit_data_is_kept_octet_for_octet(peer: str) -> None:
    """Data coding 4: every value of an octet, in two parts, and all at once in message_payload."""
    every = bytes(range(256))
    ways = [
        {"octets": (b"\x05\x00\x03\x2a\x02\x01" + every[:128]).hex(), "esm_class": 0x40},
        {"octets": (b"\x05\x00\x03\x2a\x02\x02" + every[128:]).hex(), "esm_class": 0x40},
        {"octets": (every * 4).hex(), "payload": True},
    ]
    if peer == "twisted":
        del ways[2]  # test_twisted_cannot_write_payload_fault
    orders = [{"from": "PEYK", "to": f"90532111000{n // 2}", "data_coding": 4, **way} for n, way in enumerate(ways)]
    meant = {"905321110000": every, "905321110001": every * 4}

    async def scenario() -> None:
        async with running_centre() as (centre, port):
            told = await run_foreign_client(peer, port=port, messages=orders, receipts=len(orders))
            assert [a["status"] for a in told["answers"]] == [0] * len(orders)
            for number in {order["to"] for order in orders}:
                assert [m["text"].encode("latin-1") for m in centre.phones.list_messages(number)] == [meant[number]]

    run_in_real_time(scenario())


@pytest.mark.parametrize("peer", PEERS)
def test_a_foreign_client_hears_refusals_and_failures(peer: str) -> None:
    orders = [{"from": "PEYK", "to": f"90532111000{n}", "octets": "4D", "data_coding": 0} for n in (1, 3, 7)]

    async def scenario() -> None:
        script = {"refusals": [{"pattern": "3$", "status": 0x0B}], "failures": [{"ending": "7"}]}
        async with running_centre(**script, id_format="hex", receipt_id_format="HEX") as (_, port):
            told = await run_foreign_client(peer, port=port, messages=orders, receipts=2)
        answers = [a["status"] for a in told["answers"]]
        assert answers[0] == answers[2] == 0 and answers[1] != 0
        assert {r["from"]: r["state"] for r in told["receipts"]} == {"905321110001": 2, "905321110007": 5}
        assert all(r["receipt_id"].isupper() or r["receipt_id"].isdigit() for r in told["receipts"])

    run_in_real_time(scenario())


@pytest.mark.parametrize("peer", PEERS)
def test_a_foreign_client_hears_from_handsets(peer: str) -> None:
    name = "long-turkish"
    orders = [{"from": "PEYK", "to": NUMBER, "octets": "4D", "data_coding": 0}]

    async def scenario() -> None:
        async with running_centre() as (centre, port):
            job = {"port": port, "messages": orders, "receipts": 1, "inbound": TEXTS[name].parts}
            running = asyncio.create_task(run_foreign_client(peer, **job))
            await until(lambda: centre.counts["receipts_acknowledged"] == 1)
            centre.send_mo(phone=NUMBER, recipient="4609", text=TEXTS[name].text)
            told = await running
        assert join_parts(read_part(m) for m in told["inbound"]) == TEXTS[name].text

    run_in_real_time(scenario())


# -- TLS: smpp.twisted's server has none of its own ---------------------------------------------------------


def test_tls_to_a_foreign_centre(tmp_path: Path) -> None:
    pem = str(make_certificate(tmp_path))

    async def scenario() -> None:
        listener = Recorder()
        async with foreign_centre("node", key=pem, cert=pem) as centre:
            link = make_gateway(centre.port, tls=True, tls_ca_file=pem).create_link(listener)
            await link.open()
            link.submit_many([make_message("long-turkish")])
            await until(lambda: len(listener.raws) == 3)
            await link.close()
        assert listener.tokens(OutcomeKind.ACCEPTED) == [1]

    run_in_real_time(scenario())


def test_tls_from_a_foreign_client(tmp_path: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(make_certificate(tmp_path))
    orders = inbound_orders(encode_message(*TEXTS["long-turkish"][:2], reference=3), "udh")

    async def scenario() -> None:
        centre = Centre(Script())
        server = await asyncio.get_running_loop().create_server(lambda: Connection(centre), "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        messages = [{"from": "PEYK", "to": NUMBER, **order} for order in orders]
        try:
            told = await run_foreign_client("node", port=port, tls=True, messages=messages, receipts=3)
        finally:
            server.close()
            await centre.stop()
        assert [a["status"] for a in told["answers"]] == [0, 0, 0]
        assert [m["text"] for m in centre.phones.list_messages(NUMBER)] == [TEXTS["long-turkish"].text]

    run_in_real_time(scenario())


# -- faults of the peers' own, as they are -------------------------------------------------------------------


def test_node_marks_gsm_as_ascii_fault() -> None:
    """Left to choose, it writes GSM 03.38 under data_coding 1 (IA5): what stands behind ESC there is not read."""
    texts = ["Merhaba", "Merhaba {}", "Привет 😀 ₺"]
    orders = [{"from": "PEYK", "to": f"90532111000{n}", "text": text} for n, text in enumerate(texts)]

    async def scenario() -> None:
        async with running_centre() as (centre, port):
            await run_foreign_client("node", port=port, messages=orders, receipts=len(texts))
            shown = [centre.phones.list_messages(o["to"])[0] for o in orders]
        assert [m["text"] for m in shown] == ["Merhaba", "Merhaba \x1b(\x1b)", "Привет 😀 ₺"]
        assert [m["data_coding"] for m in shown] == [1, 1, 8]

    run_in_real_time(scenario())


def test_node_reads_single_shift_as_locking_fault() -> None:
    """It knows one Turkish table for both: è ì Ø ø Æ æ ¡ ¿ beside a Turkish letter are read as the locking table's."""
    message = OutboundMessage(1, f"+{NUMBER}", "PEYK", "è ş", "gsm7-tr-single")

    async def scenario() -> None:
        listener = Recorder()
        async with foreign_centre("node") as centre:
            link = make_gateway(centre.port).create_link(listener)
            await link.open()
            link.submit_many([message])
            await until(lambda: bool(listener.raws))
            await link.close()
        assert [s["text"] for s in centre.submits] == ["€ ş"]
        assert [read_part(s).text for s in centre.submits] == ["è ş"]

    run_in_real_time(scenario())


def test_twisted_cannot_write_payload_fault() -> None:
    """smpp.pdu reads message_payload of any length and writes it of none."""
    order = {"from": "PEYK", "to": NUMBER, "octets": "4D4D", "data_coding": 0, "payload": True}

    async def scenario() -> None:
        async with running_centre() as (centre, port):
            told = await run_foreign_client("twisted", port=port, messages=[order])
            assert "does not match expected" in told["answers"][0]["status"]
            assert centre.get_figures()["submits"] == 0

    run_in_real_time(scenario())


def make_gateway(port: int, **settings: Any) -> SmppGateway:
    values = {"port": port, "system_id": "peyk", "password": "secret", "tps": 0, "window_size": 20, **settings}
    return SmppGateway.from_settings(values)
