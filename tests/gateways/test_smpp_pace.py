"""Window and rate on the wire: never exceeded, used, and lowered where the centre throttles."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from gateways.models import GatewayAccount
from gateways.opening import open_account_gateway
from gateways.simulator.journal import read_journal
from gateways.types import OutcomeKind, Reason
from tests.gateways.wire_cases import Recorder, bound_session, messages, run, running_centre, until


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
