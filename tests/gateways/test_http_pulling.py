"""Asking for events: what a connection keeps in memory, and whose turn it is."""

import pytest

from gateways import backoff
from gateways.base import OutcomeUnknown
from gateways.http.events import PulledPage, pack_receipt
from gateways.http.pulling import DIGEST_SIZE, Puller
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
