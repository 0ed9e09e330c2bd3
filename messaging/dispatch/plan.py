"""Which messages go next: leased batches of a slot, urgent ones first, tenants one after the other."""

from collections import OrderedDict, deque
from dataclasses import dataclass

from messaging.services.claims import ClaimedBatch
from messaging.services.intents import Stride

from .in_air import InAir


@dataclass(slots=True)
class HeldBatch:
    """A batch that this slot has leased."""

    batch_id: int
    tenant_id: int
    priority: int
    mark: int
    message_count: int
    is_given_up: bool = False  # no further intent; the lease goes back when nothing of it is in the air

    @property
    def remaining(self) -> int:
        return 0 if self.is_given_up else self.message_count - self.mark


class Plan:
    """The held batches by (priority, tenant), and the round over tenants. `in_air`: what of them is on its way."""

    def __init__(self, in_air: InAir) -> None:
        self._in_air = in_air
        self.batches: dict[int, HeldBatch] = {}
        self._queues: OrderedDict[tuple[int, int], deque[HeldBatch]] = OrderedDict()
        self.last_tenant = 0

    def add(self, claimed: ClaimedBatch) -> None:
        held = HeldBatch(claimed.batch_id, claimed.tenant_id, claimed.priority, claimed.mark, claimed.message_count)
        self.batches[held.batch_id] = held
        self._queues.setdefault((held.priority, held.tenant_id), deque()).append(held)

    @property
    def remaining(self) -> int:
        return sum(batch.remaining for batch in self.batches.values())

    def list_enough(self, count: int) -> list[tuple[int, int]]:
        """(priority, tenant) of which at least `count` messages are held, so that no more need be claimed."""
        sums = {key: sum(batch.remaining for batch in queue) for key, queue in self._queues.items()}
        return [key for key, waiting in sums.items() if waiting >= count]

    def give_back(self, count: int) -> None:
        """Let `count` batches go, as soon as nothing of them is in the air: those that would be the last to be needed,
        of the least urgent those whose tenants' turns come last. Never more than that at once."""
        count -= sum(batch.is_given_up for batch in self.batches.values())
        held = [batch for batch in self.batches.values() if batch.remaining]
        held.sort(key=lambda b: (-b.priority, b.tenant_id > self.last_tenant, -b.tenant_id))
        for batch in held[: max(0, count)]:
            self.give_up(batch.batch_id, batch.mark)

    def take_strides(self, quota: int) -> list[Stride]:
        """Up to `quota` positions: all of the most urgent priority, shared evenly by its tenants, then the next."""
        strides: list[Stride] = []
        for priority in sorted({key[0] for key in self._queues}):
            keys = self._round(priority)
            while keys and quota > 0:
                share = max(1, quota // len(keys))
                for key in list(keys):
                    taken = self._take(key, min(share, quota), strides)
                    quota -= taken
                    if taken:
                        self.last_tenant = key[1]
                    if taken < share:
                        keys.remove(key)
                    if quota <= 0:
                        break
        return _join(strides)

    def _round(self, priority: int) -> list[tuple[int, int]]:
        keys = [key for key, queue in self._queues.items() if key[0] == priority and queue]
        return sorted(keys, key=lambda key: (key[1] <= self.last_tenant, key[1]))

    def _take(self, key: tuple[int, int], count: int, strides: list[Stride]) -> int:
        queue = self._queues[key]
        taken = 0
        while queue and taken < count:
            batch = queue[0]
            upto = min(batch.message_count, batch.mark + count - taken)
            if upto > batch.mark and not batch.is_given_up:
                strides.append(Stride(batch.batch_id, batch.mark, upto))
                taken += upto - batch.mark
                batch.mark = upto
            if batch.remaining == 0:
                queue.popleft()
        return taken

    def give_up(self, batch_id: int, mark: int) -> None:
        """The intent was refused: the batch stays at `mark` and takes no further one."""
        batch = self.batches[batch_id]
        batch.mark = mark
        batch.is_given_up = True
        queue = self._queues.get((batch.priority, batch.tenant_id))  # none where all of it is in the air
        if queue and batch in queue:
            queue.remove(batch)

    def give_up_all(self) -> None:
        for batch in self.batches.values():
            self.give_up(batch.batch_id, batch.mark)

    def pop_over(self) -> dict[int, int]:
        """Batches that need no lease any more, and how far each was written."""
        held = self.batches.items()
        over = {pk: batch.mark for pk, batch in held if not (batch.remaining or self._in_air.count(pk))}
        for pk in over:
            del self.batches[pk]
        for key in [key for key, queue in self._queues.items() if not queue]:
            del self._queues[key]
        return over


def _join(strides: list[Stride]) -> list[Stride]:
    """One stride per batch: takes from it follow on each other."""
    joined: dict[int, Stride] = {}
    for stride in strides:
        first = joined.get(stride.batch_id)
        joined[stride.batch_id] = first._replace(upto=stride.upto) if first else stride
    return list(joined.values())
