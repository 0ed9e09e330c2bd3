"""Strangers on the other end: two foreign clients against our simulator, a foreign centre against our client.

``smpplib`` (blocking Python) and ``smpp34`` (Rust) share no code with us or with each other.
"""

import asyncio
import socket
import threading
from typing import Any

import pytest
import smpp34
import smpplib.client
import smpplib.consts
import smpplib.gsm

from gateways.adapters.smpp import pdu
from gateways.adapters.smpp.gateway import SmppGateway
from gateways.adapters.smpp.receipts import EventReader
from gateways.adapters.smpp.settings import SmppSettings
from gateways.types import DeliveryEvent, DeliveryState, InboundMessage, OutboundMessage, OutcomeKind, Reason
from smscore.parts import DecodedPart, decode_part, encode_message, join_parts
from tests.gateways.peer_texts import NUMBER, TEXTS, make_message
from tests.gateways.wire_cases import Recorder, bound_session, run_in_real_time, running_centre, until

# -- smpplib against our simulator ---------------------------------------------------------------------------


class SmpplibPeer:
    """smpplib in a thread: binds, sends parts, collects answers and receipts."""

    def __init__(self, port: int) -> None:
        self.answers: list[tuple[int, str]] = []
        self.receipts: list[Any] = []
        self.client = smpplib.client.Client("127.0.0.1", port, timeout=5, allow_unknown_opt_params=True)
        self.client.set_message_sent_handler(self._answered)
        self.client.set_error_pdu_handler(lambda pdu: None)
        self.client.set_message_received_handler(self._received)

    def _answered(self, pdu: Any, **_: Any) -> None:
        identity = pdu.message_id.decode() if getattr(pdu, "message_id", None) else ""
        self.answers.append((pdu.status, identity))

    def _received(self, pdu: Any, **_: Any) -> int:
        self.receipts.append(pdu)
        return 0

    def send(self, parts: list[tuple[bytes, int, int]], receipts: int) -> None:
        client = self.client
        client.connect()
        client.bind_transceiver(system_id="smpplib", password="secret")
        for short_message, data_coding, esm_class in parts:
            client.send_message(
                source_addr_ton=smpplib.consts.SMPP_TON_ALNUM,
                source_addr="PEYK",
                dest_addr_ton=smpplib.consts.SMPP_TON_INTL,
                destination_addr=NUMBER,
                short_message=short_message,
                data_coding=data_coding,
                esm_class=esm_class,
                registered_delivery=True,
            )
        while len(self.receipts) < receipts or len(self.answers) < len(parts):
            client.read_once()
        client.unbind()
        client.disconnect()


def run_smpplib(parts: list[tuple[bytes, int, int]], receipts: int, **script: Any) -> tuple[SmpplibPeer, list[Any]]:
    async def scenario() -> tuple[SmpplibPeer, list[Any]]:
        async with running_centre(**script) as (centre, port):
            peer = SmpplibPeer(port)
            thread = threading.Thread(target=peer.send, args=(parts, receipts), daemon=True)
            thread.start()
            await until(lambda: not thread.is_alive())
            return peer, centre.phones.list_messages(NUMBER)

    result: tuple[SmpplibPeer, list[Any]] = run_in_real_time(scenario())
    return result


@pytest.mark.parametrize("name", TEXTS)
def test_smpplib_sends_and_gets_receipts(name: str) -> None:
    parts = [tuple(part) for part in encode_message(*TEXTS[name][:2], reference=7)]
    peer, shown = run_smpplib(parts, len(parts))
    assert [m["text"] for m in shown] == [TEXTS[name].text]
    assert [status for status, _ in peer.answers] == [0] * len(parts)
    assert {r.receipted_message_id.rstrip(b"\0").decode() for r in peer.receipts} == {i for _, i in peer.answers}
    assert all(r.message_state == 2 for r in peer.receipts)


@pytest.mark.parametrize("text", ["x" * 201 + "{}" * 60, "ж" * 66 + "😀" * 40], ids=["escapes", "surrogates"])
def test_smpplib_own_splitting_cuts_pairs_fault(text: str) -> None:
    """Parts cut by a stranger's rules, in the middle of a character: joined from octets they are read right."""
    pieces, coding, esm_class = smpplib.gsm.make_parts(text)
    assert any(decode_part(piece, coding, esm_class).text[-1] in " \ufffd" for piece in pieces), "no pair is cut"
    _, shown = run_smpplib([(piece, coding, esm_class) for piece in pieces], len(pieces))
    assert [m["text"] for m in shown] == [text]


def test_smpplib_eight_bit_data_is_kept_octet_for_octet() -> None:
    every = bytes(range(256))
    parts = [(b"\x05\x00\x03\x2a\x02" + bytes((n,)) + every[128 * (n - 1) : 128 * n], 4, 0x40) for n in (1, 2)]
    _, shown = run_smpplib(parts, 2)
    assert [m["text"].encode("latin-1") for m in shown] == [every]


def test_smpplib_understands_a_refusal() -> None:
    peer, _ = run_smpplib([(b"a", 0, 0)], 0, refusals=[{"pattern": "33$", "status": 0x0B}])
    assert peer.answers == [(0x0B, "")]


# -- smpp34 as a client against our simulator ----------------------------------------------------------------


@pytest.mark.parametrize("name", TEXTS)
def test_smpp34_client_sends_and_gets_receipts(name: str) -> None:
    parts = encode_message(*TEXTS[name][:2], reference=9)

    async def scenario() -> None:
        async with running_centre() as (centre, port):
            client = smpp34.Client("127.0.0.1", port, "smpp34", "secret", bind_type="TRX")
            smsc = await client.connect()
            ids = []
            for part in parts:
                answer = await smsc.submit_sm(
                    NUMBER,
                    part.short_message,
                    source_addr="PEYK",
                    source_addr_ton=5,
                    dest_addr_ton=1,
                    dest_addr_npi=1,
                    esm_class=part.esm_class,
                    data_coding=part.data_coding,
                    registered_delivery=1,
                )
                assert answer.is_success
                ids.append(answer.message_id)
            receipts = [await smsc.next() for _ in parts]
            assert all(isinstance(r, smpp34.DeliverSmEvent) and r.esm_class == 4 for r in receipts)
            named = [t.as_string() for r in receipts for t in r.tlvs if t.tag == smpp34.TLV_RECEIPTED_MESSAGE_ID]
            assert sorted(named) == sorted(ids)
            assert [m["text"] for m in centre.phones.list_messages(NUMBER)] == [TEXTS[name].text]
            await until(lambda: centre.get_figures()["receipts_acknowledged"] == len(parts))
            await smsc.unbind()
            await client.stop()

    run_in_real_time(scenario())


# -- our client against smpp34's message centre --------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ForeignCentre:
    """smpp34's server: takes everything but numbers ending in 9, sends a receipt for what it took to who receives."""

    def __init__(self, receipt_form: str = "text") -> None:
        self.port = free_port()
        self.submits: list[Any] = []
        self.links: dict[str, Any] = {}
        self.unacknowledged: list[str] = []
        self._form = receipt_form
        self._server = smpp34.Server(host="127.0.0.1", port=self.port, system_id="THEM")
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "ForeignCentre":
        await self._server.start()
        self._task = asyncio.create_task(self._serve())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._server.stop()

    async def _serve(self) -> None:
        waiting = set()
        while True:
            event = await self._server.next()
            if isinstance(event, smpp34.Esme):
                self.links[event.session_id] = event
            elif isinstance(event, smpp34.SubmitSmEvent):
                self.submits.append(event)
                if event.destination_addr.endswith("9"):
                    event.reject(smpp34.ESME_RINVDSTADR)
                    continue
                identity = f"them-{len(self.submits)}"
                event.accept(message_id=identity)
                receipt = asyncio.create_task(self._send_receipt(event, identity))
                waiting.add(receipt)
                receipt.add_done_callback(waiting.discard)

    async def _send_receipt(self, submit: Any, identity: str) -> None:
        text, tlvs = b"", []
        if self._form != "tlv":
            text = f"id:{identity} sub:001 dlvrd:001 submit date:2611221200 done date:2611221200 stat:DELIVRD err:000"
            text = text.encode()
        if self._form != "text":
            values = {smpp34.TLV_RECEIPTED_MESSAGE_ID: identity.encode() + b"\0", smpp34.TLV_MESSAGE_STATE: b"\2"}
            tlvs = [smpp34.Tlv(tag, value) for tag, value in values.items()]
        try:
            await self.receiver.deliver_sm(
                source_addr=submit.destination_addr,
                source_addr_ton=1,
                destination_addr=submit.source_addr,
                esm_class=4,
                short_message=text,
                tlvs=tlvs,
            )
        except smpp34.SmppError:
            self.unacknowledged.append(identity)

    @property
    def hears_of_a_receiver(self) -> bool:
        return any(link.can_receive for link in self.links.values())

    @property
    def receiver(self) -> Any:
        return next(link for link in self.links.values() if link.can_receive)


WAYS = [
    ({"long_mode": "udh8"}, "text"),
    ({"long_mode": "udh16", "bind_mode": "separate"}, "tlv"),
    ({"long_mode": "sar", "message_mode": "store"}, "both"),
    ({"long_mode": "payload", "bind_mode": "separate"}, "text"),
]


@pytest.mark.parametrize(("settings", "receipt_form"), WAYS, ids=["udh8", "udh16-tx-rx", "sar-store", "payload-tx-rx"])
def test_our_client_against_smpp34_centre(settings: dict[str, str], receipt_form: str) -> None:
    wide = settings["long_mode"] == "udh16"
    batch = [make_message(name, n, f"+90532000{n:03d}0", wide=wide) for n, name in enumerate(TEXTS, 1)]
    refused = make_message("long-turkish", 99, "+905321112239")

    async def scenario() -> None:
        listener = Recorder()
        async with ForeignCentre(receipt_form) as centre:
            values = {"port": centre.port, "system_id": "us", "password": "secret", "tps": 0, "window_size": 50}
            gateway = SmppGateway.from_settings({**values, **settings})
            link = gateway.create_link(listener)
            await link.open()
            await until(lambda: centre.hears_of_a_receiver)  # it tells of a bind a moment after it has answered it
            link.submit_many([*batch, refused])
            await until(lambda: len(listener.outcomes) == len(batch) + 1)
            ids = {i for o in listener.outcomes if o.kind is OutcomeKind.ACCEPTED for i in o.part_ids}
            await until(lambda: len(listener.raws) == len(ids))
            await link.close()
            # Of a receiver's: see test_smpp34_centre_nacks_a_receivers_answers_fault.
            assert not centre.unacknowledged or "bind_mode" in settings
        by_token = {o.token: o for o in listener.outcomes}
        assert (by_token[99].kind, by_token[99].reason) == (OutcomeKind.REJECTED, Reason.BAD_ADDRESS)
        for message in batch:
            assert by_token[message.token].kind is OutcomeKind.ACCEPTED
            seen = [read_smpp34(s) for s in centre.submits if s.destination_addr == message.msisdn[1:]]
            assert join_parts(seen) == message.text
        events = gateway.read_events(listener.raws)
        assert all(isinstance(e, DeliveryEvent) and e.state is DeliveryState.DELIVERED for e in events)
        assert {e.provider_message_id for e in events} == ids

    run_in_real_time(scenario())


def read_smpp34(submit: Any) -> DecodedPart:
    """A part as smpp34's server saw it, wherever its text and its number travelled."""
    tlvs = {t.tag: bytes(t.value) for t in submit.tlvs}
    octets = bytes(submit.short_message) or tlvs.get(pdu.TLV_MESSAGE_PAYLOAD, b"")
    part = decode_part(octets, submit.data_coding, submit.esm_class)
    if pdu.TLV_SAR_SEQUENCE in tlvs:
        sequence, total = tlvs[pdu.TLV_SAR_SEQUENCE][0], tlvs[pdu.TLV_SAR_TOTAL][0]
        part = part._replace(header=part.header._replace(sequence=sequence, total=total))
    return part


def test_smpp34_centre_nacks_a_receivers_answers_fault() -> None:
    """Its server takes deliver_sm_resp from a transceiver, and none from a receiver: the receipt is heard all the
    same, and counts as lost over there."""

    async def scenario() -> None:
        listener = Recorder()
        async with ForeignCentre() as centre:
            async with bound_session(centre.port, listener, bind_mode="receiver") as session:
                await until(lambda: centre.hears_of_a_receiver)
                sending = centre.receiver.deliver_sm(source_addr=NUMBER, destination_addr="4609")
                await until(lambda: len(listener.raws) == 1)
                await session.close()
            with pytest.raises(smpp34.SmppError):
                await sending

    run_in_real_time(scenario())


@pytest.mark.parametrize("name", TEXTS)
def test_messages_from_handsets_through_smpp34_centre(name: str) -> None:
    parts = encode_message(*TEXTS[name][:2], reference=7)

    async def scenario() -> None:
        listener = Recorder()
        async with ForeignCentre() as centre, bound_session(centre.port, listener):
            await until(lambda: bool(centre.links))
            for part in reversed(parts):
                await centre.receiver.deliver_sm(
                    source_addr=NUMBER,
                    source_addr_ton=1,
                    destination_addr="4609",
                    esm_class=part.esm_class,
                    data_coding=part.data_coding,
                    short_message=part.short_message,
                )
            await until(lambda: len(listener.raws) == len(parts))
        events = [EventReader(SmppSettings()).read(raw) for raw in listener.raws]
        assert all(isinstance(e, InboundMessage) and e.msisdn == f"+{NUMBER}" for e in events)
        text = join_parts(e.piece for e in events) if len(events) > 1 else events[0].text
        assert text == TEXTS[name].text

    run_in_real_time(scenario())


def test_our_client_sends_many_to_smpp34_centre() -> None:
    async def scenario() -> None:
        listener = Recorder()
        batch = [OutboundMessage(n, f"+90532{n:06d}0", "PEYK", f"Merhaba {n}") for n in range(2000)]
        async with ForeignCentre() as centre:
            async with bound_session(centre.port, listener, window_size=10) as session:
                session.submit_many(batch)
                await until(lambda: len(listener.outcomes) == 2000 and len(listener.raws) == 2000, 15.0)
            assert len(centre.submits) == 2000
        assert sorted(listener.tokens(OutcomeKind.ACCEPTED)) == list(range(2000))

    run_in_real_time(scenario())
