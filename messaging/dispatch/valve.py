"""How much a sender slot may send now, as the health of its connection allows."""

import threading
import time
from collections.abc import Callable, Iterable

from gateways.routing.breaker import FULL, Seen
from gateways.routing.health import Health
from gateways.types import OutcomeKind, Reason, SubmitOutcome

OPEN_WIDE = Health("closed", FULL, False, 0)
# Not the connection's fault: it is only slower than we are, we took the message back ourselves, or it was refused for
# the sake of another one.
BLAMELESS = frozenset({Reason.THROTTLED, Reason.QUEUE_FULL, Reason.WITHDRAWN, Reason.SPOILED})
GOOD = frozenset({OutcomeKind.ACCEPTED, OutcomeKind.REJECTED})  # a refusal for good is about the message,
# unless it is about the account: then the next message fares no better.
ACCOUNTS_FAULT = frozenset({Reason.NO_BALANCE, Reason.LOGIN})


class Valve:
    """Shared by the lanes of a slot. `rate`: messages a second of the slot when all is well; `call_size`: messages that
    leave in one call at most. A call that fails is one failure, however many messages were in it. `count_in_air`: how
    many messages of all lanes are on their way.

    Answers are counted on the link's thread, everything else happens in the threads that work the slot.
    """

    def __init__(self, rate: float, call_size: int = 1, count_in_air: Callable[[], int] = lambda: 0) -> None:
        self._rate = rate
        self._call_size = call_size
        self._count_in_air = count_in_air
        self._reserved = 0  # may leave, and is not in the air yet
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

    def reserve(self, room: int, *, whole: int = 0) -> int:
        """Of `room` messages so many may leave now; no other lane may have them until they are settled.

        `whole`: so many go together or not at all. They may, even beyond what is allowed, if something may leave and
        nothing else is on its way: they would never leave otherwise.
        """
        health = self._health
        with self._lock:
            if health.share < FULL:
                self._fill(self._rate * health.share / FULL)
                under_way = self._count_in_air() + self._reserved
                allowed = min(room, int(self._tokens) - self._reserved)
                if health.is_trial:
                    allowed = min(allowed, health.trial_messages - under_way)
                room = max(0, allowed)
                if room and not under_way:
                    room = max(room, whole)
            self._reserved += room
        return room

    def _fill(self, rate: float) -> None:
        now = time.monotonic()
        self._tokens = min(self._tokens + rate * (now - self._filled_at), max(1.0, rate))
        self._filled_at = now

    def settle(self, reserved: int, sent: int) -> None:
        """Of what was reserved, `sent` messages have left."""
        with self._lock:
            self._reserved -= reserved
            if not self.is_wide:
                self._tokens -= sent

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
