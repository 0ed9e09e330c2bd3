"""What a sender worker process keeps beside its tasks: the event loop of the links, the slots and their leases.

A slot stays with the process that took it, bound, until the process ends or its lease is lost: receipts come over the
same link. Tasks only bring it work (see `Slot.work`).
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Collection, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from django.conf import settings
from django.db import connection

from common.crypto import DecryptionError
from gateways.base import EventBatch, GatewayError
from gateways.models import GatewayAccount
from gateways.opening import open_account_gateway
from gateways.registry import UnknownGateway
from gateways.types import OutboundMessage, OutcomeKind, Reason, SubmitOutcome
from messaging.services.claims import Lane
from messaging.services.health import SlotPulse, record_pulses
from messaging.services.sessions import (
    close_session,
    end_session_of_dead_worker,
    find_session_worker,
    open_session,
    record_link,
)

from .breakers import BreakerKeeper
from .database import try_in_one_transaction
from .desk import AccountDesk
from .doubt import DoubtWatch
from .express import ExpressLane
from .express_slot import ExpressSlot
from .identity import is_proven_dead, name_this_process
from .inbox import InboxWriter
from .leases import LeaseKeeper
from .reach import Reach
from .slot import Slot
from .valve import Valve

log = logging.getLogger(__name__)
CLOSE_SECONDS = 5.0
MOST_CLOSING = 16
HOUSEKEEPING_SECONDS = 0.5
COMPARE_SECONDS = 5.0
YIELD_SECONDS = 15.0
T = TypeVar("T")


class Crowded(Exception):
    """This process has a slot of that connection already; another one should get the chance first."""


class SenderRuntime:
    """One per process; `start` once, `stop` once. Thread-safe.

    `ring(account, slot number, worker)` brings a task to a slot whose link has come up; it may block.
    """

    def __init__(self, worker: str = "", *, ring: Callable[[int, int, str], None] | None = None) -> None:
        self.worker = worker or name_this_process()
        self.stopping, self._are_closed = threading.Event(), threading.Event()
        self._loop = asyncio.new_event_loop()
        self._slots: dict[tuple[int, int], Slot] = {}
        self._settings: dict[tuple[int, int], tuple[Any, ...]] = {}
        self._yielded: dict[tuple[int, int], float] = {}  # slots handed over, and until when they are not taken back
        self._lock = threading.Lock()
        self._bell = ring
        self._inbox = InboxWriter()
        self._leases = LeaseKeeper()
        self._doubt = DoubtWatch()
        self._breakers = BreakerKeeper(self._withdraw)
        self._express = ExpressLane(self._list_express, self.stopping)
        self._threads = [
            threading.Thread(target=self._run_loop, name="links", daemon=True),
            threading.Thread(target=self._keep_house, name="leases", daemon=True),
        ]

    def start(self) -> None:
        self._inbox.start()
        self._express.start()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Leave in order: no further intent, answers written down, links closed, leases given back."""
        self.stopping.set()
        for slot in list(self._slots.values()):
            slot.wake.set()
        self._express.join(CLOSE_SECONDS)
        with ThreadPoolExecutor(MOST_CLOSING, "closing") as pool:  # a provider that hangs delays nobody else's slot
            pool.map(partial(self._attempt, self._close_apart), list(self._slots.values()))
        self._are_closed.set()
        self._inbox.stop()
        self._threads[1].join(HOUSEKEEPING_SECONDS * 4)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._threads[0].join(2)

    # -- slots -------------------------------------------------------------------------------------------------------

    def get_slot(self, gateway_account_id: int, number: int, *, may_crowd: bool = True) -> Slot | None:
        """The slot, taken and with its link started if nobody has it; None if another process does.

        Raises Crowded instead of taking a further slot of a connection, unless it `may_crowd`.
        """
        key = (gateway_account_id, number)
        while True:
            with self._lock:
                if self.stopping.is_set() or time.monotonic() < self._yielded.get(key, 0.0):
                    return None
                found = try_in_one_transaction("load account", partial(_load_account, gateway_account_id), _AWAY)
                slot = self._slots.get(key)
                if slot is not None and slot.is_leaving:
                    return None
                if not found:
                    return slot  # a database that is away says nothing against it
                (account,) = found
                if slot is None:
                    return self._take_slot(account, number, may_crowd) if account is not None else None
                is_good = not slot.is_lost and account is not None and self._settings[key] == _fingerprint(account)
                if is_good or slot.working.locked():
                    return slot
                slot.is_leaving = True
            self._close_slot(slot)  # may take its time with a slow provider: nobody else waits for that

    def _dismiss(self, slot: Slot) -> None:
        """Close a slot that must not go on, in a thread of its own, and ring for it: bells for a slot that another
        worker took go there, so none need ever come here again."""
        if slot.is_leaving or slot.is_dismissed:
            return
        slot.is_dismissed = True
        threading.Thread(target=self._attempt, args=(self._leave_and_ring, slot), name="dismissal", daemon=True).start()

    def _leave_and_ring(self, slot: Slot) -> None:
        try:
            with self._lock:  # may be held for seconds while a link starts
                if slot.is_leaving:
                    return
                slot.is_leaving = True
            slot.wake.set()
            self._close_slot(slot)
            if self._bell is not None and not self.stopping.is_set():
                self._ring_bell(slot.gateway_account_id, slot.number)
        finally:
            connection.close()

    def has_slot_of(self, gateway_account_id: int) -> bool:
        return any(held == gateway_account_id for held, _ in list(self._slots))

    def hand_over(self, gateway_account_id: int, number: int) -> bool:
        """Close the slot in order, for another worker to take. False unless this process has it and a further one."""
        key = (gateway_account_id, number)
        with self._lock:
            slot = self._slots.get(key)
            if slot is None or slot.is_leaving or self._count_staying(gateway_account_id) < 2:
                return False
            self._yielded[key] = time.monotonic() + YIELD_SECONDS
            slot.is_leaving = True
            slot.wake.set()
        self._close_slot(slot)
        return True

    def _count_staying(self, gateway_account_id: int) -> int:
        own = [slot for slot in list(self._slots.values()) if slot.gateway_account_id == gateway_account_id]
        return sum(not (slot.is_leaving or slot.is_dismissed or slot.is_lost) for slot in own)

    def _take_slot(self, account: GatewayAccount, number: int, may_crowd: bool) -> Slot | None:
        if number >= len(account.slot_rates):
            return None
        if not may_crowd and self.has_slot_of(account.pk):
            raise Crowded
        return self._open_slot(account, number) if self._doubt.may_open() else None

    def _open_slot(self, account: GatewayAccount, number: int) -> Slot | None:
        try:
            gateway = open_account_gateway(account, number)
        except (GatewayError, UnknownGateway, DecryptionError, ValueError) as error:
            log.error("engine.account_unusable", extra={"account": account.pk, "error": str(error)})
            return None

        def take() -> int | None:
            holder = find_session_worker(account.pk, number)
            if is_proven_dead(holder):
                end_session_of_dead_worker(gateway_account_id=account.pk, slot=number, worker=holder)
            return open_session(gateway_account_id=account.pk, slot=number, worker=self.worker)

        session_id = try_in_one_transaction("take a slot", take, None)
        if session_id is None:
            return None
        slot = Slot(
            gateway_account_id=account.pk,
            number=number,
            session_id=session_id,
            gateway=gateway,
            stride=gateway.find_stride(account.slot_rates[number], account.window_size),
            submit=self._submit,
            store_events=self._store_events,
            ring=self._ring if self._bell is not None else None,
            lane=Lane.BULK,
        )
        slot.express = ExpressSlot(
            gateway_account_id=account.pk,
            number=number,
            session_id=session_id,
            window=account.window_size,
            submit=partial(self._submit, slot, is_urgent=True),
        )
        slot.express.answered = self._express.answered
        slot.valve = slot.express.valve = Valve(account.slot_rates[number], gateway.batch_size, slot.count_in_air)
        slot.reach = Reach(slot.stride, gateway.batch_size)
        self._settings[account.pk, number] = _fingerprint(account)
        self._slots[account.pk, number] = slot
        self._await(self._start_link(slot), 5)
        log.info("engine.slot_taken", extra={"account": account.pk, "slot": number, "session": session_id})
        return slot

    def _list_express(self) -> list[ExpressSlot]:
        return [slot.express for slot in list(self._slots.values()) if slot.express is not None]

    async def _start_link(self, slot: Slot) -> None:
        slot.link = slot.gateway.create_link(slot)
        if slot.number == 0:  # where a provider has to be asked for its events, one slot asks
            slot.link.pull_with(AccountDesk(slot.gateway_account_id))
        slot.link.start()

    def _close_slot(self, slot: Slot) -> None:
        """Wait for the slot's task, then close it in order; its lease is renewed until then. Not under the runtime's
        lock: this takes as long as the provider does."""
        key = (slot.gateway_account_id, slot.number)
        assert slot.express is not None
        with slot.working, slot.express.intending, slot.express.recording:
            if self._slots.get(key) is not slot:
                return  # somebody else closed it while we waited
            try:
                self._end_slot(slot, slot.express)
            finally:
                slot.lose()
                del self._slots[key]
        log.info("engine.slot_left", extra={"account": key[0], "slot": key[1], "session": slot.session_id})

    def _close_apart(self, slot: Slot) -> None:
        """In a thread that has nothing else to do with the database."""
        try:
            self._close_slot(slot)
        finally:
            connection.close()

    def _end_slot(self, slot: Slot, express: ExpressSlot) -> None:
        """Let the link finish, write the last answers, end the session."""
        slot.leave()
        if slot.link is not None:
            self._await(slot.link.close(grace_seconds=CLOSE_SECONDS), CLOSE_SECONDS + 5)
        while slot.flush():
            pass
        slot.leave()
        express.leave()
        try_in_one_transaction("end session", lambda: close_session(slot.session_id), False)

    # -- threads -----------------------------------------------------------------------------------------------------

    def _run_loop(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _keep_house(self) -> None:
        """Renew leases, and write down answers that come while no task works the slot, until all slots are closed. Each
        duty by itself: leases must be renewed whatever happens to one slot or to health."""
        told_at, compared_at = 0.0, time.monotonic()
        while not self._are_closed.wait(HOUSEKEEPING_SECONDS):
            slots = [slot for slot in list(self._slots.values()) if not slot.is_lost]
            self._attempt(self._leases.renew_due, slots)
            if slots and time.monotonic() - told_at >= settings.ENGINE_LEASE_SECONDS / 4:
                told_at = time.monotonic()
                self._attempt(self._record_health, slots)
            if slots and time.monotonic() - compared_at >= COMPARE_SECONDS:
                compared_at = time.monotonic()
                self._attempt(self._dismiss_changed, slots)
                self._attempt(DoubtWatch.may_open, self._doubt)  # or nobody hears of a fail-over under open slots
            for slot in slots:
                self._attempt(self._record_link, slot)
            self._attempt(self._breakers.tell, slots)
            for slot in list(self._slots.values()):
                self._attempt(self._flush_idle, slot)
                if slot.is_lost:  # another worker may have it: the operator must not see two of us
                    self._attempt(self._dismiss, slot)
        connection.close()

    @staticmethod
    def _attempt(duty: Callable[[T], object], of: T) -> None:
        try:
            duty(of)
        except Exception:
            log.exception("engine.duty_failed", extra={"duty": getattr(duty, "__name__", "")})

    @staticmethod
    def _flush_idle(slot: Slot) -> None:
        if slot.answer_count and slot.patience.is_over and slot.working.acquire(blocking=False):
            try:
                slot.flush()
            finally:
                slot.working.release()

    def _record_link(self, slot: Slot) -> None:
        link = (str(slot.link_state), slot.link_code)
        if link == slot.recorded_link:
            return

        if try_in_one_transaction("record link", lambda: record_link(slot.session_id, *link), False):
            slot.recorded_link = link

    def _dismiss_changed(self, slots: list[Slot]) -> None:
        """No bell tells of a connection that was switched off, nor of slots that it has no longer."""
        pks = {slot.gateway_account_id for slot in slots}
        accounts = try_in_one_transaction("compare accounts", partial(_load_accounts, pks), None)
        if accounts is None:
            return  # a database that is away says nothing against them
        for slot in slots:
            account = accounts.get(slot.gateway_account_id)
            if account is None or _fingerprint(account) != self._settings[account.pk, slot.number]:
                self._dismiss(slot)

    def _record_health(self, slots: list[Slot]) -> None:
        pulses = [
            SlotPulse(s.gateway_account_id, s.number, str(s.link_state), s.link_code, s.pulse.take()) for s in slots
        ]
        try_in_one_transaction("record health", lambda: record_pulses(pulses), None)

    def _submit(self, slot: Slot, messages: list[OutboundMessage], *, is_urgent: bool = False) -> None:
        assert slot.link is not None
        self._loop.call_soon_threadsafe(partial(slot.link.submit_many, messages, is_urgent=is_urgent))

    def _withdraw(self, slot: Slot) -> None:
        """What the link has not written goes back to the queue, for another connection to take."""

        def take_back() -> None:
            messages = slot.link.withdraw() if slot.link is not None else []
            if messages:
                slot.on_outcomes(
                    [SubmitOutcome(m.token, OutcomeKind.NOT_SENT, reason=Reason.WITHDRAWN) for m in messages]
                )

        self._loop.call_soon_threadsafe(take_back)

    def _store_events(self, slot: Slot, batch: EventBatch) -> None:
        self._inbox.put(slot.gateway_account_id, slot.gateway, batch)

    def _ring(self, slot: Slot) -> None:
        """On the event loop, which must not wait for the broker."""
        if not self.stopping.is_set():
            self._loop.run_in_executor(None, self._ring_bell, slot.gateway_account_id, slot.number)

    def _ring_bell(self, gateway_account_id: int, number: int) -> None:
        assert self._bell is not None
        try:
            self._bell(gateway_account_id, number, self.worker)
        except Exception:  # the next tick rings
            log.warning("engine.not_rung", exc_info=True)

    def _await(self, work: Coroutine[Any, Any, None], seconds: float) -> None:
        try:
            asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)
        except TimeoutError:
            log.warning("engine.link_slow", extra={"seconds": seconds})
        except Exception:  # whatever an adapter does wrong: the slot is opened and closed all the same
            log.exception("engine.link_fault")


_AWAY: tuple[GatewayAccount | None, ...] = ()


def _load_account(pk: int) -> tuple[GatewayAccount | None, ...]:
    """One account, or one None if it is not there or switched off."""
    return (GatewayAccount.objects.filter(pk=pk, is_active=True).first(),)


def _load_accounts(pks: Collection[int]) -> dict[int, GatewayAccount]:
    """Those of them that are switched on."""
    return GatewayAccount.objects.filter(is_active=True).in_bulk(pks)


def _fingerprint(account: GatewayAccount) -> tuple[Any, ...]:
    """What a link is made of: another one means closing it and opening a new one."""
    return (
        account.adapter,
        repr(sorted(account.settings.items())),
        account.secret,
        account.push_token,
        account.rate_per_second,
        account.window_size,
        account.slots,
        account.switched_at,  # a link that was stopped, after too many refusals, begins anew
    )
