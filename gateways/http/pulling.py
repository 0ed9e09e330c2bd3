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
from gateways.http.turns import Turn
from gateways.types import DeliveryEvent, DeliveryState, JobsWanted, PullProgress

if TYPE_CHECKING:
    from gateways.http.gateway import HttpGateway

log = logging.getLogger(__name__)
RECEIPTS, INBOUND = "receipts", "inbound"
MARGIN = 1.05
MOST_SEEN = 200_000
DIGEST_SIZE = 16
MOST_PAGES = 10_000
SEARCH_PAGES = 3
"""Pages of a search in one turn."""
IDLE_LEAST, IDLE_MOST = 0.25, 5.0
REFUSED_PAUSE = 1.0
MOST_FAILURES = 3
MOST_FAILING = 10_000


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
        self._search: Turn | None = None  # one that has pages left
        self._is_searchs_turn = False

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
        """One turn: due jobs with all their pages, or a few pages of a search. A search may have hundreds: other jobs
        have their turns in between."""
        turn = await self._find_turn()
        if turn is None:
            await asyncio.sleep(min(IDLE_MOST, max(IDLE_LEAST, self._gateway.settings.receipt_polls[0] / 4)))
            return
        try:
            await self._ask_about(turn)
        except (NotSent, LoginRefused, Deferred):
            raise
        except Exception:
            await self._note_failure(turn)
            raise
        for job in turn.jobs:
            self._failures.pop(job.pk, None)

    async def _find_turn(self) -> Turn | None:
        self._is_searchs_turn = not self._is_searchs_turn
        if self._search is not None and self._is_searchs_turn:
            return self._search
        wanted = JobsWanted(
            most_messages=self._rows,
            most_jobs=self._gateway.capabilities.jobs_per_query,
            first_seconds=self._gateway.settings.receipt_polls[0],
            searches=self._search is None,
            skips_settled=self._mode == "both",
        )
        jobs = await asyncio.to_thread(self._desk.list_due_jobs, wanted)
        if not jobs:
            return self._search
        turn = Turn(jobs, self._gateway)
        if turn.is_search:
            self._search = turn
        return turn

    async def _note_failure(self, turn: Turn) -> None:
        """What cannot be asked about again and again must not hold up the rest: it waits for its next turn."""
        for job in turn.jobs:
            self._failures[job.pk] = self._failures.pop(job.pk, 0) + 1
        while len(self._failures) > MOST_FAILING:
            self._failures.popitem(last=False)
        failing = [job for job in turn.jobs if self._failures.get(job.pk, 0) >= MOST_FAILURES]
        if failing:
            self._forget(turn)
            await self._store([], Turn(failing, self._gateway).plan())

    async def _ask_about(self, turn: Turn) -> None:
        for _ in range(SEARCH_PAGES if turn.is_search else MOST_PAGES):
            await self._take_turn()
            page = await self._gateway.pull_jobs(turn.names, turn.page)
            raws = self._choose(page.raws, turn)
            turn.page += 1
            turn.found += page.found
            # A provider that never says "that was all" is not asked again once all are told of.
            is_last = page.is_last or turn.page >= MOST_PAGES or all(turn.is_whole(job) for job in turn.jobs)
            await self._store(raws, turn.plan() if is_last else None)
            self._remember(raws)
            if is_last:
                self._forget(turn)
                return

    def _forget(self, turn: Turn) -> None:
        if turn is self._search:
            self._search = None

    def _choose(self, raws: Sequence[bytes], turn: Turn) -> list[bytes]:
        """What is news: not what still waits at the provider, and not what we have stored already."""
        chosen = []
        for raw, event in zip(raws, self._gateway.read_events(raws), strict=True):
            if isinstance(event, DeliveryEvent):
                turn.add(event)
                if event.state is DeliveryState.ACCEPTED and not turn.is_search:
                    continue
            if _digest(raw) not in self._seen:
                chosen.append(raw)
        return chosen

    def _remember(self, raws: Sequence[bytes]) -> None:
        for raw in raws:
            self._seen[_digest(raw)] = None
        while len(self._seen) > MOST_SEEN:
            self._seen.popitem(last=False)


def _digest(raw: bytes) -> bytes:
    """Stands for a raw event in memory: one may be as long as the page that brought it."""
    return hashlib.blake2b(raw, digest_size=DIGEST_SIZE).digest()
