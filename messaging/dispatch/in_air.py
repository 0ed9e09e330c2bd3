"""What a lane of a slot has on its way, and from which batch."""

import threading
from collections import Counter
from collections.abc import Iterable, Sequence

from gateways.types import SubmitOutcome
from messaging.services.outcomes import Answer

Sent = tuple[int, int | None]
"""A message and the batch that it was sent from."""


class InAir:
    """Messages that were written, or may be, and whose answers are not in the database yet.

    A message that was not taken gets a new batch, and may be on its way from there before the slot knows that its first
    answer is written down: another thread was quicker, or the commit took effect and nobody heard of it. So an answer
    is one to the try that was in the air when it came, and ends that one alone.
    """

    def __init__(self) -> None:
        self._batches: dict[int, int] = {}  # message → batch
        self._counts: Counter[int] = Counter()  # batch → how many of its messages
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._batches)

    def find_batch(self, message_id: int) -> int:
        """0 if the message is not in the air. Of two batches of a message the later one has the greater id."""
        return self._batches.get(message_id, 0)

    def count(self, batch_id: int) -> int:
        return self._counts[batch_id]

    def add(self, batch_id: int, message_ids: Sequence[int]) -> None:
        """The database has said that they are in this batch, so they have left any other."""
        with self._lock:
            self._forget({pk: self._batches[pk] for pk in self._batches.keys() & message_ids})
            self._batches.update(dict.fromkeys(message_ids, batch_id))
            self._counts[batch_id] += len(message_ids)

    def pair(self, outcomes: Iterable[SubmitOutcome]) -> list[Answer]:
        """Each with the batch it is about. Called when they come."""
        find = self._batches.get
        return [(outcome, find(outcome.token)) for outcome in outcomes]

    def list_over(self, batch_ids: Iterable[int], ending: Iterable[Sent]) -> list[int]:
        """Which of these batches have nothing in the air but what is `ending` (each of it once)."""
        with self._lock:
            ended = Counter(batch_id for message_id, batch_id in ending if self._batches.get(message_id) == batch_id)
            return [batch_id for batch_id in batch_ids if self._counts[batch_id] <= ended[batch_id]]

    def remove(self, ended: Iterable[Sent]) -> None:
        """Their answers are in the database. What is in the air from another batch by now stays."""
        with self._lock:
            find = self._batches.get
            self._forget({pk: batch_id for pk, batch_id in ended if batch_id and find(pk) == batch_id})

    def _forget(self, entries: dict[int, int]) -> None:
        for message_id in entries:
            del self._batches[message_id]
        for batch_id, count in Counter(entries.values()).items():
            self._counts[batch_id] -= count
            if not self._counts[batch_id]:
                del self._counts[batch_id]
