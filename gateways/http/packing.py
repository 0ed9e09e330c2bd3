"""Messages on their way into calls: urgent ones first, grouped by what must be equal in one call."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterable, Sequence

from gateways.types import OutboundMessage

MOST_SUSPECTS = 50_000
Waiting = tuple[float, OutboundMessage]  # since when, what


class CallQueue:
    """Groups take turns, so that no sender's million holds up another's fifty. Not thread-safe."""

    def __init__(self, key: Callable[[OutboundMessage], Hashable], *, once_per_number: bool) -> None:
        self._key = key
        self._once_per_number = once_per_number
        self._groups: OrderedDict[Hashable, deque[Waiting]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def oldest_at(self) -> float:
        """Since when the first message of the group whose turn it is waits."""
        return next(iter(self._groups.values()))[0][0]

    @property
    def waiting_since(self) -> float:
        """Since when the first message of all waits; infinity if none does."""
        return min((group[0][0] for group in self._groups.values()), default=float("inf"))

    @property
    def next_size(self) -> int:
        """Messages in the group whose turn it is."""
        return len(next(iter(self._groups.values())))

    def add(self, messages: Iterable[OutboundMessage], now: float) -> None:
        for message in messages:
            self._groups.setdefault(self._key(message), deque()).append((now, message))
            self._count += 1

    def take(self, most: int) -> list[OutboundMessage]:
        """The next call's messages. A number that is in it already waits for the next one, where the provider's
        receipts name a job and a number."""
        key, group = self._groups.popitem(last=False)
        taken: list[OutboundMessage] = []
        numbers: set[str] = set()
        put_back: list[Waiting] = []
        while group and len(taken) < most:
            waiting = group.popleft()
            if self._once_per_number and waiting[1].msisdn in numbers:
                put_back.append(waiting)
                continue
            numbers.add(waiting[1].msisdn)
            taken.append(waiting[1])
        group.extendleft(reversed(put_back))
        if group:
            self._groups[key] = group
        self._count -= len(taken)
        return taken

    def pop_since(self, moment: float) -> list[OutboundMessage]:
        """Take out what waits since ``moment`` or longer."""
        popped: list[OutboundMessage] = []
        for key, group in list(self._groups.items()):
            while group and group[0][0] <= moment:
                popped.append(group.popleft()[1])
            if not group:
                del self._groups[key]
        self._count -= len(popped)
        return popped

    def pop_all(self) -> list[OutboundMessage]:
        return self.pop_since(float("inf"))


class Suspects:
    """Messages that were refused together, perhaps for the sake of one of them: which may still share a call.

    Remembered while they wait in the database, so that the search for that one goes on where it was.
    """

    def __init__(self) -> None:
        self._groups: OrderedDict[int, int] = OrderedDict()  # token → group
        self._last = 0

    def __contains__(self, message: OutboundMessage) -> bool:
        return message.token in self._groups

    def find_group(self, message: OutboundMessage) -> int:
        """Messages of different groups must not share a call; 0 for those that are under no suspicion."""
        return self._groups.get(message.token, 0)

    def split(self, messages: Sequence[OutboundMessage]) -> None:
        """A call with these was refused: each half by itself from now on."""
        middle = len(messages) // 2
        for half in (messages[:middle], messages[middle:]):
            self._last += 1
            for message in half:
                self._groups.pop(message.token, None)
                self._groups[message.token] = self._last
        while len(self._groups) > MOST_SUSPECTS:
            self._groups.popitem(last=False)

    def forget(self, tokens: Iterable[int]) -> None:
        for token in tokens:
            self._groups.pop(token, None)
