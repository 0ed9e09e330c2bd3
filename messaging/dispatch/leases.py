"""The leases of a process's slots are renewed together, and none of them waits for another's."""

import logging
import time
from collections.abc import Sequence

from django.conf import settings

from messaging.services.sessions import renew_sessions

from .database import try_in_one_transaction
from .slot import Slot

log = logging.getLogger(__name__)
WAIT_SECONDS = 1.0


class LeaseKeeper:
    """Of one thread. A session that is locked, by a claim under way, is tried again with the next call; once half of
    its lease is gone it is waited for, the one in greatest need in each call."""

    def __init__(self) -> None:
        self._renewed_at: dict[int, float] = {}

    def renew_due(self, slots: Sequence[Slot]) -> None:
        now = time.monotonic()
        self._renewed_at = {slot.session_id: self._renewed_at.get(slot.session_id, now) for slot in slots}
        lease = settings.ENGINE_LEASE_SECONDS
        if not self._renew([slot for slot in slots if now - self._renewed_at[slot.session_id] >= lease / 4]):
            return  # the database is away; its clock decides whether the leases are still there afterwards
        late = [slot for slot in slots if not slot.is_lost and now - self._renewed_at[slot.session_id] >= lease / 2]
        if late:
            self._renew([min(late, key=lambda slot: self._renewed_at[slot.session_id])], WAIT_SECONDS)

    def _renew(self, slots: Sequence[Slot], wait_seconds: float = 0.0) -> bool:
        """False if the database was not to be had."""
        if not slots:
            return True
        ids, began = [slot.session_id for slot in slots], time.monotonic()
        renewal = try_in_one_transaction("renew leases", lambda: renew_sessions(ids, wait_seconds), None)
        if renewal is None:
            return False
        self._renewed_at |= dict.fromkeys(renewal.renewed, began)
        for slot in slots:
            if slot.session_id in renewal.lost:
                log.warning("engine.lease_lost", extra={"slot": slot.number, "session": slot.session_id})
                slot.lose()
        return True
