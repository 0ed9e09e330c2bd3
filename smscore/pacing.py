"""Keep to a gateway's rate: never more than rate × 1.05 + 1 submits in any second (S9)."""

import time
from collections.abc import Callable
from typing import Final

BURST_SHARE: Final = 0.05
RECOVERY_SECONDS: Final = 10.0
RECOVERY_SHARE: Final = 0.05
SLOWEST_SHARE: Final = 0.01


class TokenBucket:
    """Hands out permissions to send at `rate` per second. Not thread-safe: one per sender slot.

    The bucket holds 5 % of a second's rate and at least one token. In any second it hands out what it held
    and what flowed in, so at most rate × 1.05, plus one. `clock` returns seconds and never goes back.
    """

    def __init__(self, rate: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        if rate <= 0:
            raise ValueError("a rate is above zero")
        self._clock = clock
        self._rate = float(rate)
        self._tokens = 0.0
        self._filled_at = clock()
        self._tokens = self.capacity

    @property
    def rate(self) -> float:
        """Permissions per second."""
        return self._rate

    @rate.setter
    def rate(self, rate: float) -> None:
        if rate <= 0:
            raise ValueError("a rate is above zero")
        self._fill()
        self._rate = float(rate)
        self._tokens = min(self._tokens, self.capacity)

    @property
    def capacity(self) -> float:
        """Tokens the bucket holds when it has not been used for a while."""
        return max(1.0, self._rate * BURST_SHARE)

    def take(self, wanted: int = 1) -> int:
        """Take up to `wanted` permissions; return how many were there, possibly 0."""
        self._fill()
        granted = min(wanted, int(self._tokens + 1e-9))
        self._tokens -= granted
        return granted

    def give_back(self, unused: int) -> None:
        """Return permissions that were taken and not used."""
        self._tokens = min(self.capacity, self._tokens + unused)

    def seconds_until(self, wanted: int = 1) -> float:
        """Seconds until `wanted` permissions (at most a full bucket) are there; 0.0 if they are."""
        self._fill()
        missing = min(float(wanted), self.capacity) - self._tokens
        return max(0.0, missing / self._rate)

    def _fill(self) -> None:
        now = self._clock()
        passed = max(0.0, now - self._filled_at)
        self._filled_at = now
        self._tokens = min(self.capacity, self._tokens + passed * self._rate)


class AdaptivePace:
    """A bucket that halves its rate when the gateway throttles and wins back 5 % of the full rate every
    10 seconds.
    """

    def __init__(self, rate: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.full_rate: Final = float(rate)
        self.bucket: Final = TokenBucket(rate, clock=clock)
        self._clock = clock
        self._changed_at = clock()

    def take(self, wanted: int = 1) -> int:
        """As `TokenBucket.take`, at the rate of the moment."""
        self._recover()
        return self.bucket.take(wanted)

    def slow_down(self) -> None:
        """The gateway said.

        Too fast. Answers to what was sent before the last slow-down count once, within a second.
        """
        now = self._clock()
        if self.bucket.rate < self.full_rate and now - self._changed_at < 1.0:
            return
        self.bucket.rate = max(self.bucket.rate / 2, self.full_rate * SLOWEST_SHARE)
        self._changed_at = now

    def _recover(self) -> None:
        if self.bucket.rate >= self.full_rate:
            return
        steps = int((self._clock() - self._changed_at) / RECOVERY_SECONDS)
        if steps > 0:
            self.bucket.rate = min(self.full_rate, self.bucket.rate + steps * RECOVERY_SHARE * self.full_rate)
            self._changed_at += steps * RECOVERY_SECONDS
