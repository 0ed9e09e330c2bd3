"""Many things due soon, one timer: items are kept in buckets of a few milliseconds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")
BUCKETS_PER_SECOND = 200


class Wheel(Generic[Item]):
    """Hands lists of due items to ``deliver``, never earlier than asked, at most one bucket later."""

    def __init__(self, deliver: Callable[[list[Item]], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._deliver = deliver
        self._buckets: dict[int, list[Item]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._next = 0

    def __len__(self) -> int:
        return sum(map(len, self._buckets.values()))

    def add(self, due: float, item: Item) -> None:
        """``due`` in the loop's time."""
        number = int(due * BUCKETS_PER_SECOND) + 1
        bucket = self._buckets.get(number)
        if bucket is not None:
            bucket.append(item)
            return
        self._buckets[number] = [item]
        if self._timer is None or number < self._next:
            self._arm(number)

    def _arm(self, number: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._next = number
        self._timer = self._loop.call_at(number / BUCKETS_PER_SECOND, self._fire)

    def _fire(self) -> None:
        self._timer = None
        now = int(self._loop.time() * BUCKETS_PER_SECOND)
        due = sorted(number for number in self._buckets if number <= now)
        for number in due:
            self._deliver(self._buckets.pop(number))
        if self._buckets and self._timer is None:
            self._arm(min(self._buckets))

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
