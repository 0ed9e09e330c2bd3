"""An event loop whose time passes only when nothing else is left to do, so that a slow machine changes no result.

The sockets are real and both their ends live in this loop: what is written at one end is there at the other before
time goes on. Nothing of another process may take part, it would never be waited for; threads of the loop's executor
(name look-ups) are.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any
from unittest import mock

LEAST_WAIT, MOST_WAIT = 0.0005, 0.05
"""Seconds of real time for which the kernel may hold back what was written, before virtual time jumps."""
TICK = 1e-6
"""Virtual seconds a round of the loop takes: who waits for the clock to move must not wait forever."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Starts at a whole second, so that whoever counts by the second counts the same in every run."""

    def __init__(self) -> None:
        self._now = float(int(time.monotonic()))
        self._wall_offset = int(time.time()) - self._now
        self._in_threads = 0
        super().__init__(PatientSelector(self))

    def time(self) -> float:
        return self._now

    def wall(self) -> float:
        """What the clock on the wall shows: seconds since the epoch."""
        return self._now + self._wall_offset

    def pass_time(self, seconds: float) -> None:
        self._now += seconds

    @property
    def waits_for_threads(self) -> bool:
        return self._in_threads > 0

    def run_in_executor(self, executor: Executor | None, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        self._in_threads += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._count_back)
        return future

    def _count_back(self, future: asyncio.Future[Any]) -> None:
        self._in_threads -= 1


class PatientSelector(selectors.DefaultSelector):
    """Answers at once; lets the loop's time pass where no socket has anything to say."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._loop.pass_time(TICK)
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None or self._loop.waits_for_threads:
            return super().select(timeout)
        ready = super().select(min(max(timeout / 1000, LEAST_WAIT), MOST_WAIT))
        if not ready:
            self._loop.pass_time(timeout)
        return ready


def run_in_virtual_time(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """As asyncio.run, with the clocks of `time` following the loop."""
    loop = VirtualLoop()
    with (
        mock.patch.object(time, "monotonic", loop.time),
        mock.patch.object(time, "time", loop.wall),
        asyncio.Runner(loop_factory=lambda: loop) as runner,
    ):
        return runner.run(coroutine)
