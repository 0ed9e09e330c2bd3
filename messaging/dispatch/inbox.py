"""Receipts and incoming messages on their way into the database: stored, then acknowledged (R1), then matched."""

import logging
import queue
import threading
import time
from collections.abc import Iterable, Sequence

from django.db import connection, transaction

from gateways.base import EventBatch, Gateway
from gateways.http.pulling import RawBatch
from gateways.types import UnreadableEvent
from messaging.services.inbox import FIRST_LOOK_SECONDS, StoredEvent, store_events
from messaging.services.pulling import save_progress
from messaging.services.receipts import MATCH_LIMIT, match_receipts

from .database import in_one_transaction, is_away, log_database_error, try_in_one_transaction

log = logging.getLogger(__name__)
MOST_EVENTS = 5000
GATHER_SECONDS = 0.02
MATCH_SECONDS = 1.0

Arrival = tuple[int, Gateway, EventBatch]


class InboxWriter:
    """Two threads: one stores what the links bring, one matches what is stored."""

    def __init__(self) -> None:
        self._arrivals: queue.SimpleQueue[Arrival | None] = queue.SimpleQueue()
        self._stored = threading.Event()
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._store_arrivals, name="inbox", daemon=True),
            threading.Thread(target=self._match, name="receipts", daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def put(self, gateway_account_id: int, gateway: Gateway, batch: EventBatch) -> None:
        """From the link's event loop; never blocks. The link limits how much may wait here."""
        self._arrivals.put((gateway_account_id, gateway, batch))

    def stop(self) -> None:
        """What arrived so far is stored; the links are closed already. Matching goes on elsewhere."""
        self._arrivals.put(None)
        self._threads[0].join(10)
        self._stopping.set()
        self._stored.set()
        self._threads[1].join(10)

    def _store_arrivals(self) -> None:
        is_open = True
        while is_open:
            arrivals, is_open = self._gather()
            if arrivals:
                self._store(arrivals)
        connection.close()

    def _gather(self) -> tuple[list[Arrival], bool]:
        """What has arrived, at least one: one commit for all of it."""
        first = self._arrivals.get()
        if first is None:
            return [], False
        arrivals = [first]
        count = len(first[2].raws)
        end = time.monotonic() + GATHER_SECONDS
        while count < MOST_EVENTS:
            try:
                arrival = self._arrivals.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                break
            if arrival is None:
                return arrivals, False
            arrivals.append(arrival)
            count += len(arrival[2].raws)
        return arrivals, True

    def _store(self, arrivals: list[Arrival]) -> None:
        stored = store_arrivals(arrivals)
        for (account_id, _, batch), is_stored in zip(arrivals, stored, strict=True):
            try:
                batch.stored() if is_stored else batch.refused()
            except Exception:  # a link that is gone; the others wait for their answers
                log.exception("engine.events_not_answered", extra={"account": account_id})
        if any(stored):
            self._stored.set()

    def _match(self) -> None:
        while not self._stopping.is_set():
            if self._stored.wait(MATCH_SECONDS):
                self._stored.clear()
                self._stopping.wait(FIRST_LOOK_SECONDS)
            try:
                while try_in_one_transaction("match receipts", match_receipts, 0) >= MATCH_LIMIT:
                    if self._stopping.is_set():
                        break
            except Exception:
                log.exception("engine.receipts_not_matched")
        connection.close()


def store_arrivals(arrivals: Sequence[Arrival]) -> list[bool]:
    """Which of them were stored, in one commit if nothing is wrong with any. Never raises: what cannot be stored, for
    whatever reason, holds up nothing else. The gateway keeps what is refused and brings it again."""
    try:
        store_together(arrivals)
    except Exception as error:
        if is_away(error):
            log_database_error("store events", error)
            return [False] * len(arrivals)
        log.exception("engine.events_not_stored", extra={"count": sum(len(b.raws) for _, _, b in arrivals)})
        if len(arrivals) == 1:
            return [_store_apart(*arrivals[0])]
        return [is_stored for arrival in arrivals for is_stored in store_arrivals([arrival])]
    return [True] * len(arrivals)


def store_pushed(account_id: int, gateway: Gateway, raws: Sequence[bytes]) -> bool:
    """Events that a provider's call to us brought; False if they could not be stored."""
    return all(store_arrivals([(account_id, gateway, RawBatch(raws))]))


def _store_apart(account_id: int, gateway: Gateway, batch: EventBatch) -> bool:
    """Something in this arrival cannot be stored: its events one after the other, all of them or none in the end."""

    def store() -> None:
        for raw in batch.raws:
            _store_one(account_id, gateway, raw)
        _save_progress([(account_id, gateway, batch)])

    try:
        in_one_transaction("store events apart", store)
    except Exception:
        log.exception("engine.arrival_refused", extra={"account": account_id, "count": len(batch.raws)})
        return False
    return True


def store_together(arrivals: Sequence[Arrival]) -> None:
    """Every event of the arrivals, and how far their providers have been asked, in one transaction."""
    events = [
        StoredEvent(account_id, raw, event)
        for account_id, gateway, batch in arrivals
        for raw, event in zip(batch.raws, gateway.read_events(batch.raws), strict=True)
    ]

    def store() -> None:
        store_events(events)
        _save_progress(arrivals)

    in_one_transaction("store events", store)


def _save_progress(arrivals: Iterable[Arrival]) -> None:
    for account_id, _, batch in arrivals:
        if batch.progress is not None:
            save_progress(gateway_account_id=account_id, progress=batch.progress)


def _store_one(account_id: int, gateway: Gateway, raw: bytes) -> None:
    """One event; if it is what cannot be stored, its octets as an unreadable one, which staff see and nothing moves."""
    try:
        (event,) = gateway.read_events([raw])
        with transaction.atomic():
            store_events([StoredEvent(account_id, raw, event)])
    except Exception as error:
        if is_away(error):
            raise
        log.exception("engine.event_unreadable", extra={"account": account_id})
        store_events([StoredEvent(account_id, raw, UnreadableEvent("cannot be stored"))])
