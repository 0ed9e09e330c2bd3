"""Asking for events: what a connection keeps in memory, and whose turn it is."""

from gateways.http.events import PulledPage, pack_receipt
from gateways.http.pulling import DIGEST_SIZE, Puller
from gateways.types import PullJob
from tests.gateways.test_http_link import Desk, open_toy, pull
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
