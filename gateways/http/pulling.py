"""Asking a provider for receipts and inbound messages, within its limits, one page after the other.

The next page is asked for only when what the last one brought is committed, together with how far we have come (R1).
After a crash a page or a round is asked again; the inbox does not mind (R2).
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from gateways.backoff import wait_after_loss, wait_after_refusal
from gateways.base import Deferred, GatewayError, Listener, LoginRefused, NotSent, PullDesk, describe_fault
from gateways.http.events import PulledPage
from gateways.types import DeliveryEvent, DeliveryState, PullJob, PullProgress

if TYPE_CHECKING:
    from gateways.http.gateway import HttpGateway

log = logging.getLogger(__name__)
RECEIPTS, INBOUND = "receipts", "inbound"
DAY = 86_400.0
MARGIN = 1.05
MOST_SEEN = 200_000
DIGEST_SIZE = 16
MOST_PAGES = 10_000
IDLE_LEAST, IDLE_MOST = 0.25, 5.0
REFUSED_PAUSE = 1.0
MOST_FAILURES = 3
MOST_FAILING = 10_000
FINAL = (DeliveryState.DELIVERED, DeliveryState.UNDELIVERED)


class RawBatch:
    """Raw events for the inbox. ``wait`` tells whether they were committed."""

    def __init__(self, raws: Sequence[bytes], progress: PullProgress | None = None) -> None:
        self._raws = raws
        self._progress = progress
        self._answer: asyncio.Future[bool] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def raws(self) -> Sequence[bytes]:
        return self._raws

    @property
    def progress(self) -> PullProgress | None:
        return self._progress

    def stored(self) -> None:
        self._settle(True)

    def refused(self) -> None:
        self._settle(False)

    async def store(self, listener: Listener) -> bool:
        """Hand it to the engine and wait; False if it could not be stored now."""
        self._loop = asyncio.get_running_loop()
        answer = self._answer = self._loop.create_future()
        listener.on_events(self)
        return await answer

    def _settle(self, is_stored: bool) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._tell, is_stored)

    def _tell(self, is_stored: bool) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(is_stored)


class Puller:
    """One task per stream that has to be pulled. Event-loop thread only."""

    def __init__(self, gateway: HttpGateway, listener: Listener, desk: PullDesk) -> None:
        self._gateway = gateway
        self._listener = listener
        self._desk = desk
        settings, able = gateway.settings, gateway.capabilities
        self._mode = settings.receipts or able.receipts
        queries = settings.receipt_queries_per_minute or able.receipt_queries_per_minute
        # A little slower than allowed: ours and the provider's clock count different minutes.
        self._spacing = 60 / queries * MARGIN if queries else 0.0
        self._rows = settings.receipt_rows_per_query or able.receipt_rows_per_query or 1000
        self._next_query_at = 0.0
        self._seen: OrderedDict[bytes, None] = OrderedDict()  # digests of what was stored
        self._tasks: list[asyncio.Task[None]] = []
        self._failures: OrderedDict[int, int] = OrderedDict()  # by job: how often in a row it could not be asked about

    def start(self) -> None:
        able, settings = self._gateway.capabilities, self._gateway.settings
        works: list[Callable[[], Awaitable[None]]] = []
        if self._mode in ("pull", "both"):
            if able.receipts_by == "job":
                works.append(self._ask_about_jobs)
            else:
                works.append(lambda: self._follow(RECEIPTS, self._gateway.pull_receipts, settings.receipt_polls[0]))
        seconds = settings.inbound_pull_seconds or able.inbound_pull_seconds
        if able.inbound and seconds and settings.pulls_inbound:
            works.append(lambda: self._follow(INBOUND, self._gateway.pull_inbound, seconds))
        self._tasks = [asyncio.create_task(self._keep(work)) for work in works]

    async def close(self, grace_seconds: float) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace_seconds)

    async def _keep(self, work: Callable[[], Awaitable[None]]) -> None:
        failures = 0
        while True:
            try:
                await work()
                failures = 0
            except Deferred as error:
                await asyncio.sleep(max(error.retry_after_seconds, self._spacing, 1.0))
            except LoginRefused:
                await asyncio.sleep(wait_after_refusal(failures))
                failures += 1
            except GatewayError as error:
                log.warning("gateway.pull_failed", extra={"gateway": self._gateway.slug, "code": error.code})
                await asyncio.sleep(wait_after_loss(failures))
                failures += 1
            except Exception as error:  # an answer of another shape, or a fault of ours: asked again later
                log.warning("gateway.pull_fault", extra={"gateway": self._gateway.slug, "fault": describe_fault(error)})
                await asyncio.sleep(wait_after_loss(failures))
                failures += 1

    async def _take_turn(self) -> None:
        """Wait for the provider's limit on queries."""
        now = time.monotonic()
        at = max(now, self._next_query_at)
        self._next_query_at = at + self._spacing
        if at > now:
            await asyncio.sleep(at - now)

    async def _store(self, raws: Sequence[bytes], progress: PullProgress | None) -> None:
        """Until it is committed: nothing further is asked before."""
        if not raws and progress is None:
            return
        while not await RawBatch(raws, progress).store(self._listener):
            await asyncio.sleep(REFUSED_PAUSE)

    # -- streams by cursor -------------------------------------------------------------------------------

    async def _follow(self, stream: str, pull: Callable[[str], Awaitable[PulledPage]], seconds: float) -> None:
        cursor = await asyncio.to_thread(self._desk.load_cursor, stream)
        for _ in range(MOST_PAGES):
            await self._take_turn()
            page = await pull(cursor)
            raws = [raw for raw in page.raws if _digest(raw) not in self._seen]
            has_moved = bool(page.cursor) and page.cursor != cursor
            progress = PullProgress(cursors=((stream, page.cursor),)) if has_moved else None
            await self._store(raws, progress)
            self._remember(raws)
            cursor = page.cursor or cursor
            if page.is_last:
                break
        await asyncio.sleep(seconds)

    # -- jobs --------------------------------------------------------------------------------------------

    async def _ask_about_jobs(self) -> None:
        """One round: due jobs, all their pages."""
        first = self._gateway.settings.receipt_polls[0]
        if self._mode == "both":
            await asyncio.to_thread(self._desk.close_settled_jobs)
        jobs = await asyncio.to_thread(
            self._desk.list_due_jobs, self._rows, self._gateway.capabilities.jobs_per_query, first
        )
        if not jobs:
            await asyncio.sleep(min(IDLE_MOST, max(IDLE_LEAST, first / 4)))
            return
        try:
            await self._ask_about(jobs)
        except (NotSent, LoginRefused, Deferred):
            raise
        except Exception:
            await self._note_failure(jobs)
            raise
        for job in jobs:
            self._failures.pop(job.pk, None)

    async def _note_failure(self, jobs: Sequence[PullJob]) -> None:
        """What cannot be asked about again and again must not hold up the rest: it waits for its next turn."""
        for job in jobs:
            self._failures[job.pk] = self._failures.pop(job.pk, 0) + 1
        while len(self._failures) > MOST_FAILING:
            self._failures.popitem(last=False)
        failing = [job for job in jobs if self._failures.get(job.pk, 0) >= MOST_FAILURES]
        if failing:
            await self._store([], self._plan(failing, _Count(failing, self._gateway), []))

    async def _ask_about(self, jobs: Sequence[PullJob]) -> None:
        count = _Count(jobs, self._gateway)
        found: list[tuple[str, int]] = []
        for number in range(MOST_PAGES):
            await self._take_turn()
            page = await self._gateway.pull_jobs([job.job for job in jobs], number)
            raws = self._choose(page.raws, count)
            # A provider that never says "that was all" is not asked again once all are told of.
            is_last = page.is_last or number == MOST_PAGES - 1 or all(count.is_whole(job) for job in jobs)
            found += page.found
            progress = self._plan(jobs, count, found) if is_last else None
            await self._store(raws, progress)
            self._remember(raws)
            if is_last:
                return

    def _choose(self, raws: Sequence[bytes], count: _Count) -> list[bytes]:
        """What is news: not what still waits at the provider, and not what we have stored already."""
        chosen = []
        for raw, event in zip(raws, self._gateway.read_events(raws), strict=True):
            if isinstance(event, DeliveryEvent):
                count.add(event)
                if event.state is DeliveryState.ACCEPTED and not count.is_search:
                    continue
            if _digest(raw) not in self._seen:
                chosen.append(raw)
        return chosen

    def _remember(self, raws: Sequence[bytes]) -> None:
        for raw in raws:
            self._seen[_digest(raw)] = None
        while len(self._seen) > MOST_SEEN:
            self._seen.popitem(last=False)

    def _plan(self, jobs: Sequence[PullJob], count: _Count, found: Sequence[tuple[str, int]]) -> PullProgress:
        polls = self._gateway.settings.receipt_polls
        closed, later = [], []
        for job in jobs:
            age, wait = _find_wait(polls, job.tries)
            is_old = age > self._gateway.settings.receipt_days * DAY
            if is_old or count.is_whole(job) or (count.is_search and job.tries + 1 >= len(polls)):
                closed.append(job.pk)
            else:
                later.append((job.pk, wait))
        return PullProgress(closed=tuple(closed), later=tuple(later), found=tuple(found))


def _digest(raw: bytes) -> bytes:
    """Stands for a raw event in memory: one may be as long as the page that brought it."""
    return hashlib.blake2b(raw, digest_size=DIGEST_SIZE).digest()


def _find_wait(polls: Sequence[float], tries: int) -> tuple[float, float]:
    """(about how old a job is that has been asked about so often before, seconds until it is asked about again)."""
    last = len(polls) - 1
    if tries < last:
        return polls[tries], polls[tries + 1] - polls[tries]
    step = polls[last] - polls[last - 1] if last else polls[0]
    return polls[last] + (tries - last) * step, step


class _Count:
    """What a round's pages say of each job. A search (a job whose messages are not counted) is asked alone."""

    def __init__(self, jobs: Sequence[PullJob], gateway: HttpGateway) -> None:
        self._gateway = gateway
        self.is_search = len(jobs) == 1 and not jobs[0].message_count
        self._alone = jobs[0].job if len(jobs) == 1 else ""
        self._finals: dict[str, set[str]] = {job.job: set() for job in jobs}

    def add(self, event: DeliveryEvent) -> None:
        if event.state not in FINAL:
            return
        finals = self._finals.get(self._alone or self._gateway.find_job(event, list(self._finals)))
        if finals is not None:
            finals.add(event.provider_message_id)

    def is_whole(self, job: PullJob) -> bool:
        return bool(job.message_count) and len(self._finals[job.job]) >= job.message_count
