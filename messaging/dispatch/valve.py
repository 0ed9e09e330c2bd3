"""How much a sender slot may send now, as the health of its connection allows."""

import threading
import time
from collections.abc import Iterable

from gateways.breaker import FULL, Seen
from gateways.health import Health
from gateways.types import OutcomeKind, Reason, SubmitOutcome

OPEN_WIDE = Health("closed", FULL, False, 0)
# Not the connection's fault: it is only slower than we are, or we took the message back ourselves.
BLAMELESS = frozenset({Reason.THROTTLED, Reason.QUEUE_FULL, Reason.WITHDRAWN})
GOOD = frozenset({OutcomeKind.ACCEPTED, OutcomeKind.REJECTED})  # a refusal for good is about the message,
# unless it is about the account: then the next message fares no better.
ACCOUNTS_FAULT = frozenset({Reason.NO_BALANCE, Reason.LOGIN})


class Valve:
    """Shared by the lanes of a slot. `rate`: messages a second of the slot when all is well; `call_size`: messages that
    leave in one call at most. A call that fails is one failure, however many messages were in it.

    Answers are counted on the link's thread, everything else happens in the threads that work the slot.
    """

    def __init__(self, rate: float, call_size: int = 1) -> None:
        self._rate = rate
        self._call_size = call_size
        self._health = OPEN_WIDE
        self._tokens = 0.0
        self._filled_at = time.monotonic()
        self._lock = threading.Lock()
        self._good = self._failed = self._streak = 0

    # -- what may go ------------------------------------------------------------------------------------------------

    @property
    def is_shut(self) -> bool:
        return self._health.share == 0

    @property
    def is_wide(self) -> bool:
        return self._health.share >= FULL

    def set(self, health: Health) -> None:
        if health.share < self._health.share:
            self._tokens = 0.0
        self._health = health

    def limit(self, room: int, in_air: int) -> int:
        """Of `room` messages so many may leave, `in_air` being on their way."""
        health = self._health
        if health.share >= FULL:
            return room
        rate = self._rate * health.share / FULL
        with self._lock:
            now = time.monotonic()
            self._tokens = min(self._tokens + rate * (now - self._filled_at), max(1.0, rate))
            self._filled_at = now
            tokens = int(self._tokens)
        most = health.trial_messages - in_air if health.is_trial else room
        return max(0, min(room, most, tokens))

    def take(self, count: int) -> None:
        if not self.is_wide:
            with self._lock:
                self._tokens -= count

    # -- what was seen ----------------------------------------------------------------------------------------------

    def note(self, outcomes: Iterable[SubmitOutcome]) -> None:
        good = failed = streak = 0
        is_cut = False
        for outcome in outcomes:
            if outcome.kind in GOOD and outcome.reason not in ACCOUNTS_FAULT:
                good, streak = good + 1, 0
            elif outcome.reason is Reason.LINK_LOST:
                is_cut = True
            elif not outcome.late and outcome.reason not in BLAMELESS:
                failed, streak = failed + 1, streak + 1
        if is_cut:  # one event, however many messages were on it
            failed, streak = failed + 1, streak + 1
        good, failed, streak = (-(-count // self._call_size) for count in (good, failed, streak))
        with self._lock:
            self._streak = streak if good else self._streak + streak
            self._good += good
            self._failed += failed

    @property
    def has_news(self) -> bool:
        """Something that should be told soon."""
        return self._failed > 0 or not self.is_wide

    def tell(self, sender: str, link: str) -> Seen:
        """What was seen since the last time, and begin anew."""
        with self._lock:
            seen = Seen(sender, link, self._good, self._failed, self._streak)
            self._good = self._failed = self._streak = 0
        return seen
