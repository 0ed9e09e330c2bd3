"""Keep to a gateway's rate: never more than rate × 1.05 + 1 submits in any second (S9)."""

import time
from collections.abc import Callable
from typing import Final

BURST_SHARE: Final = 0.05
SLOWEST_SHARE: Final = 0.01
SLOWEST_RATE: Final = 0.5
ROUND_SECONDS: Final = 1.0
ROUND_ANSWERS: Final = 20
LONGEST_ROUND_SECONDS: Final = 4.0
HOLD_SECONDS: Final = 15.0
SETTLE_SECONDS: Final = 1.0
DEEPEST_CUT: Final = 0.1
MARGIN: Final = 0.97
RAISE: Final = 1.3
CLEAR_SHARE: Final = 0.4
WORSE_SHARE: Final = 0.06


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
    """A bucket whose rate follows what the gateway takes (docs/adr/0007).

    Rounds of a second, and of enough answers to say something. A rate that was cut, or that earns a few throttle
    answers, is held for a while; then it is raised, once. If a greater share is throttled than before, the gateway's
    limit lies between: back to what it took while the rate was held. If not, its throttling is no matter of the rate,
    or there is none: the raised rate stays, and rises further. Only a large share cuts the rate while it is held.
    Answers to what was on its way at a change, and those in the second after a cut, do not count: gateways count by
    the second of their own clock.
    """

    def __init__(self, rate: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.full_rate: Final = float(rate)
        self.bucket: Final = TokenBucket(rate, clock=clock)
        self._clock = clock
        self._began_at = self._held_until = self._settled_at = clock()
        self._settle_seconds = 0.0
        self._answers = self._throttled = self._skipped = 0
        self._is_held = False
        self._held_answers = self._held_throttled = 0
        self._usual_share = 0.0  # throttled of what was sent while the rate was held
        self._taken_rate = 0.0  # what was taken then; 0.0: the rate was never held

    def take(self, wanted: int = 1) -> int:
        """As `TokenBucket.take`, at the rate of the moment."""
        return self.bucket.take(wanted)

    def record_answers(self, count: int, throttled: int, *, unanswered: int) -> None:
        """`count` answers came, `throttled` of them "too fast"; so many submits are on their way now."""
        now = self._clock()
        if self._skipped > 0:
            self._skipped -= count
            self._settled_at = now + self._settle_seconds
        if self._skipped > 0 or now < self._settled_at:
            self._began_at = now
            return
        self._answers += count
        self._throttled += throttled
        seconds = now - self._began_at
        if seconds < ROUND_SECONDS or (self._answers < ROUND_ANSWERS and seconds < LONGEST_ROUND_SECONDS):
            return
        if self._is_held:
            self._end_held_round(unanswered)
        else:
            self._end_free_round(unanswered)
        self._began_at = now
        self._answers = self._throttled = 0

    def _end_held_round(self, unanswered: int) -> None:
        share = self._throttled / self._answers
        self._held_answers += self._answers
        self._held_throttled += self._throttled
        if share > CLEAR_SHARE:
            self._hold(self.bucket.rate * (1 - share) * MARGIN, unanswered)
        elif self._clock() >= self._held_until:
            self._usual_share = self._held_throttled / self._held_answers
            self._taken_rate = self.bucket.rate * (1 - self._usual_share)
            self._is_held = False
            self._set_rate(self.bucket.rate * RAISE, unanswered)

    def _end_free_round(self, unanswered: int) -> None:
        share = self._throttled / self._answers
        if share - self._usual_share > WORSE_SHARE:
            self._hold(self._taken_rate or self.bucket.rate * (1 - share) * MARGIN, unanswered)
        elif share:
            self._hold(self.bucket.rate, unanswered)
        elif self.bucket.rate < self.full_rate:
            self._set_rate(self.bucket.rate * RAISE, unanswered)
        else:
            self._usual_share = self._taken_rate = 0.0

    def _hold(self, rate: float, unanswered: int) -> None:
        self._set_rate(max(rate, self.bucket.rate * DEEPEST_CUT), unanswered)
        self._held_until = self._clock() + HOLD_SECONDS
        self._is_held = True
        self._held_answers = self._held_throttled = 0

    def _set_rate(self, rate: float, unanswered: int) -> None:
        before = self.bucket.rate
        least = max(self.full_rate * SLOWEST_SHARE, SLOWEST_RATE)
        self.bucket.rate = min(self.full_rate, max(rate, least))
        self._skipped = unanswered
        self._settle_seconds = SETTLE_SECONDS if self.bucket.rate < before else 0.0
        self._settled_at = self._clock() + self._settle_seconds


def split_rate(rate: int, slots: int) -> list[int]:
    """What each of a connection's slots may send a second, so that they need not count together (S9).

    Whole numbers that add up to the rate: a bucket of a whole rate hands out at most that many, or 5 % more, in any
    second, and so do all of them together. Slots for which nothing would be left are left out: the list may be shorter.
    """
    count = max(1, min(slots, rate))
    return [rate // count + (number < rate % count) for number in range(count)]
