"""The circuit breaker by its clock, without one."""

import pytest

from gateways.routing.breaker import Breaker, Cause, Limits, Seen, State

LIMITS = Limits(streak=5, trial_streak=2, window_least=20, open_seconds=30, quiet_seconds=60)
NOW = 1_000_000.0


def failed(count, **more):
    return Seen("a:0", "up", failed=count, streak=count, **more)


def good(count):
    return Seen("a:0", "up", good=count)


def opened(cause=Cause.FAILURES):
    breaker = Breaker().advance(failed(5), NOW, LIMITS)
    assert (breaker.state, breaker.cause) == (State.OPEN, cause)
    return breaker


def returning():
    breaker = opened().advance(None, NOW + 30, LIMITS)
    assert (breaker.state, breaker.share, breaker.is_proven) == (State.HALF_OPEN, 5, False)
    return breaker


def test_failures_in_a_row_add_up_over_reports():
    breaker = Breaker().advance(failed(3), NOW, LIMITS).advance(failed(1), NOW + 1, LIMITS)
    assert breaker.state == State.CLOSED
    assert breaker.advance(failed(1), NOW + 2, LIMITS).state == State.OPEN


def test_a_good_answer_begins_the_count_anew():
    breaker = Breaker().advance(failed(4), NOW, LIMITS).advance(good(1), NOW, LIMITS).advance(failed(4), NOW, LIMITS)
    assert breaker.state == State.CLOSED


@pytest.mark.parametrize(("bad", "state"), [(9, State.CLOSED), (10, State.OPEN)])
def test_share_of_the_last_minute(bad, state):
    limits = Limits(streak=99, window_least=20)
    breaker = Breaker()
    for second in range(20):
        seen = Seen("a:0", "up", failed=1) if second < bad else good(1)
        breaker = breaker.advance(seen, NOW + second, limits)
    assert breaker.state == state
    assert breaker.cause == (Cause.SHARE if state == State.OPEN else "")


def test_old_answers_are_forgotten():
    limits = Limits(streak=999, window_least=20)
    breaker = Breaker().advance(Seen("a:0", "up", failed=19), NOW, limits)
    assert breaker.advance(Seen("a:0", "up", failed=1), NOW + 80, limits).state == State.CLOSED


def test_a_lost_link_opens_after_a_while_and_closes_when_it_is_back():
    down = Seen("a:0", "down")
    breaker = Breaker().advance(down, NOW, LIMITS)
    for second in range(5, 30, 5):
        breaker = breaker.advance(down, NOW + second, LIMITS)
    assert breaker.state == State.CLOSED
    breaker = breaker.advance(down, NOW + 30, LIMITS)
    assert (breaker.state, breaker.cause) == (State.OPEN, Cause.LINK)
    assert breaker.advance(down, NOW + 50, LIMITS).state == State.OPEN
    assert breaker.advance(Seen("a:0", "up"), NOW + 51, LIMITS).state == State.HALF_OPEN


def test_a_provider_that_asks_us_to_wait_is_there():
    """A 429 with a Retry-After: its traffic waits, and moves to no dearer connection; not for an hour, though."""
    breaker = Breaker()
    for second in range(0, 60, 5):
        breaker = breaker.advance(Seen("a:0", "held"), NOW + second, LIMITS)
        assert breaker.state == State.CLOSED
    for second in range(60, 3600, 5):
        breaker = breaker.advance(Seen("a:0", "held"), NOW + second, LIMITS)
        assert (breaker.state, breaker.cause) == (State.OPEN, Cause.LINK)
    breaker = breaker.advance(Seen("a:0", "up"), NOW + 3600, LIMITS)
    assert breaker.state == State.HALF_OPEN


def test_one_link_of_two_is_enough():
    breaker = Breaker().advance(Seen("b:1", "up"), NOW, LIMITS)
    for second in (0, 20, 40):
        breaker = breaker.advance(Seen("a:0", "down"), NOW + second, LIMITS)
        breaker = breaker.advance(Seen("b:1", "up"), NOW + second, LIMITS)
    assert breaker.state == State.CLOSED


def test_a_refused_login_opens_at_once():
    breaker = Breaker().advance(Seen("a:0", "refused"), NOW, LIMITS)
    assert (breaker.state, breaker.cause) == (State.OPEN, Cause.LOGIN)


def test_senders_that_are_gone_say_nothing():
    breaker = Breaker().advance(Seen("a:0", "down"), NOW, LIMITS)
    assert breaker.advance(None, NOW + 100, LIMITS).state == State.CLOSED


def test_it_rests_then_comes_back_in_steps():
    breaker = opened()
    assert breaker.share == 0
    assert breaker.advance(None, NOW + 29, LIMITS).state == State.OPEN
    breaker, shares = returning(), []
    for step in range(1, 6):
        breaker = breaker.advance(good(3), NOW + 30 + step * 10, LIMITS)
        shares.append(breaker.share)
    assert shares == [10, 20, 40, 80, 100]
    assert (breaker.state, breaker.strikes) == (State.CLOSED, 0)


def test_no_step_without_a_good_answer_unless_all_is_quiet():
    breaker = returning()
    assert breaker.advance(None, NOW + 60, LIMITS).share == 5
    assert breaker.advance(None, NOW + 91, LIMITS).share == 10


def test_failing_again_it_rests_twice_as_long():
    breaker = returning().advance(failed(2), NOW + 31, LIMITS)
    assert breaker.state == State.OPEN
    assert breaker.advance(None, NOW + 31 + 59, LIMITS).state == State.OPEN
    assert breaker.advance(None, NOW + 31 + 60, LIMITS).state == State.HALF_OPEN
