"""Our client against our message centre, over TCP on 127.0.0.1."""

import asyncio
import itertools

import pytest

from gateways.adapters.smpp import pdu
from gateways.adapters.smpp.receipts import EventReader
from gateways.adapters.smpp.settings import SmppSettings
from gateways.base import LinkState, LoginRefused, NotSent
from gateways.types import DeliveryState, OutboundMessage, OutcomeKind, Reason
from tests.gateways.wire_cases import Recorder, bound_session, messages, run, running_centre, until


def test_every_message_gets_one_outcome_and_one_receipt() -> None:
    async def scenario() -> None:
        listener = Recorder()
        async with running_centre() as (centre, port), bound_session(port, listener) as session:
            session.submit_many(messages(2000))
            await until(lambda: len(listener.outcomes) == 2000 and len(listener.raws) == 2000)
            figures = centre.get_figures(with_duplicates=True)
        assert sorted(o.token for o in listener.outcomes) == list(range(2000))
        assert {o.kind for o in listener.outcomes} == {OutcomeKind.ACCEPTED}
        events = [EventReader(SmppSettings()).read(raw) for raw in listener.raws]
        assert {e.provider_message_id for e in events} == {o.provider_message_id for o in listener.outcomes}
        assert {e.state for e in events} == {DeliveryState.DELIVERED}
        assert figures["duplicates"] == 0
        assert figures["most_unanswered"] <= 50

    run(scenario())


def test_refusals_by_number_are_told_apart() -> None:
    refusals = [{"pattern": "1$", "status": 0x0B}, {"pattern": "2$", "status": 0x08}]

    async def scenario() -> None:
        listener = Recorder()
        async with running_centre(refusals=refusals) as (_, port), bound_session(port, listener) as session:
            session.submit_many(messages(10))
            await until(lambda: len(listener.outcomes) == 10)
        assert listener.tokens(OutcomeKind.REJECTED) == [1]
        assert listener.tokens(OutcomeKind.DEFERRED) == [2]
        assert len(listener.tokens(OutcomeKind.ACCEPTED)) == 8

    run(scenario())


def test_receipt_is_acknowledged_only_after_storage_r1() -> None:
    async def scenario() -> None:
        listener = Recorder(stores=False)
        async with running_centre() as (centre, port), bound_session(port, listener) as session:
            session.submit_many(messages(20))
            await until(lambda: len(listener.raws) == 20)
            await asyncio.sleep(0.1)
            assert centre.get_figures()["receipts_acknowledged"] == 0
            for batch in listener.batches:
                batch.stored()
                batch.stored()  # a second call changes nothing
            await until(lambda: centre.get_figures()["receipts_acknowledged"] == 20)
            assert centre.get_figures()["receipts_waiting"] == 0

    run(scenario())


def test_receipt_that_could_not_be_stored_comes_again() -> None:
    async def scenario() -> None:
        listener = Recorder(stores=False)
        async with running_centre(receipt_retry=50) as (centre, port):
            async with bound_session(port, listener) as session:
                session.submit_many(messages(1))
                await until(lambda: len(listener.batches) == 1)
                listener.batches[0].refused()
                await until(lambda: len(listener.batches) == 2)
                listener.batches[1].stored()
                await until(lambda: centre.get_figures()["receipts_acknowledged"] == 1)
            assert centre.get_figures()["receipts_refused"] == 1

    run(scenario())


def test_unacknowledged_receipts_wait_for_the_next_bind() -> None:
    async def scenario() -> None:
        first, second = Recorder(stores=False), Recorder()
        async with running_centre() as (centre, port):
            async with bound_session(port, first) as session:
                session.submit_many(messages(5))
                await until(lambda: len(first.raws) == 5)
            async with bound_session(port, second):
                await until(lambda: centre.get_figures()["receipts_acknowledged"] == 5)
        reader = EventReader(SmppSettings())
        assert [reader.read(r) for r in first.raws] == [reader.read(r) for r in second.raws]

    run(scenario())


def test_withdraw_gives_back_what_was_not_written() -> None:
    async def scenario() -> None:
        listener = Recorder()
        async with (
            running_centre(answer_delay=[50, 50]) as (_, port),
            bound_session(port, listener, window_size=4) as session,
        ):
            session.submit_many(messages(20))
            taken = session.withdraw()
            await until(lambda: len(listener.outcomes) == 4)
        assert [m.token for m in taken] == list(range(4, 20))
        assert listener.tokens(OutcomeKind.ACCEPTED) == [0, 1, 2, 3]

    run(scenario())


def test_close_waits_for_answers_and_reports_the_rest() -> None:
    async def scenario() -> None:
        listener = Recorder()
        async with running_centre(answer_delay=[100, 100]) as (centre, port):
            async with bound_session(port, listener, window_size=4) as session:
                session.submit_many(messages(10))
                await session.close(grace_seconds=2.0)
                session.submit_many(messages(1))
            assert not centre.connections
        assert len(listener.tokens(OutcomeKind.ACCEPTED)) == 4
        assert len(listener.tokens(OutcomeKind.NOT_SENT)) == 7
        assert OutcomeKind.UNKNOWN not in {o.kind for o in listener.outcomes}

    run(scenario())


def test_unencodable_message_is_refused_alone() -> None:
    bad = [
        OutboundMessage(1, "+905321112233", "PEYK", "şeker", "gsm7-nothing"),
        OutboundMessage(2, "+905321112233", "PEYKÇİ", "a"),
        OutboundMessage(3, "not a number", "PEYK", "a"),
        OutboundMessage(4, "+905321112233", "PEYK", "a" * (153 * 255 + 1)),  # parts are counted in one octet
        OutboundMessage(5, "+905321112233", "PEYK", "fine"),
    ]

    async def scenario() -> None:
        listener = Recorder()
        async with running_centre() as (centre, port), bound_session(port, listener) as session:
            session.submit_many(bad)
            await until(lambda: len(listener.outcomes) == 5)
            assert centre.journal.submits == 1
        reasons = {o.token: o.reason for o in listener.outcomes if o.kind is OutcomeKind.REJECTED}
        assert reasons == {
            1: Reason.BAD_CONTENT,
            2: Reason.BAD_SENDER,
            3: Reason.BAD_ADDRESS,
            4: Reason.BAD_CONTENT,
        }

    run(scenario())


def test_wrong_password_is_refused_and_never_shown() -> None:
    async def scenario() -> None:
        listener = Recorder()
        async with running_centre(accounts={"test": "right"}) as (_, port):
            with pytest.raises(LoginRefused) as caught:
                async with bound_session(port, listener, password="sesame"):
                    pass
        assert caught.value.code == "0x0000000e"
        told = [str(caught.value), repr(SmppSettings(password="sesame")), str(listener.states)]
        assert not any("sesame" in text for text in told)
        assert LinkState.REFUSED in {state for state, _ in listener.states}

    run(scenario())


def test_nobody_listens_is_not_sent() -> None:
    async def scenario() -> None:
        with pytest.raises(NotSent):
            async with bound_session(1, Recorder()):
                pass

    run(scenario())


def test_bind_that_is_not_answered_is_not_sent() -> None:
    async def scenario() -> None:
        server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(NotSent, match="no answer to bind"):
            async with bound_session(port, Recorder(), bind_timeout=0.2):
                pass
        server.close()

    run(scenario())


def test_broken_listener_does_not_cut_the_link() -> None:
    class Broken(Recorder):
        def on_events(self, batch) -> None:
            super().on_events(batch)
            raise RuntimeError("full")

    async def scenario() -> None:
        listener = Broken(stores=False)
        async with running_centre(receipt_retry=30) as (centre, port), bound_session(port, listener) as session:
            session.submit_many(messages(2))
            await until(lambda: centre.get_figures()["receipts_refused"] >= 4)
            assert session.is_up

    run(scenario())


def test_answers_split_at_every_octet() -> None:
    """The stream has no message borders: any cut of the same octets gives the same outcomes."""

    async def scenario() -> None:
        async with running_centre() as (_, port):
            listener = Recorder()
            async with bound_session(port, listener, answer_timeout=30) as session:
                transport, session._transport = session._transport, None  # nothing leaves: no answers come
                session.submit_many(messages(6))
                session._transport = transport
                answers = b"".join(
                    pdu.response(pdu.SUBMIT_SM, 0, sequence, b"id%d\x00" % sequence) for sequence in range(2, 8)
                )
                for start, stop in itertools.pairwise(range(len(answers) + 1)):
                    session.data_received(answers[start:stop])
        assert [o.provider_message_id for o in listener.outcomes] == [f"id{n}" for n in range(2, 8)]

    run(scenario())
