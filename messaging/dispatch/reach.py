"""How many messages a slot may have on its way: its stride, or less where they do not leave in time.

A stride is what leaves within a second at the connection's rate. Long texts are several submits each, and a centre may
take less than agreed: then the last ones wait on the link until it gives them back (S6), and each time they go into a
batch of their own. So a slot keeps to what did leave, and tries more after ever longer times.
"""

import time
from collections.abc import Sequence

from gateways.types import Reason, SubmitOutcome

SHORTEST_SECONDS = 2.0
LONGEST_SECONDS = 64.0


class Reach:
    """`least`: messages of one call, which are not torn apart. Noted on the link's thread, asked in the slot's."""

    def __init__(self, stride: int, least: int = 1) -> None:
        self._stride = stride
        self._least = min(stride, least)
        self._reach = stride
        self._held_seconds = SHORTEST_SECONDS
        self._held_until = 0.0
        self._was_raised = False

    @property
    def messages(self) -> int:
        """So many may be on their way now."""
        now = time.monotonic()
        if self._reach < self._stride and now >= self._held_until:
            self._reach = min(self._stride, 2 * self._reach)
            self._hold(now, was_raised=True)
        return self._reach

    def note(self, outcomes: Sequence[SubmitOutcome], *, under_way: int) -> None:
        """The link has told outcomes; with these, `under_way` messages were without any."""
        if not outcomes or outcomes[0].reason is not Reason.WITHDRAWN:  # what a link gives back comes by itself
            return
        now = time.monotonic()
        if now >= self._held_until + self._held_seconds:
            self._held_seconds = SHORTEST_SECONDS  # it went well for long enough
        elif self._was_raised:
            self._held_seconds = min(LONGEST_SECONDS, 2 * self._held_seconds)
        self._reach = max(self._least, min(self._reach, under_way - len(outcomes)))
        self._hold(now, was_raised=False)

    def _hold(self, now: float, *, was_raised: bool) -> None:
        self._held_until = now + self._held_seconds
        self._was_raised = was_raised
