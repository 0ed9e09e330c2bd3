"""Rate of one bind: smscore's pace, and what to do where the contract names no rate (S9, S10)."""

from __future__ import annotations

import time
from collections.abc import Callable

from smscore.pacing import AdaptivePace

SLOWEST = 1.0
SHORTEST_SPAN = 0.05


class Pacer:
    """Permissions to submit. ``rate`` 0 = as fast as the window allows, until the centre says "too fast":
    then the rate seen in the last second is the full one, until that is reached again."""

    __slots__ = ("_clock", "_count", "_counted_from", "_pace", "_rate")

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._pace = AdaptivePace(rate, clock=clock) if rate else None
        self._count = 0
        self._counted_from = clock()

    @property
    def rate(self) -> float:
        """Submits a second at present; 0 = unlimited."""
        return self._pace.bucket.rate if self._pace else 0.0

    def take(self, wanted: int) -> int:
        """Take up to ``wanted`` submits now; what is not used goes back with ``give_back``."""
        pace = self._pace
        if pace is not None:
            return pace.take(wanted)
        now = self._clock()
        if now - self._counted_from >= 1.0:
            self._count, self._counted_from = 0, now
        self._count += wanted
        return wanted

    def give_back(self, unused: int) -> None:
        if self._pace is not None:
            self._pace.bucket.give_back(unused)
        else:
            self._count -= unused

    def delay(self) -> float:
        """Seconds until a further submit may leave."""
        return self._pace.bucket.seconds_until() if self._pace is not None else 0.0

    def record_answers(self, count: int, throttled: int, *, unanswered: int) -> None:
        """As `AdaptivePace.record_answers`."""
        if self._pace is None:
            if not throttled:
                return
            span = max(self._clock() - self._counted_from, SHORTEST_SPAN)
            self._pace = AdaptivePace(max(SLOWEST, self._count / span), clock=self._clock)
        pace = self._pace
        was_slow = pace.bucket.rate < pace.full_rate
        pace.record_answers(count, throttled, unanswered=unanswered)
        if was_slow and not self._rate and pace.bucket.rate >= pace.full_rate:
            self._pace = None
