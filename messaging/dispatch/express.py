"""The express lane: one-time passwords leave beside a running million, not behind it.

Each slot has a second plan for runs of priority OTP, worked by one thread of the process, over the same link and under
the same lease. Whoever starts such a run notifies the channel in its transaction; PostgreSQL tells this thread at the
commit. A lost notification costs POLL_SECONDS: what is due is read from rows.
"""

import logging
import select
import threading
from collections.abc import Callable

from django.db import DatabaseError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from messaging.services.runs import EXPRESS_CHANNEL

from .slot import Slot

log = logging.getLogger(__name__)
POLL_SECONDS = 0.25
ANSWER_SECONDS = 0.02


class ExpressLane:
    """One thread; `list_slots` names the process's express slots at this moment."""

    def __init__(self, list_slots: Callable[[], list[Slot]], stopping: threading.Event) -> None:
        self._list_slots = list_slots
        self._stopping = stopping
        self._listener: BaseDatabaseWrapper | None = None
        self._thread = threading.Thread(target=self._run, name="express", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    def _run(self) -> None:
        while not self._stopping.is_set():
            slots = self._list_slots()
            moved = [self._step(slot) for slot in slots]
            if not any(moved):
                is_rung = self._wait(ANSWER_SECONDS if any(slot.in_air_count for slot in slots) else POLL_SECONDS)
                for slot in slots:
                    slot.is_rung |= is_rung
        self._hang_up()
        connection.close()

    def _step(self, slot: Slot) -> bool:
        if slot.is_lost or not slot.working.acquire(blocking=False):
            return False
        try:
            return slot.step()
        except Exception:  # one slot's trouble must not stop the others'
            log.exception("engine.express_failed", extra={"session": slot.session_id})
            return False
        finally:
            slot.working.release()

    def _wait(self, seconds: float) -> bool:
        """True if somebody rang."""
        try:
            if self._listener is None:
                self._listener = _listen()
            wire = self._listener.connection
            if not select.select([wire], [], [], seconds)[0]:
                return False
            wire.poll()
            is_rung = bool(wire.notifies)
            wire.notifies.clear()
            return is_rung
        except (DatabaseError, OSError) as error:
            log.warning("engine.express_deaf", extra={"error": str(error).strip()[:300]})
            self._hang_up()
            self._stopping.wait(POLL_SECONDS)
            return False

    def _hang_up(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None


def _listen() -> BaseDatabaseWrapper:
    """A connection of its own, outside transactions: notifications come between statements."""
    listener = connections.create_connection("default")
    listener.inc_thread_sharing()
    with listener.cursor() as cursor:
        cursor.execute(f"LISTEN {EXPRESS_CHANNEL}")
    return listener
