"""Calls as a link: packing, pace, urgency, back-off."""

import asyncio
import itertools
import time

import pytest

from gateways.base import Deferred, LinkState, LoginRefused, NotSent, OutcomeUnknown
from gateways.http.link import QUEUE_SECONDS, TRIAL_SIZE
from gateways.http.pacing import CallPace
from gateways.http.packing import CallQueue
from gateways.types import OutcomeKind, Reason
from tests.gateways.http_toy import open_toy, start
from tests.gateways.wire_cases import messages, run, until


def test_everything_is_answered_once_in_full_calls() -> None:
    async def scenario() -> None:
        toy = open_toy()
        link, recorder = start(toy)
        link.submit_many(messages(1000))
        await until(lambda: len(recorder.outcomes) == 1000)
        assert sorted(recorder.tokens(OutcomeKind.ACCEPTED)) == list(range(1000))
        assert len(toy.calls[0]) == TRIAL_SIZE, "the first call tries the ground"
        assert [len(call) for call in toy.calls[1:-1]] == [100] * (len(toy.calls) - 2)
        await link.close()
        assert recorder.states == [(LinkState.UP, ""), (LinkState.DOWN, "closed")]

    run(scenario())


def test_an_urgent_message_waits_for_no_full_call_and_no_free_seat() -> None:
    async def scenario() -> None:
        toy = open_toy(window_size=1)
        toy.gather_seconds = 5.0  # type: ignore[misc]
        toy.seconds = 0.2
        link, recorder = start(toy)
        link.submit_many(messages(TRIAL_SIZE))
        await until(lambda: len(recorder.outcomes) == TRIAL_SIZE)
        link.submit_many([m._replace(token=1000 + m.token) for m in messages(150)])
        await until(lambda: len(toy.calls) == 2)  # the only seat is taken
        began = time.monotonic()
        link.submit_many([messages(1)[0]._replace(token=7777)], is_urgent=True)
        await until(lambda: [7777] in toy.calls)
        assert time.monotonic() - began < 0.1
        await link.close(grace_seconds=0)

    run(scenario())


def test_a_small_call_leaves_after_gathering() -> None:
    async def scenario() -> None:
        toy = open_toy()
        toy.gather_seconds = 0.1  # type: ignore[misc]
        link, recorder = start(toy)
        for n in range(3):
            link.submit_many([messages(3)[n]])
            await asyncio.sleep(0.02)
        await until(lambda: len(recorder.outcomes) == 3)
        assert toy.calls == [[0, 1, 2]]
        await link.close()

    run(scenario())


def test_messages_of_one_call_have_sender_and_encoding_in_common() -> None:
    toy = open_toy()
    queue = CallQueue(toy.group_key, once_per_number=True)
    a = messages(4)
    queue.add([a[0], a[1]._replace(sender="OTHER"), a[2], a[3]._replace(content_class="commercial")], 0.0)
    queue.add([a[0]._replace(token=9, reference=5)], 0.0)  # the same number again: not in the same call
    taken = [[m.token for m in queue.take(10)] for _ in range(4)]
    assert taken == [[0, 2], [1], [3], [9]]
    assert len(queue) == 0


def test_the_rate_holds_over_calls() -> None:
    async def scenario() -> None:
        toy = open_toy(tps=500.0)
        link, recorder = start(toy)
        began = time.monotonic()
        link.submit_many(messages(300))
        await until(lambda: len(recorder.outcomes) == 300)
        assert time.monotonic() - began >= (300 - 100) / 500
        await link.close()

    run(scenario())


def test_calls_a_second() -> None:
    now = 0.0
    pace = CallPace(1000.0, 4.0, clock=lambda: now)
    pace.spend(1)
    assert pace.seconds_until() == pytest.approx(0.25)
    now = 0.25
    assert pace.seconds_until() == 0
    pace.spend(500)
    assert pace.seconds_until() == pytest.approx(0.5)
    assert pace.seconds_until(is_urgent=True) == pytest.approx(0.25)


def test_slowing_down_and_winning_back() -> None:
    now = 0.0
    pace = CallPace(100.0, clock=lambda: now)
    pace.slow_down()
    pace.slow_down()
    now = 2.0
    pace.slow_down()
    assert pace.rate == 60, "answers within four seconds count once, 5 % come back every second"
    now = 4.0
    pace.slow_down()
    assert pace.rate == 35
    now = 8.0
    assert pace.rate == 55
    now = 2000.0
    assert pace.rate == 100


def test_a_provider_that_throttles_whatever_the_pace_is_not_slowed_to_nothing() -> None:
    seconds = itertools.count()
    pace = CallPace(100.0, clock=lambda: next(seconds))
    rates = []
    for _ in range(600):
        pace.slow_down()
        rates.append(pace.rate)
    assert min(rates) > 10 and sum(rates) / len(rates) > 20


def test_throttled_for_long_hands_everything_back_and_returns(monkeypatch) -> None:
    async def scenario() -> None:
        toy = open_toy(window_size=1)
        toy.fails = lambda call: Deferred("slow", code="429", retry_after_seconds=1.2) if call == 1 else None
        link, recorder = start(toy)
        link.submit_many(messages(300))
        await until(lambda: (LinkState.HELD, "throttled") in recorder.states)
        assert len(recorder.outcomes) == 300, "what had not left waits in the database"
        assert {o.kind for o in recorder.outcomes} == {OutcomeKind.DEFERRED}
        assert {o.reason for o in recorder.outcomes} == {Reason.THROTTLED}
        assert not link.is_ready
        await until(lambda: recorder.states[-1][0] is LinkState.UP, seconds=3)
        link.submit_many(messages(3))
        await until(lambda: len(recorder.tokens(OutcomeKind.ACCEPTED)) == 3)
        await link.close()

    run(scenario())


def test_refused_five_times_stops(quick) -> None:
    async def scenario() -> None:
        toy = open_toy()
        toy.fails = lambda call: LoginRefused("no", code="30")
        link, recorder = start(toy)
        end = time.monotonic() + 10
        while recorder.states[-1][0] is not LinkState.STOPPED and time.monotonic() < end:
            if recorder.states[-1][0] is LinkState.UP:
                link.submit_many(messages(50))
            await asyncio.sleep(0.01)
        assert recorder.states[-1] == (LinkState.STOPPED, "30")
        assert len(toy.calls) == 5, "one knock each time"
        link.submit_many(messages(2))
        assert recorder.outcomes[-1].kind is OutcomeKind.NOT_SENT
        assert not recorder.tokens(OutcomeKind.UNKNOWN)
        await link.close()

    run(scenario())


@pytest.mark.parametrize("error", [NotSent("down"), OutcomeUnknown("timeout", reason=Reason.TIMEOUT)])
def test_lost_backs_off_and_comes_back_with_a_trial(quick, error: Exception) -> None:
    async def scenario() -> None:
        toy = open_toy()
        toy.fails = lambda call: error if call <= 2 else None
        link, recorder = start(toy)
        link.submit_many(messages(300))
        await until(lambda: recorder.states[-1][0] is LinkState.DOWN)
        assert len(recorder.outcomes) == 300
        unknown = recorder.tokens(OutcomeKind.UNKNOWN)
        assert len(unknown) == (TRIAL_SIZE if isinstance(error, OutcomeUnknown) else 0), "a trial risks little"
        for n in (1, 2):
            await until(lambda: recorder.states[-1] == (LinkState.UP, "trial"))
            link.submit_many(messages(30))
            await until(lambda n=n: len(toy.calls) > n)
            await asyncio.sleep(0.03)
        await until(lambda: len(recorder.tokens(OutcomeKind.ACCEPTED)) == 30)
        await link.close()

    run(scenario())


def test_what_waits_too_long_goes_back() -> None:
    async def scenario() -> None:
        toy = open_toy(window_size=1)
        toy.seconds = QUEUE_SECONDS + 2
        link, recorder = start(toy)
        link.submit_many(messages(TRIAL_SIZE))
        await asyncio.sleep(1.0)  # the link looks after its queue for these already
        link.submit_many(messages(TRIAL_SIZE + 5)[TRIAL_SIZE:])
        await until(lambda: len(recorder.outcomes) == 5, seconds=QUEUE_SECONDS + 0.01)
        assert recorder.tokens(OutcomeKind.NOT_SENT) == list(range(TRIAL_SIZE, TRIAL_SIZE + 5))
        assert not link.is_ready, "no seat, and nobody comes back"
        await link.close(grace_seconds=0)
        assert len(recorder.tokens(OutcomeKind.UNKNOWN)) == TRIAL_SIZE, "in flight when it was closed"
        assert len(recorder.outcomes) == TRIAL_SIZE + 5

    run(scenario())


def test_withdraw_gives_back_what_has_not_left() -> None:
    async def scenario() -> None:
        toy = open_toy(tps=10.0)
        link, recorder = start(toy)
        link.submit_many(messages(50))
        await until(lambda: bool(toy.calls))
        back = link.withdraw()
        assert len(back) == 50 - len(toy.calls[0])
        await until(lambda: len(recorder.outcomes) == len(toy.calls[0]))
        await link.close()
        assert len(recorder.outcomes) == len(toy.calls[0]), "no outcome follows"

    run(scenario())
