"""Messages that have not left a session yet, and since when they wait."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from gateways.types import OutboundMessage


class MessageQueue(deque[OutboundMessage]):
    """They leave from the front, or all at once. A mark for each time that some came: nothing is kept per message."""

    def __init__(self) -> None:
        super().__init__()
        self._added = 0
        self._marks: deque[tuple[float, int]] = deque()  # (when, added by then)

    def add(self, messages: Iterable[OutboundMessage], now: float) -> None:
        """`now` in any clock that never goes back."""
        before = len(self)
        self.extend(messages)
        self._added += len(self) - before
        self._marks.append((now, self._added))

    def pop_since(self, moment: float) -> list[OutboundMessage]:
        """Take out what waits since `moment` or longer."""
        gone = self._added - len(self)
        upto = gone
        while self._marks and (self._marks[0][0] <= moment or self._marks[0][1] <= gone):
            upto = max(upto, self._marks.popleft()[1])
        return [self.popleft() for _ in range(upto - gone)]

    def pop_all(self) -> list[OutboundMessage]:
        return self.pop_since(float("inf"))
