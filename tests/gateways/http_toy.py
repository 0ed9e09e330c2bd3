"""A gateway over HTTP that answers as a test tells it, and the jobs it is asked about."""

import asyncio
import json
import time
from collections.abc import Callable, Sequence

from gateways.http.events import PulledPage, pack_receipt
from gateways.http.gateway import HttpGateway
from gateways.http.link import RequestLink
from gateways.types import (
    Capabilities,
    DeliveryEvent,
    DeliveryState,
    JobsWanted,
    OutboundMessage,
    OutcomeKind,
    PullJob,
    SubmitOutcome,
)
from tests.gateways.wire_cases import Recorder, run, until


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
