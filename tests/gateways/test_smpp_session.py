"""Our client against our message centre, over TCP on 127.0.0.1."""

import asyncio
import itertools
from contextlib import AsyncExitStack

import pytest

from gateways.adapters.smpp import longmessage, pdu
from gateways.adapters.smpp.receipts import EventReader
from gateways.adapters.smpp.settings import SmppSettings
from gateways.base import LinkState, LoginRefused, NotSent
from gateways.models import GatewayAccount
from gateways.opening import open_account_gateway
from gateways.simulator.journal import find_duplicates, read_journal
from gateways.types import DeliveryState, OutboundMessage, OutcomeKind, Reason
from smscore import segment
from tests.gateways.wire_cases import Recorder, bound_session, messages, run, running_centre, until

LONG = "Değerli müşterimiz, şubemizde çok özel indirimler başladı. " * 8


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


def test_window_is_never_exceeded_while_answers_are_slow() -> None:
    async def scenario() -> None:
        listener = Recorder()
        async with running_centre(answer_delay=[10, 30]) as (centre, port):
            async with bound_session(port, listener, window_size=7) as session:
                session.submit_many(messages(100))
                await until(lambda: len(listener.outcomes) == 100)
            assert centre.most_unanswered == 7

    run(scenario())


@pytest.mark.parametrize("rate", [20, 500])
def test_rate_holds_in_any_second_s9(tmp_path, rate: int) -> None:
    async def scenario() -> None:
        listener = Recorder()
        async with (
            running_centre(tmp_path / "j") as (_, port),
            bound_session(port, listener, tps=rate, window_size=200) as session,
        ):
            session.submit_many(messages(rate * 2))
            await until(lambda: len(listener.outcomes) == rate * 2)

    run(scenario())
    times = [entry.at for entry in read_journal(tmp_path / "j")]
    # Arrivals are stamped at the far end: the two ends of a second may be off by a scheduling delay.
    most = max(sum(1 for t in times[i:] if t - start < 0.98) for i, start in enumerate(times))
    assert most <= rate * 1.05 + 1
    assert times[-1] - times[0] > 1.8, "and the rate is used"


@pytest.mark.parametrize(("rate", "slots"), [(1, 2), (3, 3), (10, 3), (60, 3), (400, 3)])
def test_rate_of_several_slots_holds_in_any_second_s9(tmp_path, rate: int, slots: int) -> None:
    """The connection's rate over all its binds, and it is used."""
    account = GatewayAccount(adapter="smpp", rate_per_second=rate, slots=slots, window_size=200)
    seconds = 2.2

    async def scenario() -> None:
        async with running_centre(tmp_path / "j") as (_, port), AsyncExitStack() as stack:
            account.settings = {"port": port}
            for slot in range(len(account.slot_rates)):
                tps = open_account_gateway(account, slot).settings.tps
                session = await stack.enter_async_context(bound_session(port, Recorder(), tps=tps, window_size=200))
                session.submit_many(messages(rate * 3))
                stack.callback(session.withdraw)  # before it closes
            await asyncio.sleep(seconds)

    run(scenario())
    times = [entry.at for entry in read_journal(tmp_path / "j")]
    most = max(sum(1 for t in times[i:] if t - start < 0.98) for i, start in enumerate(times))
    assert most <= rate * 1.05 + 1
    assert len(times) >= 0.8 * rate * seconds


def test_throttle_is_deferred_and_lowers_the_rate() -> None:
    async def scenario() -> None:
        listener = Recorder()
        async with (
            running_centre(throttle_ratio=1.0) as (_, port),
            bound_session(port, listener, tps=25) as session,
        ):
            session.submit_many(messages(30))
            await until(lambda: len(listener.outcomes) == 30)
            assert session.rate == 2.5
        assert {(o.kind, o.reason, o.code) for o in listener.outcomes} == {
            (OutcomeKind.DEFERRED, Reason.THROTTLED, "0x00000058")
        }
        assert all(o.retry_after_seconds > 0 for o in listener.outcomes)

    run(scenario())


@pytest.mark.parametrize(("script", "least"), [({"throttle_ratio": 0.1}, 150), ({"rate_limit": 100}, 80)])
def test_throttling_leaves_most_of_what_the_centre_takes(script, least: int) -> None:
    async def scenario() -> None:
        listener = Recorder()
        async with running_centre(**script) as (_, port), bound_session(port, listener, tps=200) as session:
            session.submit_many(messages(5000))
            await asyncio.sleep(2.5)  # the rate is found
            before = len(listener.tokens(OutcomeKind.ACCEPTED)), len(listener.tokens(OutcomeKind.DEFERRED))
            await asyncio.sleep(2.0)
            taken = len(listener.tokens(OutcomeKind.ACCEPTED)) - before[0]
            throttled = len(listener.tokens(OutcomeKind.DEFERRED)) - before[1]
            session.withdraw()
        assert taken / 2.0 >= least
        assert throttled <= 0.25 * taken

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


def test_lost_answer_is_unknown_and_frees_the_window() -> None:
    async def scenario() -> None:
        listener = Recorder()
        async with running_centre(lost_answer_ratio=1.0) as (centre, port):
            async with bound_session(port, listener, window_size=5, answer_timeout=0.3) as session:
                session.submit_many(messages(8))
                await until(lambda: len(listener.outcomes) == 8)
            assert centre.get_figures()["never_answered"] == 8
        assert {(o.kind, o.reason) for o in listener.outcomes} == {(OutcomeKind.UNKNOWN, Reason.TIMEOUT)}

    run(scenario())


def test_answer_after_its_timer_heals() -> None:
    async def scenario() -> None:
        listener = Recorder()
        async with (
            running_centre(answer_delay=[800, 800]) as (_, port),
            bound_session(port, listener, answer_timeout=0.2) as session,
        ):
            session.submit_many(messages(3))
            await until(lambda: len(listener.outcomes) == 6)
        assert listener.tokens(OutcomeKind.UNKNOWN) == [0, 1, 2]
        assert listener.tokens(OutcomeKind.ACCEPTED, late=True) == [0, 1, 2]

    run(scenario())


def test_cut_link_tells_unsent_from_unknown(tmp_path) -> None:
    async def scenario() -> tuple[Recorder, int]:
        listener = Recorder()
        async with (
            running_centre(tmp_path / "j", cut_after=25, answer_delay=[20, 20]) as (_, port),
            bound_session(port, listener, window_size=10) as session,
        ):
            session.submit_many(messages(100))
            await until(lambda: len(listener.outcomes) == 100)
            assert listener.states[-1][0] is LinkState.DOWN
            assert not session.is_up
        return listener

    listener = run(scenario())
    unsent = set(listener.tokens(OutcomeKind.NOT_SENT))
    unknown = set(listener.tokens(OutcomeKind.UNKNOWN))
    accepted = set(listener.tokens(OutcomeKind.ACCEPTED))
    assert len(unsent) + len(unknown) + len(accepted) == 100
    assert len(unknown) <= 10
    seen = {int(e.msisdn[5:]): e for e in read_journal(tmp_path / "j")}
    assert not unsent & set(seen), "what is called not sent never reached the wire"
    assert accepted <= {token for token, entry in seen.items() if entry.status == 0}


def test_half_open_link_is_noticed() -> None:
    async def scenario() -> None:
        listener = Recorder()
        async with (
            running_centre() as (centre, port),
            bound_session(port, listener, enquire_link_seconds=0.3, enquire_link_timeout=0.3) as session,
        ):
            centre.apply_script(centre.script.changed({"is_half_open": True}))
            session.submit_many(messages(5))
            await until(lambda: len(listener.outcomes) == 5, 3.0)
            assert await session.wait_closed() == "no answer to enquire_link"
        assert {o.kind for o in listener.outcomes} == {OutcomeKind.UNKNOWN}

    run(scenario())


def test_keep_alive_is_answered() -> None:
    async def scenario() -> None:
        listener = Recorder()
        async with (
            running_centre() as (_, port),
            bound_session(port, listener, enquire_link_seconds=0.2, enquire_link_timeout=0.4) as session,
        ):
            await asyncio.sleep(1.2)
            assert session.is_up

    run(scenario())


def test_garbage_ends_the_link_as_unknown() -> None:
    async def scenario() -> None:
        listener = Recorder()
        async with (
            running_centre(garbage_after=3, answer_delay=[50, 50]) as (_, port),
            bound_session(port, listener, window_size=5) as session,
        ):
            session.submit_many(messages(10))
            assert await session.wait_closed() == "garbage"
        assert len(listener.tokens(OutcomeKind.UNKNOWN)) == 5
        assert len(listener.tokens(OutcomeKind.NOT_SENT)) == 5

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


@pytest.mark.parametrize("mode", ["udh8", "udh16", "sar", "payload"])
@pytest.mark.parametrize("text", [LONG, "a" * 500, "щ" * 150], ids=["turkish", "plain", "ucs2"])
def test_long_message_arrives_whole(mode: str, text: str) -> None:
    found = segment(text, reference_bits=16 if mode == "udh16" else 8)

    async def scenario() -> None:
        listener = Recorder()
        async with running_centre() as (centre, port):
            async with bound_session(port, listener, long_mode=mode, id_policy="last") as session:
                message = OutboundMessage(7, "+905321112233", "PEYK", found.text, found.encoding, found.parts, 0, 99)
                session.submit_many([message])
                await until(lambda: len(listener.outcomes) == 1)
            shown = centre.phones.list_messages("+905321112233")
        outcome = listener.outcomes[0]
        sent = 1 if mode == "payload" and not found.encoding.startswith("gsm7-tr") else found.parts
        assert outcome.kind is OutcomeKind.ACCEPTED
        assert len(set(outcome.part_ids)) == sent
        assert outcome.provider_message_id == outcome.part_ids[-1]
        assert [m["text"] for m in shown] == [found.text]
        assert shown[0]["arrived_parts"] == sent

    run(scenario())


def test_lost_part_makes_the_message_unknown_and_repeats_nothing_s13(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(longmessage, "RETRY_SECONDS", (0.05,))
    found = segment("b" * 400)

    async def scenario() -> None:
        listener = Recorder()
        script = {"lost_answer_ratio": 0.3, "throttle_ratio": 0.3, "seed": 5}
        async with (
            running_centre(tmp_path / "j", **script) as (_, port),
            bound_session(port, listener, answer_timeout=0.5) as session,
        ):
            session.submit_many(
                OutboundMessage(n, f"+9053211122{n:02d}", "PEYK", found.text, "gsm7", found.parts, 0, n)
                for n in range(40)
            )
            await until(lambda: len({o.token for o in listener.outcomes}) == 40, 15.0)
        by_token = {o.token: o for o in listener.outcomes}
        entries = list(read_journal(tmp_path / "j"))
        assert find_duplicates(entries) == []
        for token, outcome in by_token.items():
            own = [e for e in entries if e.msisdn.endswith(f"22{token:02d}")]
            taken = {e.part: e.status for e in own if not e.status}
            if outcome.kind is OutcomeKind.ACCEPTED:
                assert taken == {1: 0, 2: 0, 3: 0}
            elif outcome.kind is OutcomeKind.UNKNOWN:
                assert None in taken.values()
            else:
                assert outcome.kind is OutcomeKind.DEFERRED
                assert not taken
        assert {o.kind for o in by_token.values()} >= {OutcomeKind.ACCEPTED, OutcomeKind.UNKNOWN}

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
