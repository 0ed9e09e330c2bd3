"""How fast calls may follow each other: so many messages and so many calls a second."""

from __future__ import annotations

from collections.abc import Callable

from smscore.pacing import SLOWEST_SHARE

RECOVERY_SECONDS = 1.0
RECOVERY_SHARE = 0.05
REST_SECONDS = 4.0
"""After a cut further "too fast" answers change nothing for so long: they come from calls made before it, or from a
provider that throttles whatever the rate is, and a cut for each of them would end at nothing."""


class CallPace:
    """A call with n messages makes the next one wait n / rate: over time never more than the rate, and in any one
    second at most the rate and one call. Halves when the provider says "too fast", at most every REST_SECONDS, and
    wins back 5 % of the full rate a second (S10, docs/adr/0007). `clock` returns seconds and never goes back."""

    def __init__(self, rate: float, calls: float = 0.0, *, clock: Callable[[], float]) -> None:
        self._full = self._rate = rate
        self._pause = 1 / calls if calls else 0.0
        self._clock = clock
        self._changed_at = self._messages_at = self._call_at = clock()
        self._cut_at = self._changed_at - REST_SECONDS

    @property
    def rate(self) -> float:
        self._recover()
        return self._rate

    def seconds_until(self, *, is_urgent: bool = False) -> float:
        """Seconds until the next call may leave. An urgent one is only held by the limit on calls: its messages are
        paid for by those after it."""
        now = self._clock()
        return max(0.0, self._call_at - now, 0.0 if is_urgent else self._messages_at - now)

    def spend(self, messages: int) -> None:
        """A call with so many messages leaves now."""
        now = self._clock()
        self._messages_at = max(now, self._messages_at) + messages / self.rate
        self._call_at = max(now, self._call_at) + self._pause

    def slow_down(self) -> None:
        """The provider said "too fast"."""
        now = self._clock()
        if now - self._cut_at < REST_SECONDS:
            return
        self._rate = max(self.rate / 2, self._full * SLOWEST_SHARE)
        self._changed_at = self._cut_at = now

    def _recover(self) -> None:
        steps = int((self._clock() - self._changed_at) / RECOVERY_SECONDS)
        if steps > 0:
            self._rate = min(self._full, self._rate + steps * RECOVERY_SHARE * self._full)
            self._changed_at += steps * RECOVERY_SECONDS
