"""The two ends of the wire for tests: a listener that keeps everything, and a centre on a free port.

Tests that use these open sockets on 127.0.0.1 and are bounded by ``run``, in virtual time unless another process or
thread takes part.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gateways.adapters.smpp.session import SmppSession
from gateways.adapters.smpp.settings import SmppSettings
from gateways.base import EventBatch, LinkState
from gateways.simulator.centre import Centre
from gateways.simulator.script import Script
from gateways.types import OutboundMessage, OutcomeKind, SubmitOutcome
from tests.gateways.virtual_time import run_in_virtual_time

LIMIT_SECONDS = 20.0


def run(coroutine: Coroutine[Any, Any, Any], limit: float = LIMIT_SECONDS) -> Any:
    """asyncio.run with an end, both ends of every socket in this loop: a busy machine changes no result."""
    return run_in_virtual_time(_bound(coroutine, limit))


def run_in_real_time(coroutine: Coroutine[Any, Any, Any], limit: float = LIMIT_SECONDS) -> Any:
    """As ``run`` where the other end is a process or thread of its own."""
    return asyncio.run(_bound(coroutine, limit))


async def _bound(coroutine: Coroutine[Any, Any, Any], limit: float) -> Any:
    async with asyncio.timeout(limit):
        return await coroutine


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not condition():
        if loop.time() > end:
            raise AssertionError("did not happen in time")
        await asyncio.sleep(0.005)


class Recorder:
    """A listener that keeps what it is told. ``stores``: acknowledge events at once."""

    def __init__(self, *, stores: bool = True) -> None:
        self.outcomes: list[SubmitOutcome] = []
        self.batches: list[EventBatch] = []
        self.states: list[tuple[LinkState, str]] = []
        self.stores = stores

    def on_outcomes(self, outcomes: list[SubmitOutcome]) -> None:
        self.outcomes.extend(outcomes)

    def on_events(self, batch: EventBatch) -> None:
        self.batches.append(batch)
        if self.stores:
            batch.stored()

    def on_state(self, state: LinkState, code: str) -> None:
        self.states.append((state, code))

    @property
    def raws(self) -> list[bytes]:
        return [raw for batch in self.batches for raw in batch.raws]

    def tokens(self, kind: OutcomeKind, *, late: bool | None = None) -> list[int]:
        return [o.token for o in self.outcomes if o.kind is kind and late in (None, o.late)]


def messages(count: int, text: str = "Merhaba", **fields: Any) -> list[OutboundMessage]:
    return [OutboundMessage(n, f"+90532{n:07d}", "PEYK", f"{text} {n}", **fields) for n in range(count)]


@asynccontextmanager
async def running_centre(journal: Path | None = None, **script: Any) -> AsyncIterator[tuple[Centre, int]]:
    fast = {"receipt_delay": [1, 10], **script}
    centre = Centre(Script().changed(fast), journal)
    port = await centre.start(0)
    try:
        yield centre, port
    finally:
        await centre.stop()


@asynccontextmanager
async def bound_session(port: int, listener: Recorder, **settings: Any) -> AsyncIterator[SmppSession]:
    values = {"system_id": "test", "tps": 0, "window_size": 50, "enquire_link_seconds": 60, **settings}
    session = SmppSession(SmppSettings.from_mapping({"port": port, **values}), listener)
    await session.open()
    try:
        yield session
    finally:
        await session.close(grace_seconds=0.2)
