"""What is on its way, by message and batch."""

from gateways.types import OutcomeKind, SubmitOutcome
from messaging.dispatch.in_air import InAir

FIRST, SECOND = 10, 11


def test_a_message_is_in_the_air_from_one_batch_at_a_time():
    in_air = InAir()
    in_air.add(FIRST, [1, 2])
    in_air.add(SECOND, [1])
    assert (len(in_air), in_air.count(FIRST), in_air.count(SECOND)) == (2, 1, 1)
    assert [in_air.find_batch(n) for n in (1, 2, 3)] == [SECOND, FIRST, 0]


def test_an_answer_belongs_to_the_try_that_was_in_the_air_when_it_came():
    in_air = InAir()
    in_air.add(FIRST, [1])
    outcome, late = SubmitOutcome(1, OutcomeKind.NOT_SENT), SubmitOutcome(2, OutcomeKind.ACCEPTED)
    answers = in_air.pair([outcome, late])
    in_air.add(SECOND, [1])
    assert answers == [(outcome, FIRST), (late, None)]


def test_an_answer_ends_its_own_try_and_once():
    in_air = InAir()
    in_air.add(FIRST, [1, 2])
    in_air.add(SECOND, [1])
    in_air.remove([(1, FIRST), (2, FIRST), (2, FIRST), (3, None)])
    assert (len(in_air), in_air.count(FIRST), in_air.count(SECOND)) == (1, 0, 1)


def test_a_batch_is_over_when_all_that_is_in_the_air_ends():
    in_air = InAir()
    in_air.add(FIRST, [1, 2])
    in_air.add(SECOND, [1, 3])
    assert in_air.list_over([FIRST, SECOND, 12], {(1, FIRST), (2, FIRST), (3, SECOND)}) == [FIRST, 12]
