"""Asking for events: page by page, again until all is told, what a connection keeps in memory, and whose turn it is."""

import asyncio

import pytest

from gateways.adapters.netgsm.gateway import NetgsmGateway
from gateways.base import NotSent, OutcomeUnknown
from gateways.http.events import PulledPage, pack_receipt
from gateways.http.link import RequestLink
from gateways.http.pulling import DIGEST_SIZE, SEARCH_PAGES, Puller
from gateways.http.turns import Turn
from gateways.types import PullJob
from tests.gateways.http_toy import Desk, open_toy, pull, receipt
from tests.gateways.wire_cases import Recorder, run, until


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


def test_of_what_was_stored_little_stays_in_memory(monkeypatch) -> None:
    """Two hundred thousand whole events of a provider that writes much would be gigabytes."""
    pullers: list[Puller] = []
    monkeypatch.setattr(Puller, "start", lambda self, start=Puller.start: (pullers.append(self), start(self)))
    long = [pack_receipt({"id": f"j1:{n}", "state": "delivered", "job": "j1", "text": "x" * 50_000}) for n in (1, 2)]
    toy, recorder = open_toy(), Recorder()
    toy.pages = [PulledPage(long[:1]), PulledPage(long)]
    job = [PullJob(5, "j1", 2, 0)]
    pull(toy, Desk(job, job), recorder, until_asked=2)
    assert recorder.raws == long, "each once"
    [puller] = pullers
    assert {len(kept) for kept in puller._seen} == {DIGEST_SIZE}


def test_a_broken_job_is_put_off_although_other_jobs_are_answered(quick) -> None:
    """Two tenants in turn: between its failures there is always an answer about somebody else's job."""
    toy, recorder = open_toy(), Recorder()
    bad, good = OutcomeUnknown("shape"), PulledPage([receipt(1)])
    toy.pages = [bad, good, bad, good, bad]
    broken, other = [PullJob(5, "broken", 1, 0)], [PullJob(6, "j1", 9, 0)]
    pull(toy, Desk(broken, other, broken, other, broken), recorder, until_asked=5)
    assert [pk for batch in recorder.batches if batch.progress for pk, _ in batch.progress.later] == [6, 6, 5]


def test_a_job_that_is_answered_again_begins_anew(quick) -> None:
    toy, recorder = open_toy(), Recorder()
    bad, good = OutcomeUnknown("shape"), PulledPage([])
    toy.pages = [bad, bad, good, bad, bad]
    job = [PullJob(5, "j1", 1, 0)]
    pull(toy, Desk(job, job, job, job, job), recorder, until_asked=5)
    assert len([batch for batch in recorder.batches if batch.progress]) == 1, "only for its answer"


def test_other_jobs_have_their_turns_between_the_pages_of_a_search(quick) -> None:
    """And it goes on where it was, also after the line was lost."""
    toy, recorder = open_toy(), Recorder()
    more = PulledPage([], is_last=False)
    toy.pages = [*[more] * SEARCH_PAGES, PulledPage([]), more, NotSent("down"), PulledPage([]), more, PulledPage([])]
    desk = Desk([PullJob(1, "?search", 0, 0)], [PullJob(2, "?next", 0, 0)], [PullJob(5, "j1", 1, 0)],
                [PullJob(6, "j2", 1, 0)])  # fmt: skip
    pull(toy, desk, recorder, until_asked=len(toy.pages))
    search, one, two = ["?search"], ["j1"], ["j2"]
    assert toy.asked == [
        (search, 0), (search, 1), (search, 2), (one, 0), (search, 3), (search, 4), (two, 0), (search, 4), (search, 5),
        (["?next"], 0),
    ]  # fmt: skip
    assert [[pk for pk, _ in batch.progress.later] for batch in recorder.batches if batch.progress] == [
        [5], [6], [1], [2],
    ]  # fmt: skip


def test_overlapping_searches_are_asked_as_one() -> None:
    gateway = NetgsmGateway.from_settings({"username": "850", "password": "gizli", "total_seconds": 30})
    calls = [gateway.write_unknown_job([], 1_800_000_000.0 + seconds) for seconds in (0, 60, 120, 3600)]
    order = [calls[1], calls[0], calls[2], calls[3]]
    turn = Turn([PullJob(pk, job, 0, pk) for pk, job in enumerate(order)], gateway)
    began, ended = calls[0].partition("/")[0], calls[2].partition("/")[2]
    assert turn.names == [f"{began}/{ended}"]
    assert [job.pk for job in turn.jobs] == [0, 1, 2], "the one of an hour later has a turn of its own"
    later = dict(turn.plan().later)
    assert set(later) == {0, 1, 2} and later[0] != later[1], "each by its own age"
