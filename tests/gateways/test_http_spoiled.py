"""A call that is refused for the sake of one message: that one is found within pace and time, and refused alone."""

import asyncio
import time

import pytest

from gateways.base import Rejected
from gateways.http.link import QUEUE_SECONDS, RequestLink
from gateways.http.packing import Suspects
from gateways.types import OutboundMessage, OutcomeKind, Reason, SubmitOutcome
from messaging.dispatch.valve import Valve
from tests.gateways.http_toy import Toy
from tests.gateways.wire_cases import Recorder, messages, run, until


class Picky(Toy):
    """Refuses a call that has a bad message in it, whole; keeps what it took, and what its calls were."""

    bad: frozenset[int] = frozenset()

    async def exchange(self, request):  # type: ignore[no-untyped-def]
        await super().exchange(request)
        if self.bad & set(request):
            raise Rejected("a bad number", code="70", reason=Reason.BAD_ADDRESS, spoiled=True)
        self.taken.extend(request)
        return request


class Database(Recorder):
    """Gives what comes back unsent to the link once more, while the run is on; what is final stays in ``ends``."""

    link: RequestLink
    is_running = True

    def __init__(self) -> None:
        super().__init__()
        self.ends: dict[int, OutcomeKind] = {}
        self.returned = 0
        self.given: dict[int, tuple[float, OutboundMessage]] = {}

    def give(self, batch: list[OutboundMessage]) -> None:
        self.given |= {m.token: (time.monotonic(), m) for m in batch}
        self.link.submit_many(batch)

    def on_outcomes(self, outcomes: list[SubmitOutcome]) -> None:
        super().on_outcomes(outcomes)
        back = []
        for outcome in outcomes:
            if outcome.kind is OutcomeKind.NOT_SENT:
                assert outcome.reason is Reason.WITHDRAWN
                back.append(self.given[outcome.token][1])
            else:
                assert outcome.token not in self.ends
                self.ends[outcome.token] = outcome.kind
        self.returned += len(back)
        if back and self.is_running:
            asyncio.get_running_loop().call_soon(self.give, back)


def open_picky(bad: set[int], **settings: object) -> tuple[Picky, RequestLink, Database]:
    toy = Picky.from_settings({"base_url": "https://x.example", "tps": 100_000.0, "window_size": 4, **settings})
    toy.bad, toy.taken = frozenset(bad), []
    database = Database()
    link = database.link = RequestLink(toy, database)
    link.start()
    return toy, link, database


@pytest.mark.parametrize("bad", [{17}, {0, 99}, {3, 30, 31, 77}, set(range(100))], ids=["1", "2", "4", "all"])
@pytest.mark.parametrize("tps", [100_000.0, 50.0], ids=["fast", "slow"])
def test_only_the_bad_ones_are_refused_and_nothing_is_taken_twice(bad: set[int], tps: float) -> None:
    async def scenario() -> None:
        toy, link, database = open_picky(bad, tps=tps)
        database.give(messages(100))
        await until(lambda: len(database.ends) == 100, seconds=300)
        await link.close()
        assert {token for token, kind in database.ends.items() if kind is OutcomeKind.REJECTED} == bad
        assert sorted(toy.taken) == sorted(set(range(100)) - bad)
        assert {o.reason for o in database.outcomes} <= {Reason.NONE, Reason.BAD_ADDRESS, Reason.WITHDRAWN}
        assert {o.code for o in database.outcomes if o.kind is OutcomeKind.REJECTED} == {"70"}

    run(scenario(), 400)


def test_further_calls_pay_the_pace_and_none_leaves_late() -> None:
    """S6, S9: after a pause nothing comes back from the database; within two seconds the wire is quiet."""

    async def scenario() -> None:
        toy, link, database = open_picky({40}, tps=100.0)
        toy.seconds = 0.3
        database.is_running = False
        began = time.monotonic()
        database.give(messages(100))
        await asyncio.sleep(10)
        await link.close()
        assert len(toy.calls) == 3, "twenty to try, the rest, a half of it: 1.4 s of the rate"
        spent = 0
        for at, call in zip(toy.called_at, toy.calls, strict=True):
            assert at - began >= spent / 100 - 0.001
            assert at - began <= QUEUE_SECONDS
            spent += len(call)
        assert database.returned + len(database.ends) == 100

    run(scenario())


def test_the_search_goes_on_where_it_was_when_messages_come_back() -> None:
    async def scenario() -> None:
        toy, link, database = open_picky({11}, window_size=1)
        toy.seconds = 0.9
        database.give(messages(20))
        await until(lambda: len(database.ends) == 20, seconds=60)
        await link.close()
        assert database.returned > 0
        assert [len(call) for call in toy.calls if 11 in call] == [20, 10, 5, 2, 1]

    run(scenario(), 100)


def test_a_list_full_of_bad_numbers_holds_up_nobody() -> None:
    async def scenario() -> None:
        toy, link, database = open_picky(set(range(100)), window_size=1)
        toy.seconds = 0.1
        database.give(messages(100))
        await asyncio.sleep(1)
        good = [m._replace(token=1000 + m.token, sender="OTHER") for m in messages(100)]
        began = time.monotonic()
        database.give(good)
        await until(lambda: sum(token >= 1000 for token in database.ends) == 100, seconds=60)
        assert time.monotonic() - began < 0.5
        assert len(database.ends) < 150, "the search is not over"
        await link.close()

    run(scenario(), 100)


def test_a_link_that_closes_gives_back_what_a_call_had_spoiled() -> None:
    async def scenario() -> None:
        toy, link, database = open_picky({3})
        toy.seconds, database.is_running = 0.2, False
        database.give(messages(10))
        await until(lambda: len(toy.calls) == 1)
        await link.close()
        assert [(o.kind, o.reason) for o in database.outcomes] == [(OutcomeKind.NOT_SENT, Reason.WITHDRAWN)] * 10

    run(scenario())


def test_an_urgent_one_stays_urgent() -> None:
    async def scenario() -> None:
        toy, link, database = open_picky({2}, window_size=1)
        toy.seconds = 0.1
        urgent = messages(3)
        database.given = {m.token: (0.0, m) for m in urgent}
        link.submit_many([m._replace(token=1000 + m.token) for m in messages(100)])
        link.submit_many(urgent, is_urgent=True)
        await until(lambda: all(n in database.ends for n in range(3)))
        assert len(database.ends) < 103, "before what was there first"
        assert [call for call in toy.calls if set(call) & {0, 1, 2}] == [[0, 1, 2], [0], [1, 2], [1], [2]]
        await link.close()

    run(scenario())


def test_many_bad_numbers_are_no_failure_of_the_connection() -> None:
    async def scenario() -> None:
        _, link, database = open_picky(set(range(100)), tps=50.0)
        database.give(messages(100))
        await until(lambda: len(database.ends) == 100, seconds=300)
        await link.close()
        valve = Valve(50.0, call_size=100)
        for outcome in database.outcomes:
            valve.note([outcome])
        assert valve.tell("1", "up").failed == 0

    run(scenario(), 400)


def test_of_suspects_the_latest_are_remembered(monkeypatch) -> None:
    monkeypatch.setattr("gateways.http.packing.MOST_SUSPECTS", 10)
    suspects = Suspects()
    few = messages(12)
    suspects.split(few)
    assert few[0] not in suspects and few[2] in suspects
    assert suspects.find_group(few[2]) != suspects.find_group(few[11])
    suspects.forget([2])
    assert suspects.find_group(few[2]) == 0
