"""When silence means that a process hangs, and when not. Real processes: tests/faults/test_watchdog.py."""

import pytest
from celery.exceptions import OperationalError

from smsplatform.watchdog import Watch

LIMIT = 120.0


class Stage:
    def __init__(self, answer=lambda stage: None):
        self.now = 1000.0
        self.asked = 0
        self.ended = []
        self.is_excused = False
        self.answer = answer
        self.watch = Watch(
            LIMIT, self.ended.append, ask=self.ask, is_excused=lambda: self.is_excused, clock=lambda: self.now
        )

    def ask(self):
        self.asked += 1
        self.answer(self)

    def pass_time(self, seconds):
        for _ in range(int(seconds / 10)):
            self.now += 10
            self.watch.look()


def fail(stage):
    raise OperationalError("the broker is away")


def test_who_hears_nothing_for_the_limit_ends():
    stage = Stage()
    stage.pass_time(110)
    assert (stage.ended, stage.asked) == ([], 9), "asked from 30 s on"
    stage.pass_time(10)
    assert stage.ended == [120.0]


def test_whoever_is_answered_goes_on():
    stage = Stage(lambda stage: stage.watch.hear(sender=None, request=None))
    stage.pass_time(3600)
    assert stage.ended == []
    assert stage.asked == 120, "one question for each quarter of the limit"


def test_nobody_is_asked_while_something_comes():
    stage = Stage()
    for _ in range(100):
        stage.pass_time(20)
        stage.watch.hear()
    assert (stage.ended, stage.asked) == ([], 0)


def test_a_broker_that_is_away_is_no_reason():
    stage = Stage(fail)
    stage.pass_time(3600)
    assert stage.ended == []
    stage.answer = lambda stage: None
    stage.pass_time(120)
    assert len(stage.ended) == 1, "it is back, and still nothing comes"


def test_a_pool_that_works_to_its_last_slot_is_excused():
    stage = Stage()
    stage.is_excused = True
    stage.pass_time(3600)
    assert (stage.ended, stage.asked) == ([], 0)
    stage.is_excused = False
    stage.pass_time(110)
    assert stage.ended == []
    stage.pass_time(10)
    assert len(stage.ended) == 1


@pytest.mark.parametrize("stop", [31, 300, 100_000])
def test_a_process_that_stood_still_starts_counting_anew(stop):
    stage = Stage()
    stage.pass_time(100)
    stage.now += stop
    stage.watch.look()
    assert stage.ended == []
    stage.pass_time(110)
    assert stage.ended == []
