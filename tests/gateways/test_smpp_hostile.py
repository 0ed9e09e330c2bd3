"""Centres that bend the rules: each case was met with a foreign peer, or is one octet away from what one does."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from gateways.adapters.smpp import pdu
from gateways.adapters.smpp.receipts import EventReader
from gateways.adapters.smpp.settings import SmppSettings
from gateways.base import NotSent
from gateways.types import OutcomeKind, Reason
from tests.gateways.wire_cases import Recorder, bound_session, messages, run, until

Answers = Callable[[pdu.Pdu], list[bytes]]
BINDS = (pdu.BIND_TRANSCEIVER, pdu.BIND_TRANSMITTER, pdu.BIND_RECEIVER)


def deliver(sequence: int, text: bytes = b"id:7 stat:DELIVRD", **fields: pdu.Value) -> bytes:
    values: dict[str, pdu.Value] = {"source_addr": b"905321112233", "esm_class": 4, "short_message": text, **fields}
    return pdu.encode(pdu.Pdu(pdu.DELIVER_SM, 0, sequence, values))


def proper(request: pdu.Pdu) -> list[bytes]:
    """What an honest centre answers."""
    if request.command in BINDS:
        return [pdu.response(request.command, 0, request.sequence, b"C\x00")]
    if request.command == pdu.SUBMIT_SM:
        return [pdu.response(pdu.SUBMIT_SM, 0, request.sequence, b"7\x00")]
    return [pdu.response(request.command, 0, request.sequence)] if not request.command & pdu.RESPONSE else []


@asynccontextmanager
async def centre(answers: Answers) -> AsyncIterator[tuple[list[pdu.Pdu], int]]:
    """A centre that answers each PDU with whatever `answers` makes; yields what it heard and its port."""
    heard: list[pdu.Pdu] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readexactly(4)
                request = pdu.decode(head + await reader.readexactly(int.from_bytes(head, "big") - 4))
                heard.append(request)
                writer.write(b"".join(answers(request)))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield heard, server.sockets[0].getsockname()[1]
    finally:
        server.close()


def submit_one(answers: Answers, **settings: object) -> tuple[Recorder, list[pdu.Pdu]]:
    async def scenario() -> tuple[Recorder, list[pdu.Pdu]]:
        listener = Recorder()
        async with centre(answers) as (heard, port), bound_session(port, listener, **settings) as session:
            session.submit_many(messages(1))
            await until(lambda: bool(listener.outcomes))
            await asyncio.sleep(0.05)
        return listener, heard

    result: tuple[Recorder, list[pdu.Pdu]] = run(scenario())
    return result


def answering(command: int, *replies: Callable[[int], bytes]) -> Answers:
    """Honest, but for one kind of request, answered with these (made from its sequence number)."""

    def answers(request: pdu.Pdu) -> list[bytes]:
        if request.command != command:
            return proper(request)
        return [reply(request.sequence) for reply in replies]

    return answers


@pytest.mark.parametrize(
    ("body", "identity"),
    [
        (b"", ""),
        (b"\x00", ""),
        (b"abc", "abc"),
        (b"abc \x00", "abc"),
        (b" 7\x00", "7"),
        (b"abc\x00" + pdu.encode_tlv(0x0425, b"\x01"), "abc"),
        (b"a\x01b\x00", "ab"),
        (b"\xfc7\x00", "ü7"),
    ],
)
def test_ids_of_every_shape(body: bytes, identity: str) -> None:
    listener, _ = submit_one(answering(pdu.SUBMIT_SM, lambda n: pdu.response(pdu.SUBMIT_SM, 0, n, body)))
    assert [(o.kind, o.provider_message_id) for o in listener.outcomes] == [(OutcomeKind.ACCEPTED, identity)]


@pytest.mark.parametrize("identity", [b"abc ", b"a\x01b", b"\xfc7", b"A-7_x"])
def test_an_id_reads_alike_in_answer_and_receipt(identity: bytes) -> None:
    listener, _ = submit_one(answering(pdu.SUBMIT_SM, lambda n: pdu.response(pdu.SUBMIT_SM, 0, n, identity + b"\x00")))
    raw = pdu.encode(pdu.Pdu(pdu.DELIVER_SM, fields={"esm_class": 4}, tlvs={0x1E: identity + b"\x00", 0x427: b"\x02"}))
    event = EventReader(SmppSettings()).read(raw)
    assert [o.provider_message_id for o in listener.outcomes] == [event.provider_message_id]


def test_receipts_before_the_answer_to_the_bind_are_kept_and_acknowledged() -> None:
    """They may wait at the centre since our last life, and its answer may leave after them."""

    def early(sequence: int) -> bytes:
        return deliver(5) + pdu.response(pdu.BIND_TRANSCEIVER, 0, sequence, b"C\x00")

    listener, heard = submit_one(answering(pdu.BIND_TRANSCEIVER, early))
    assert listener.raws == [deliver(5)]
    assert [p.sequence for p in heard if p.command == pdu.DELIVER_SM_RESP] == [5]


@pytest.mark.parametrize("sequence", [0, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_any_sequence_number_is_given_back(sequence: int) -> None:
    def reply(number: int) -> bytes:
        return deliver(sequence) + pdu.response(pdu.SUBMIT_SM, 0, number, b"7\x00")

    _, heard = submit_one(answering(pdu.SUBMIT_SM, reply))
    assert [(p.status, p.sequence) for p in heard if p.command == pdu.DELIVER_SM_RESP] == [(0, sequence)]


@pytest.mark.parametrize("kind", [pdu.BIND_TRANSCEIVER, pdu.BIND_RECEIVER, pdu.BIND_TRANSMITTER])
def test_a_bind_answered_as_another_or_without_a_body(kind: int) -> None:
    listener, _ = submit_one(
        answering(pdu.BIND_TRANSMITTER, lambda n: pdu.response(kind, 0, n)), bind_mode="transmitter"
    )
    assert listener.tokens(OutcomeKind.ACCEPTED) == [0]


def test_an_answer_given_twice_is_one_outcome() -> None:
    answer = [lambda n: pdu.response(pdu.SUBMIT_SM, 0, n, b"7\x00"), lambda n: pdu.response(pdu.SUBMIT_SM, 0x58, n)]
    listener, _ = submit_one(answering(pdu.SUBMIT_SM, *answer))
    assert [o.kind for o in listener.outcomes] == [OutcomeKind.ACCEPTED]


def test_nacks_and_answers_to_nothing_move_nothing() -> None:
    stray = [pdu.HEADER.pack(16, pdu.GENERIC_NACK, 3, 0), pdu.response(pdu.SUBMIT_SM, 0, 999, b"9\x00")]

    def reply(number: int) -> bytes:
        return b"".join([*stray, pdu.response(pdu.SUBMIT_SM, 0, number, b"7\x00")])

    listener, _ = submit_one(answering(pdu.SUBMIT_SM, reply))
    assert [(o.token, o.provider_message_id) for o in listener.outcomes] == [(0, "7")]


def test_what_has_no_answer_gets_none() -> None:
    """alert_notification and outbind: the specification has no response, and one cost a link elsewhere."""
    alert: dict[str, pdu.Value] = {"source_addr": b"905321112233", "esme_addr": b"4609"}
    told = pdu.encode(pdu.Pdu(pdu.ALERT_NOTIFICATION, 0, 8, alert)) + pdu.encode(pdu.Pdu(pdu.OUTBIND, 0, 9))

    def reply(number: int) -> bytes:
        return told + pdu.encode(pdu.Pdu(pdu.QUERY_SM, 0, 10)) + pdu.response(pdu.SUBMIT_SM, 0, number, b"7\x00")

    listener, heard = submit_one(answering(pdu.SUBMIT_SM, reply))
    assert [(p.status, p.sequence) for p in heard if p.command == pdu.GENERIC_NACK] == [(3, 10)]
    assert listener.tokens(OutcomeKind.ACCEPTED) == [0]


@pytest.mark.parametrize(
    "reply",
    [
        lambda n: pdu.HEADER.pack(16, pdu.UNBIND, 0, 1),
        lambda n: pdu.HEADER.pack(16, pdu.GENERIC_NACK, 3, n),
        lambda n: b"\x00" * 16,
        lambda n: b"HTTP/1.1 400 Bad Request\r\n\r\n",
    ],
    ids=["unbind", "nack", "zeros", "http"],
)
def test_a_bind_that_is_not_answered_as_one_ends_in_time(reply: Callable[[int], bytes]) -> None:
    async def scenario() -> None:
        async with centre(answering(pdu.BIND_TRANSCEIVER, reply)) as (_, port):
            with pytest.raises(NotSent):
                async with bound_session(port, Recorder(), bind_timeout=0.5):
                    pass

    run(scenario(), 5.0)


def test_receipts_are_acknowledged_before_the_unbind() -> None:
    async def scenario() -> None:
        answers = answering(pdu.SUBMIT_SM, lambda n: deliver(5) + pdu.response(pdu.SUBMIT_SM, 0, n))
        async with centre(answers) as (heard, port):
            listener = Recorder(stores=False)
            async with bound_session(port, listener) as session:
                session.submit_many(messages(1))
                await until(lambda: bool(listener.batches))
                closing = asyncio.create_task(session.close(grace_seconds=5.0))
                await asyncio.sleep(0.05)
                listener.batches[0].stored()
                await closing
        assert [p.command for p in heard[-2:]] == [pdu.DELIVER_SM_RESP, pdu.UNBIND]

    run(scenario())


@pytest.mark.parametrize("closes", [False, True], ids=["left alone", "closed by us"])
def test_nothing_is_written_behind_the_unbind_of_the_centre(closes: bool) -> None:
    """Of three long messages the first is begun when the centre goes: nobody may repeat its part. The others never
    left."""

    async def scenario() -> None:
        going = pdu.HEADER.pack(16, pdu.UNBIND, 0, 90) + pdu.HEADER.pack(16, pdu.ENQUIRE_LINK, 0, 91)
        answers = answering(pdu.SUBMIT_SM, lambda n: going + deliver(5) + pdu.response(pdu.SUBMIT_SM, 0, n, b"7\x00"))
        async with centre(answers) as (heard, port):
            listener = Recorder()
            async with bound_session(port, listener, window_size=1) as session:
                session.submit_many(messages(3, text="a" * 200, parts=2))
                if closes:
                    await until(lambda: any(p.command == pdu.UNBIND_RESP for p in heard))
                    await session.close(grace_seconds=5.0)
                await session.wait_closed()
        assert [p.command for p in heard[1:]] == [pdu.SUBMIT_SM, pdu.UNBIND_RESP]
        assert [(o.kind, o.reason) for o in sorted(listener.outcomes)] == [
            (OutcomeKind.UNKNOWN, Reason.PARTIAL),
            (OutcomeKind.NOT_SENT, Reason.LINK_LOST),
            (OutcomeKind.NOT_SENT, Reason.LINK_LOST),
        ]

    run(scenario(), 10.0)
