"""The circuit breaker of a connection, in plain Python: what was seen → closed, open or half open.

It opens after so many failures in a row, when too large a part of the last minute's answers were failures, when the
connection is lost for long, and at once when the login is refused. It comes back slowly: a few messages to try, then
5 % of the rate, doubling every ten seconds as long as all goes well. Times are seconds of the database's clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final


class State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Cause(StrEnum):
    """Why it opened."""

    FAILURES = "failures"  # in a row
    SHARE = "share"  # of the last minute's answers
    LINK = "link"  # not connected for long
    LOGIN = "login"  # credentials refused, or given up


FULL: Final = 100
BUCKET_SECONDS: Final = 10
FRESH_SECONDS: Final = 30
"""A link whose sender has not been heard of for so long says nothing any more."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`ROUTING_BREAKER` in the settings changes single ones.

    streak          failures in a row that open it; `trial_streak` while it comes back
    window_share    of the answers within `window_seconds`, if there are `window_least`
    link_seconds    without a link
    held_seconds    for which a provider may ask us to wait before others take over
    open_seconds    of rest, doubling each time it opens again, up to `most_open_seconds`
    first_share     percent; doubled every `step_seconds`
    trial_messages  that may be under way before the first good answer
    quiet_seconds   without anything to send that count as a good step
    """

    streak: int = 20
    trial_streak: int = 3
    window_seconds: int = 60
    window_least: int = 50
    window_share: float = 0.5
    link_seconds: float = 30.0
    held_seconds: float = 60.0
    open_seconds: float = 30.0
    most_open_seconds: float = 600.0
    first_share: int = 5
    step_seconds: float = 10.0
    trial_messages: int = 3
    quiet_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What a sender saw since it told last. `streak`: those of the failures that came after the last good answer.

    sender  names the slot; `link`: gateways.base.LinkState, "" if unknown
    """

    sender: str = ""
    link: str = ""
    good: int = 0
    failed: int = 0
    streak: int = 0


@dataclass(frozen=True, slots=True)
class Breaker:
    """`links`: sender → [state, since, heard]; `window`: bucket → [good, failed]; `good`: answers in this step."""

    state: str = State.CLOSED
    cause: str = ""
    share: int = FULL
    changed_at: float = 0.0
    opened_at: float = 0.0
    retry_at: float = 0.0
    stepped_at: float = 0.0
    strikes: int = 0
    streak: int = 0
    good: int = 0
    is_proven: bool = True  # had a good answer since it began to come back
    links: Mapping[str, Any] = field(default_factory=dict)
    window: Mapping[str, Any] = field(default_factory=dict)

    def advance(self, seen: Seen | None, now: float, limits: Limits) -> Breaker:
        """After `seen` (None: only time went by)."""
        breaker = self if seen is None else self._note(seen, now, limits)
        breaker = breaker._forget(now, limits)
        match breaker.state:
            case State.CLOSED:
                cause = breaker._find_cause(now, limits, limits.streak)
                return breaker._open(cause, now, limits) if cause else breaker
            case State.OPEN:
                is_time = now >= breaker.retry_at and breaker._has_link(now, limits)
                return breaker._come_back(now, limits) if is_time else breaker
            case _:
                cause = breaker._find_cause(now, limits, limits.trial_streak)
                return breaker._open(cause, now, limits) if cause else breaker._step(now, limits)

    def _note(self, seen: Seen, now: float, limits: Limits) -> Breaker:
        links, window = dict(self.links), dict(self.window)
        if seen.link:
            state, since, _ = links.get(seen.sender, ("", now, now))
            links[seen.sender] = [seen.link, since if state == seen.link else now, now]
        if seen.good or seen.failed:
            bucket = str(int(now) // BUCKET_SECONDS)
            good, failed = window.get(bucket, (0, 0))
            window[bucket] = [good + seen.good, failed + seen.failed]
        streak = seen.streak if seen.good else self.streak + seen.failed
        is_proven = self.is_proven or seen.good > 0
        return replace(self, links=links, window=window, streak=streak, good=self.good + seen.good, is_proven=is_proven)

    def _forget(self, now: float, limits: Limits) -> Breaker:
        oldest = (int(now) - limits.window_seconds) // BUCKET_SECONDS
        window = {bucket: counts for bucket, counts in self.window.items() if int(bucket) > oldest}
        links = {sender: link for sender, link in self.links.items() if link[2] > now - FRESH_SECONDS}
        return replace(self, window=window, links=links)

    def _has_link(self, now: float, limits: Limits) -> bool:
        """A provider that asks us to wait is there, and another one would only cost more; for an hour it is not."""
        waits_since = now - limits.held_seconds
        return not self.links or any(
            state == "up" or (state == "held" and since > waits_since) for state, since, _ in self.links.values()
        )

    def _find_cause(self, now: float, limits: Limits, streak: int) -> str:
        if not self._has_link(now, limits):
            if all(state in ("refused", "stopped") for state, _, _ in self.links.values()):
                return Cause.LOGIN
            if all(since <= now - limits.link_seconds for _, since, _ in self.links.values()):
                return Cause.LINK
        if self.streak >= streak:
            return Cause.FAILURES
        good = sum(counts[0] for counts in self.window.values())
        failed = sum(counts[1] for counts in self.window.values())
        if good + failed >= limits.window_least and failed >= limits.window_share * (good + failed):
            return Cause.SHARE
        return ""

    def _open(self, cause: str, now: float, limits: Limits) -> Breaker:
        rest = min(limits.open_seconds * 2.0 ** min(self.strikes, 16), limits.most_open_seconds)
        # A link that is lost shows by itself when it is back.
        retry_at = now if cause in (Cause.LINK, Cause.LOGIN) else now + rest
        changes: dict[str, Any] = {"cause": cause, "changed_at": now, "opened_at": now, "retry_at": retry_at}
        return replace(
            self, state=State.OPEN, share=0, strikes=self.strikes + 1, streak=0, window={}, good=0, **changes
        )

    def _come_back(self, now: float, limits: Limits) -> Breaker:
        changes: dict[str, Any] = {"changed_at": now, "stepped_at": now, "streak": 0, "window": {}, "good": 0}
        return replace(self, state=State.HALF_OPEN, share=limits.first_share, is_proven=False, **changes)

    def _step(self, now: float, limits: Limits) -> Breaker:
        waited = now - self.stepped_at
        is_good = self.good > 0 and waited >= limits.step_seconds
        if not is_good and waited < limits.quiet_seconds:
            return self
        share = min(FULL, self.share * 2)
        stepped = replace(self, share=share, stepped_at=now, good=0)
        if share < FULL:
            return stepped
        return replace(stepped, state=State.CLOSED, changed_at=now, strikes=0, is_proven=True, window={})
