"""The express lane: one-time passwords leave beside a running million, not behind it.

One thread of the process declares intent for the small urgent batches of all its slots, another writes their answers
down. Whoever starts such a run notifies the channel in its transaction, naming the connection; PostgreSQL tells the
first thread at the commit. A lost notification costs POLL_SECONDS: what is due is read from rows.
"""

import logging
import select
import threading
import time
from collections.abc import Callable

from django.db import DatabaseError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from messaging.services.runs import EXPRESS_CHANNEL

from .express_slot import ExpressSlot

log = logging.getLogger(__name__)
POLL_SECONDS = 0.25
GATHER_SECONDS = 0.02
FULL_SECONDS = 0.02


class ExpressLane:
    """Two threads; `list_slots` names the process's express slots at this moment."""

    def __init__(self, list_slots: Callable[[], list[ExpressSlot]], stopping: threading.Event) -> None:
        self.answered = threading.Event()
        self._list_slots = list_slots
        self._stopping = stopping
        self._listener: BaseDatabaseWrapper | None = None
        self._threads = [
            threading.Thread(target=self._intend, name="express", daemon=True),
            threading.Thread(target=self._record, name="express-answers", daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self, seconds: float) -> None:
        self.answered.set()
        for thread in self._threads:
            thread.join(seconds)

    def _intend(self) -> None:
        polled_at, rung = 0.0, set[str]()
        while not self._stopping.is_set():
            is_poll = time.monotonic() - polled_at >= POLL_SECONDS
            if is_poll:
                polled_at = time.monotonic()
            again, full = set[str](), set[str]()
            for slot in self._list_slots():
                account = str(slot.gateway_account_id)
                if is_poll or account in rung:
                    if slot.is_full:
                        full.add(account)
                    elif self._try(slot.intending, slot.intend):
                        again.add(account)
            rung = again | full | self._listen(0.0 if again else FULL_SECONDS if full else POLL_SECONDS)
        self._hang_up()
        connection.close()

    def _record(self) -> None:
        while not self._stopping.is_set():
            if self.answered.wait(POLL_SECONDS):
                self._stopping.wait(GATHER_SECONDS)
                self.answered.clear()
            for slot in self._list_slots():
                if slot.is_owing and slot.patience.is_over:
                    self._try(slot.recording, slot.record)
        connection.close()

    @staticmethod
    def _try(lock: threading.Lock, work: Callable[[], int]) -> bool:
        if not lock.acquire(blocking=False):
            return False
        try:
            return bool(work())
        except Exception:  # one slot's trouble must not stop the others'
            log.exception("engine.express_failed")
            return False
        finally:
            lock.release()

    def _listen(self, seconds: float) -> set[str]:
        """Connections (keys, as text) for which somebody rang."""
        try:
            if self._listener is None:
                self._listener = _open_listener()
            wire = self._listener.connection
            if not select.select([wire], [], [], seconds)[0]:
                return set()
            with self._listener.wrap_database_errors:  # the driver's own: this goes past Django's cursors
                wire.poll()
            rung = {notice.payload for notice in wire.notifies}
            wire.notifies.clear()
            return rung
        except (DatabaseError, OSError) as error:
            log.warning("engine.express_deaf", extra={"error": str(error).strip()[:300]})
            self._hang_up()
            self._stopping.wait(POLL_SECONDS)
            return set()

    def _hang_up(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None


def _open_listener() -> BaseDatabaseWrapper:
    """A connection of its own, outside transactions: notifications come between statements."""
    listener = connections.create_connection("default")
    listener.inc_thread_sharing()
    with listener.cursor() as cursor:
        cursor.execute(f"LISTEN {EXPRESS_CHANNEL}")
    return listener
