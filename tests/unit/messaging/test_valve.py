"""What a slot may send while its connection rests or comes back, and what counts as a failure."""

import pytest

from gateways.routing.health import Health
from gateways.types import OutcomeKind, Reason, SubmitOutcome
from messaging.dispatch import valve as valve_module
from messaging.dispatch.valve import Valve


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 100.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(valve_module, "time", clock)
    return clock


def outcome(kind, reason=Reason.NONE, **more):
    return SubmitOutcome(1, kind, reason=reason, **more)


GOOD, BAD = outcome(OutcomeKind.ACCEPTED), outcome(OutcomeKind.UNKNOWN, Reason.TIMEOUT)


def tell(*outcomes):
    valve = Valve(100)
    valve.note(outcomes)
    seen = valve.tell("1", "up")
    return seen.good, seen.failed, seen.streak


def test_wide_open_it_is_not_in_the_way(clock):
    assert Valve(1).reserve(5000) == 5000


def test_shut_nothing_leaves(clock):
    valve = Valve(100)
    valve.set(Health("open", 0, False, 3))
    clock.now += 60
    assert valve.is_shut
    assert valve.reserve(50) == 0


def test_a_trickle_is_a_part_of_the_rate(clock):
    valve = Valve(100)
    valve.set(Health("half_open", 10, False, 3))
    sent = 0
    for _ in range(100):  # ten seconds
        clock.now += 0.1
        count = valve.reserve(50)
        valve.settle(count, count)
        sent += count
    assert sent == pytest.approx(100, abs=2)


def test_a_few_to_try_until_one_is_answered(clock):
    in_air = []
    valve = Valve(1000, count_in_air=lambda: len(in_air))
    valve.set(Health("half_open", 5, True, 3))
    clock.now += 10
    assert valve.reserve(50) == 3
    assert valve.reserve(50) == 0, "another lane has them"
    valve.settle(3, 2)
    in_air += [1, 2]
    assert valve.reserve(50) == 1
    valve.settle(1, 1)
    in_air.append(3)
    assert valve.reserve(50) == 0


def test_what_leaves_whole_leaves_alone(clock):
    in_air = []
    valve = Valve(1000, count_in_air=lambda: len(in_air))
    valve.set(Health("half_open", 5, True, 3))
    assert valve.reserve(10, whole=10) == 0, "nothing may leave yet"
    clock.now += 10
    assert valve.reserve(10, whole=10) == 10
    valve.settle(10, 0)
    in_air.append(1)
    assert valve.reserve(10, whole=10) == 2


def test_what_gathered_before_it_was_shut_is_gone(clock):
    valve = Valve(100)
    valve.set(Health("half_open", 50, False, 3))
    clock.now += 5
    valve.settle(valve.reserve(50), 0)
    valve.set(Health("half_open", 5, False, 3))
    assert valve.reserve(50) == 0


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([GOOD, BAD, BAD], (1, 2, 2)),
        ([BAD, BAD, GOOD], (1, 2, 0)),
        ([outcome(OutcomeKind.NOT_SENT, Reason.NETWORK)], (0, 1, 1)),
        ([outcome(OutcomeKind.DEFERRED, Reason.SYSTEM)], (0, 1, 1)),
        ([outcome(OutcomeKind.DEFERRED, Reason.THROTTLED)] * 9, (0, 0, 0)),
        ([outcome(OutcomeKind.NOT_SENT, Reason.WITHDRAWN)] * 9, (0, 0, 0)),
        ([outcome(OutcomeKind.DEFERRED, Reason.SPOILED)] * 9, (0, 0, 0)),
        ([outcome(OutcomeKind.UNKNOWN, Reason.LINK_LOST)] * 500, (0, 1, 1)),
        ([outcome(OutcomeKind.REJECTED, Reason.BAD_ADDRESS)], (1, 0, 0)),
        ([outcome(OutcomeKind.REJECTED, Reason.NO_BALANCE)], (0, 1, 1)),
    ],
    ids=[
        "failures after the last good answer",
        "a good answer ends the row",
        "not sent",
        "refused for now",
        "our speed",
        "taken back by us",
        "refused for the sake of another one",
        "a lost link is one failure",
        "a refusal of the message",
        "a refusal of the account",
    ],
)
def test_what_counts(outcomes, expected):
    assert tell(*outcomes) == expected


def test_a_failed_call_is_one_failure_however_full_it_was():
    valve = Valve(100, call_size=50)
    valve.note([BAD] * 50)
    valve.note([BAD] * 7)
    seen = valve.tell("1", "up")
    assert (seen.failed, seen.streak) == (2, 2)


def test_told_once(clock):
    valve = Valve(100)
    valve.note([BAD])
    assert valve.has_news
    valve.tell("1", "up")
    assert not valve.has_news
    assert valve.tell("1", "up").failed == 0
