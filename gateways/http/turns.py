"""One turn of asking for receipts by job: what is asked, and what the pages so far say of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gateways.types import DeliveryEvent, DeliveryState, PullJob, PullProgress

if TYPE_CHECKING:
    from gateways.http.gateway import HttpGateway

DAY = 86_400.0
FINAL = (DeliveryState.DELIVERED, DeliveryState.UNDELIVERED)


class Turn:
    """Jobs that are asked about together: counted ones, or searches (whose messages are not counted).

    Of the searches given as many have a turn as one question finds.
    """

    def __init__(self, jobs: Sequence[PullJob], gateway: HttpGateway) -> None:
        self._gateway = gateway
        self.is_search = not jobs[0].message_count
        self.jobs = list(jobs)
        self.names = [job.job for job in jobs]
        if self.is_search:
            self._join(jobs)
        self.page = 0
        self.found: list[tuple[str, int]] = []
        self._alone = self.names[0] if len(self.jobs) == 1 else ""
        self._finals: dict[str, set[str]] = {job.job: set() for job in self.jobs}

    def _join(self, jobs: Sequence[PullJob]) -> None:
        self.jobs, self.names = [jobs[0]], [jobs[0].job]
        for job in jobs[1:]:
            joined = self._gateway.join_searches(self.names[0], job.job)
            if joined:
                self.jobs.append(job)
                self.names = [joined]

    def add(self, event: DeliveryEvent) -> None:
        if event.state not in FINAL:
            return
        finals = self._finals.get(self._alone or self._gateway.find_job(event, list(self._finals)))
        if finals is not None:
            finals.add(event.provider_message_id)

    def is_whole(self, job: PullJob) -> bool:
        return bool(job.message_count) and len(self._finals[job.job]) >= job.message_count

    def plan(self) -> PullProgress:
        """What becomes of the jobs once they have been asked about."""
        settings = self._gateway.settings
        polls: Sequence[float] = settings.receipt_polls
        closed, later = [], []
        for job in self.jobs:
            age, wait = _find_wait(polls, job.tries)
            is_old = age > settings.receipt_days * DAY
            if is_old or self.is_whole(job) or (self.is_search and job.tries + 1 >= len(polls)):
                closed.append(job.pk)
            else:
                later.append((job.pk, wait))
        return PullProgress(closed=tuple(closed), later=tuple(later), found=tuple(self.found))


def _find_wait(polls: Sequence[float], tries: int) -> tuple[float, float]:
    """(about how old a job is that has been asked about so often before, seconds until it is asked about again)."""
    last = len(polls) - 1
    if tries < last:
        return polls[tries], polls[tries + 1] - polls[tries]
    step = polls[last] - polls[last - 1] if last else polls[0]
    return polls[last] + (tries - last) * step, step
