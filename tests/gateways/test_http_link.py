"""Calls as a link: packing, pace, urgency, back-off, and events that are asked for."""

import asyncio
import itertools
import json
import time
from collections.abc import Callable, Sequence

import pytest

from gateways import backoff
from gateways.base import Deferred, LinkState, LoginRefused, NotSent, OutcomeUnknown
from gateways.http.events import PulledPage, pack_receipt
from gateways.http.gateway import HttpGateway
from gateways.http.link import QUEUE_SECONDS, TRIAL_SIZE, RequestLink
from gateways.http.pacing import CallPace
from gateways.http.packing import CallQueue
from gateways.types import (
    Capabilities,
    DeliveryEvent,
    DeliveryState,
    JobsWanted,
    OutboundMessage,
    OutcomeKind,
    PullJob,
    Reason,
    SubmitOutcome,
)
from tests.gateways.wire_cases import Recorder, messages, run, until


class Toy(HttpGateway):
    """Answers by a function; keeps what it was called with."""

    slug = "toy"
    capabilities = Capabilities(
        batch_size=100, receipts="pull", receipts_by="job", jobs_per_query=10, receipt_rows_per_query=100,
        id_per_message=False,
    )  # fmt: skip
    gather_seconds = 0.02

    def __init__(self, settings) -> None:  # type: ignore[no-untyped-def]
        super().__init__(settings)
        self.calls: list[list[int]] = []
        self.called_at: list[float] = []
        self.asked_at: list[float] = []
        self.seconds = 0.005
        self.fails: Callable[[int], Exception | None] = lambda call: None
        self.pages: list[PulledPage | Exception] = []
        self.asked: list[tuple[list[str], int]] = []

    async def submit(self, messages: Sequence[OutboundMessage]) -> list[SubmitOutcome]:
        self.calls.append([m.token for m in messages])
        self.called_at.append(time.monotonic())
        return await super().submit(messages)

    def write_request(self, messages):  # type: ignore[no-untyped-def]
        return [m.token for m in messages]

    def build_request(self, messages):  # type: ignore[no-untyped-def]
        return self.write_request(messages)

    async def exchange(self, request):  # type: ignore[no-untyped-def]
        number = len(self.calls)
        await asyncio.sleep(self.seconds)
        error = self.fails(number)
        if error:
            raise error
        return request

    def read_answer(self, answer, messages):  # type: ignore[no-untyped-def]
        return [SubmitOutcome(t, OutcomeKind.ACCEPTED, str(t)) for t in answer]

    async def pull_jobs(self, jobs, page):  # type: ignore[no-untyped-def]
        self.asked.append((list(jobs), page))
        self.asked_at.append(time.monotonic())
        answer = self.pages.pop(0) if self.pages else PulledPage([])
        if isinstance(answer, Exception):
            raise answer
        return answer

    def read_receipt(self, payload: bytes) -> DeliveryEvent:
        row = json.loads(payload)
        return DeliveryEvent(row["id"], "", DeliveryState(row["state"]), job_id=row.get("job", ""))


def open_toy(**settings: object) -> Toy:
    values = {"base_url": "https://x.example", "tps": 100_000.0, "window_size": 4, **settings}
    return Toy.from_settings(values)


def start(toy: Toy) -> tuple[RequestLink, Recorder]:
    recorder = Recorder()
    link = RequestLink(toy, recorder)
    link.start()
    return link, recorder


@pytest.fixture
def quick(monkeypatch) -> None:
    monkeypatch.setattr(backoff, "LOST_FIRST", 0.05)
    monkeypatch.setattr(backoff, "REFUSED_FIRST", 0.05)


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


# -- events that are asked for -------------------------------------------------------------------------------


class Desk:
    def __init__(self, *rounds: list[PullJob]) -> None:
        self.rounds = list(rounds)
        self.skips_settled = False

    def load_cursor(self, stream: str) -> str:
        return ""

    def list_due_jobs(self, wanted: JobsWanted) -> list[PullJob]:
        self.skips_settled |= wanted.skips_settled
        round = next((jobs for jobs in self.rounds if jobs[0].message_count or wanted.searches), [])
        if round:
            self.rounds.remove(round)
        return round


def receipt(number: int, state: str = "delivered", job: str = "j1") -> bytes:
    return pack_receipt({"id": f"{job}:{number}", "state": state, "job": job})


def pull(toy: Toy, desk: Desk, recorder: Recorder, *, until_asked: int) -> None:
    async def scenario() -> None:
        link = RequestLink(toy, recorder)
        link.pull_with(desk)
        link.start()
        await until(lambda: len(toy.asked) >= until_asked)
        await asyncio.sleep(0.05)
        await link.close()

    run(scenario())


def test_the_next_page_is_asked_for_after_the_last_is_stored() -> None:
    """R1; and news only: what still waits at the provider is not stored, nor the same receipt again."""
    toy, recorder = open_toy(), Recorder(stores=False)
    toy.pages = [PulledPage([receipt(1), receipt(2, "accepted")], is_last=False), PulledPage([receipt(3), receipt(1)])]

    async def scenario() -> None:
        link = RequestLink(toy, recorder)
        link.pull_with(Desk([PullJob(5, "j1", 3, 0)]))
        link.start()
        await until(lambda: len(recorder.batches) == 1)
        await asyncio.sleep(0.05)
        assert toy.asked == [(["j1"], 0)]
        recorder.batches[0].stored()
        await until(lambda: len(recorder.batches) == 2)
        assert toy.asked == [(["j1"], 0), (["j1"], 1)]
        assert recorder.raws == [receipt(1), receipt(3)]
        progress = recorder.batches[1].progress
        assert progress is not None
        assert progress.later == ((5, 480.0),), "two of three are final: again at ten minutes"
        await link.close()

    run(scenario())


def test_what_could_not_be_stored_is_offered_again() -> None:
    toy, recorder = open_toy(), Recorder(stores=False)
    toy.pages = [PulledPage([receipt(1)])]

    async def scenario() -> None:
        link = RequestLink(toy, recorder)
        link.pull_with(Desk([PullJob(5, "j1", 1, 0)]))
        link.start()
        await until(lambda: len(recorder.batches) == 1)
        recorder.batches[0].refused()
        await until(lambda: len(recorder.batches) == 2)
        assert recorder.raws == [receipt(1)] * 2
        assert toy.asked == [(["j1"], 0)], "not asked again for it"
        assert recorder.batches[1].progress == recorder.batches[0].progress
        await link.close()

    run(scenario())


def test_whole_jobs_are_closed_each_by_itself() -> None:
    toy, recorder = open_toy(), Recorder()
    toy.pages = [PulledPage([receipt(1), receipt(1, job="j2"), receipt(2, "undelivered", job="j2")])]
    pull(toy, Desk([PullJob(5, "j1", 2, 1), PullJob(6, "j2", 2, 0)]), recorder, until_asked=1)
    [batch] = recorder.batches
    assert batch.progress is not None
    assert batch.progress.closed == (6,)
    assert batch.progress.later == ((5, 1200.0),)


def test_once_all_are_told_of_no_further_page_is_asked_for() -> None:
    """Full pages, and a provider that does not say how many there are: each query is one of ten a minute."""
    toy, recorder = open_toy(), Recorder()
    toy.pages = [PulledPage([receipt(n), receipt(n + 1)], is_last=False) for n in (1, 3, 5)]
    pull(toy, Desk([PullJob(5, "j1", 4, 0)]), recorder, until_asked=2)
    assert toy.asked == [(["j1"], 0), (["j1"], 1)]
    assert recorder.batches[-1].progress.closed == (5,)  # type: ignore[union-attr]


def test_a_job_is_given_up_after_its_days() -> None:
    toy, recorder = open_toy(), Recorder()
    pull(toy, Desk([PullJob(5, "j1", 2, 11)]), recorder, until_asked=1)
    assert recorder.batches[0].progress.closed == (5,)  # type: ignore[union-attr]


def test_queries_keep_to_the_limit() -> None:
    toy, recorder = open_toy(receipt_queries_per_minute=600.0), Recorder()
    toy.pages = [PulledPage([receipt(n)], is_last=False) for n in range(9)]
    pull(toy, Desk([PullJob(5, "j1", 20, 0)]), recorder, until_asked=6)
    assert toy.asked_at[5] - toy.asked_at[0] >= 5 * 0.1


def test_a_pull_that_fails_is_tried_again(quick) -> None:
    toy, recorder = open_toy(), Recorder()
    toy.pages = [OutcomeUnknown("timeout"), NotSent("down"), PulledPage([receipt(1)])]
    job = [PullJob(5, "j1", 1, 0)]
    pull(toy, Desk(job, job, job), recorder, until_asked=3)
    assert recorder.raws == [receipt(1)]


def test_a_job_that_cannot_be_asked_about_does_not_hold_up_the_rest(quick) -> None:
    """Three times in a row, then it waits for its next turn; an outage of the line does not count."""
    toy, recorder = open_toy(), Recorder()
    toy.pages = [OutcomeUnknown("shape"), NotSent("down"), KeyError("data"), OutcomeUnknown("shape")]
    job = [PullJob(5, "j1", 1, 0)]
    pull(toy, Desk(job, job, job, job), recorder, until_asked=4)
    assert [batch.progress.later for batch in recorder.batches if batch.progress] == [((5, 480.0),)]


@pytest.mark.parametrize(("receipts", "is_told_by_push"), [("both", True), ("pull", False)])
def test_what_pushes_told_is_forgotten_before_asking(receipts: str, is_told_by_push: bool) -> None:
    toy, recorder = open_toy(receipts=receipts), Recorder()
    desk = Desk([PullJob(5, "j1", 1, 0)])
    pull(toy, desk, recorder, until_asked=1)
    assert desk.skips_settled == is_told_by_push
