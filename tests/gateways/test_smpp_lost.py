"""Links and answers that are lost: what is unknown, what was certainly not sent."""

import asyncio

from gateways.base import LinkState
from gateways.simulator.journal import read_journal
from gateways.types import OutcomeKind, Reason
from tests.gateways.wire_cases import Recorder, bound_session, messages, run, running_centre, until


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
