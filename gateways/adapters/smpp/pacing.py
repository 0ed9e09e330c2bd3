"""Exact rate pacing of one bind, slowed by the centre's throttle answers (S9, S10)."""

from __future__ import annotations

# S9 allows rate x 1.05 + 1 in any second. A bucket of depth 1 + 2 % lets at most rate x 1.02 + 1 leave in
# any second, which keeps 30 ms of network jitter inside the bound where the centre counts arrivals.
BURST_SHARE = 0.02
SLOWEST = 0.1
RECOVERY_SECONDS = 10.0
RECOVERY_SHARE = 0.05
HALVE_SECONDS = 1.0


class Pacer:
    """Token bucket in the caller's clock (seconds, monotonic). ``rate`` 0 = as fast as the window allows.

    After a throttle answer the rate is halved (once a second at most) and comes back by 5 % of the
    contract's rate every 10 s. Without a contract's rate, the rate measured at the throttle is the base.
    """

    __slots__ = ("_at", "_count", "_count_since", "_halved_at", "_rate", "_recovered_at", "_tokens", "base")

    def __init__(self, rate: float, now: float) -> None:
        self.base = rate
        self._rate = rate
        self._at = now
        self._tokens = 1.0
        self._halved_at = now - HALVE_SECONDS
        self._recovered_at = now
        self._count = 0
        self._count_since = now

    @property
    def rate(self) -> float:
        """Submits a second at present; 0 = unlimited."""
        return self._rate

    def take(self, wanted: int, now: float) -> int:
        """Take up to ``wanted`` submits now; give back what was not used with ``give_back``."""
        if now - self._count_since >= 1.0:
            self._count, self._count_since = 0, now
        rate = self._rate
        if not rate:
            self._count += wanted
            return wanted
        if rate < self.base or now - self._recovered_at >= RECOVERY_SECONDS:
            rate = self._recover(now)
            if not rate:
                return wanted
        depth = 1.0 + rate * BURST_SHARE
        tokens = min(depth, self._tokens + (now - self._at) * rate)
        self._at = now
        granted = min(wanted, int(tokens))
        self._tokens = tokens - granted
        self._count += granted
        return granted

    def give_back(self, unused: int) -> None:
        self._tokens += unused
        self._count -= unused

    def delay(self) -> float:
        """Seconds from the last ``take`` until a further submit may leave."""
        if not self._rate:
            return 0.0
        return max(0.0, (1.0 - self._tokens) / self._rate)

    def throttled(self, now: float) -> None:
        """The centre said "too fast"."""
        if now - self._halved_at < HALVE_SECONDS:
            return
        if not self._rate:
            spent = max(now - self._count_since, 0.05)
            self.base = self._rate = max(SLOWEST, self._count / spent)
            self._at = now
        self._halved_at = self._recovered_at = now
        self._rate = max(SLOWEST, self._rate / 2)
        self._tokens = min(self._tokens, 1.0)

    def _recover(self, now: float) -> float:
        steps = int((now - self._recovered_at) / RECOVERY_SECONDS)
        if steps and self._rate < self.base:
            self._rate = min(self.base, self._rate + steps * RECOVERY_SHARE * self.base)
            self._recovered_at += steps * RECOVERY_SECONDS
        return self._rate
