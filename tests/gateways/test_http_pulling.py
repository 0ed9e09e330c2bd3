"""Asking for events: what a connection keeps in memory, and whose turn it is."""

import pytest

from gateways import backoff
from gateways.adapters.netgsm.gateway import NetgsmGateway
from gateways.base import NotSent, OutcomeUnknown
from gateways.http.events import PulledPage, pack_receipt
from gateways.http.pulling import DIGEST_SIZE, SEARCH_PAGES, Puller
from gateways.http.turns import Turn
from gateways.types import PullJob
from tests.gateways.test_http_link import Desk, open_toy, pull, receipt
from tests.gateways.wire_cases import Recorder


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


@pytest.fixture
def quick(monkeypatch) -> None:
    monkeypatch.setattr(backoff, "LOST_FIRST", 0.05)


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
