"""How many messages a slot may have on its way, by what its link gave back."""

import pytest

from gateways.types import OutcomeKind, Reason, SubmitOutcome
from messaging.dispatch import reach
from messaging.dispatch.reach import LONGEST_SECONDS, SHORTEST_SECONDS, Reach


class Clock:
    now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(reach, "time", clock)
    return clock


def outcomes(count, reason=Reason.WITHDRAWN):
    return [SubmitOutcome(n, OutcomeKind.NOT_SENT, reason=reason) for n in range(count)]


def test_what_left_in_time_is_the_measure(clock):
    reach = Reach(50)
    assert reach.messages == 50
    reach.note(outcomes(30), under_way=48)
    assert reach.messages == 18
    reach.note(outcomes(18), under_way=18)
    assert reach.messages == 1, "one may always leave"


@pytest.mark.parametrize("others", [[], outcomes(9, Reason.LINK_LOST), outcomes(9, Reason.NONE)])
def test_other_outcomes_say_nothing(clock, others):
    reach = Reach(50)
    reach.note(others, under_way=9)
    assert reach.messages == 50


def test_calls_are_not_torn_apart(clock):
    reach = Reach(500, least=200)
    reach.note(outcomes(499), under_way=500)
    assert reach.messages == 200
    assert Reach(50, least=200).messages == 50


def test_more_is_tried_after_a_while_up_to_the_stride(clock):
    reach = Reach(50)
    reach.note(outcomes(40), under_way=50)
    seen = []
    for _ in range(4):
        clock.now += SHORTEST_SECONDS
        seen.append(reach.messages)
    assert seen == [20, 40, 50, 50]


def test_what_fails_again_is_tried_ever_more_rarely_and_forgotten_when_all_is_well(clock):
    reach = Reach(4)
    waits = []
    for _ in range(8):
        reach.note(outcomes(2), under_way=4)
        began = clock.now
        while reach.messages < 4:
            clock.now += 0.5
        waits.append(clock.now - began)
    assert waits == [2, 4, 8, 16, 32, 64, 64, 64]
    clock.now += 3 * LONGEST_SECONDS
    reach.note(outcomes(2), under_way=4)
    clock.now += SHORTEST_SECONDS
    assert reach.messages == 4
