"""What one slot counts for the health of its connection: kinds of answers, time to an answer, events, link state.

Counted per chunk of answers on the link's event loop, taken every few seconds by whoever renews the leases. Statistics:
a crash loses the last seconds, and nothing else depends on them.
"""

import threading
import time
from collections import Counter
from collections.abc import Sequence

from gateways.types import OutboundMessage, OutcomeKind, SubmitOutcome
from messaging.services.health import PulseFigures


class Pulse:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._event_count = 0
        self._probe: tuple[int, float] | None = None  # one message at a time is timed
        self._times: list[int] = []

    def note_written(self, messages: Sequence[OutboundMessage]) -> None:
        if self._probe is None and messages:
            self._probe = (messages[0].token, time.monotonic())

    def note_answers(self, outcomes: Sequence[SubmitOutcome]) -> None:
        probe = self._probe
        with self._lock:
            for outcome in outcomes:
                if not outcome.late:
                    self._counts[outcome.kind] += 1
                if probe is not None and outcome.token == probe[0]:
                    if outcome.kind in (OutcomeKind.ACCEPTED, OutcomeKind.REJECTED, OutcomeKind.DEFERRED):
                        self._times.append(int((time.monotonic() - probe[1]) * 1000))
                    self._probe = probe = None

    def note_events(self, count: int) -> None:
        with self._lock:
            self._event_count += count

    def take(self) -> PulseFigures:
        """What was counted since the last time."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
            times, self._times = self._times, []
            events, self._event_count = self._event_count, 0
        return PulseFigures(
            counts[OutcomeKind.ACCEPTED],
            counts[OutcomeKind.REJECTED],
            counts[OutcomeKind.DEFERRED],
            counts[OutcomeKind.NOT_SENT],
            counts[OutcomeKind.UNKNOWN],
            sum(times),
            max(times, default=0),
            len(times),
            events,
        )
