"""Doorbells and ticks of the engine. Nothing here is the only record of anything: what is due is read from rows."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

from celery import shared_task
from celery.signals import worker_ready
from django.db import DatabaseError, OperationalError
from django.utils import timezone

from gateways.routing.health import advance_health
from gateways.services.alarms import judge_connections, tell_people
from messaging.dispatch.identity import is_proven_dead
from messaging.dispatch.runtime import Crowded
from messaging.dispatch.worker import find_runtime
from messaging.scope import alone, engine_scope
from messaging.selectors.stalls import MEANT, list_stalled_runs
from messaging.services.charges import SETTLE_LIMIT, settle_charges
from messaging.services.completion import cancel_unsent, complete_run, expire_messages, fail_overdue, heal_forgotten
from messaging.services.health import forget_old_figures, record_queues
from messaging.services.partitions import create_months_ahead
from messaging.services.receipts import MATCH_LIMIT
from messaging.services.receipts import match_receipts as match_due_receipts
from messaging.services.rerouting import MOST_BATCHES, reroute_waiting
from messaging.services.restore import recognise_database
from messaging.services.retention import drop_partition, forget_spent, list_tenures
from messaging.services.sessions import end_dead_sessions, find_session_worker, take_orphans_back
from messaging.services.sweeps import (
    OpenRun,
    list_active_accounts,
    list_due_accounts,
    list_open_runs,
    mark_sent_out,
    pause_refused_run,
)

log = logging.getLogger(__name__)
SLICE_SECONDS = 20.0
LINGER_SECONDS = 1.0
MOST_ROUNDS = 200
MOST_PASSES = 6
PASS_SECONDS = 0.15
OFFER_SECONDS = 10
FORWARDED = MOST_PASSES + 1  # a bell in the holder's own queue goes no further


@shared_task
def drain(gateway_account_id: int, slot: int, hops: int = 0) -> None:
    """Ring a sender slot: it works for a time slice, as long as something is due, and rings again.

    A bell that reaches the wrong worker is passed on once to the one that holds the slot. One for a slot that nobody
    holds is passed on a few times by a worker that has another slot of the connection, so that somebody else finds it:
    slots spread over processes, and processes over cores.
    """
    runtime = find_runtime()
    if runtime is None or runtime.stopping.is_set():
        return
    try:
        held = runtime.get_slot(gateway_account_id, slot, may_crowd=hops >= MOST_PASSES)
    except Crowded:
        runtime.stopping.wait(PASS_SECONDS)  # or it comes straight back, before anybody else listens
        drain.apply_async((gateway_account_id, slot, hops + 1), queue="senders", expires=60)
        return
    if held is None:
        with engine_scope(reason="who has the slot"):
            worker = find_session_worker(gateway_account_id, slot)
        if worker and worker != runtime.worker and hops < FORWARDED:
            drain.apply_async((gateway_account_id, slot, FORWARDED), queue=worker)
        return
    if not held.working.acquire(blocking=False):
        held.wake.set()
        return
    try:
        is_more = held.work(seconds=SLICE_SECONDS, linger_seconds=LINGER_SECONDS, stopping=runtime.stopping)
    finally:
        held.working.release()
    if is_more and not runtime.stopping.is_set():
        drain.apply_async((gateway_account_id, slot), queue=runtime.worker)


@shared_task
def offer_slot(gateway_account_id: int, slot: int, holder: str) -> None:
    """A worker has several slots of a connection: who hears this and has none asks it for that one."""
    runtime = find_runtime()
    if runtime is None or runtime.worker == holder or runtime.has_slot_of(gateway_account_id):
        return
    hand_over_slot.apply_async((gateway_account_id, slot, runtime.worker), queue=holder, expires=OFFER_SECONDS)


@shared_task
def hand_over_slot(gateway_account_id: int, slot: int, asker: str) -> None:
    """Asked by a worker without any: a slot is closed in order and the asker rung. Nothing is in two hands meanwhile:
    the session ends before the bell is rung."""
    runtime = find_runtime()
    if runtime is not None and runtime.hand_over(gateway_account_id, slot):
        drain.apply_async((gateway_account_id, slot, FORWARDED), queue=asker, expires=60)


@shared_task
def ring_senders(run_id: int | None = None) -> None:
    """Nudge after a commit that made something due: a run was started or resumed."""
    with engine_scope(reason="ring sender slots"):
        _ring(list_due_accounts(run_id))


@shared_task
def ring_all_senders() -> None:
    """Tick: every connection has its slots taken and bound, and works what a lost nudge left."""
    with engine_scope(reason="ring sender slots"):
        _ring(list_active_accounts())


@worker_ready.connect
def ring_at_start(**_: Any) -> None:
    """A sender worker that comes up asks for work at once: after a crash, seconds count."""
    if find_runtime() is not None:
        try:
            ring_all_senders()
        except DatabaseError:
            log.warning("engine.not_rung", exc_info=True)  # the next tick rings


def _ring(accounts: Iterable[tuple[int, int]]) -> None:
    for account_id, slots in accounts:
        holders: set[str] = set()
        for slot in range(slots):
            worker = find_session_worker(account_id, slot)
            if is_proven_dead(worker):
                worker = ""  # whoever hears it takes the slot at once
            if worker in holders:
                offer_slot.apply_async((account_id, slot, worker), queue="senders", expires=OFFER_SECONDS)
            elif worker:
                holders.add(worker)
            drain.apply_async((account_id, slot, FORWARDED if worker else 0), queue=worker or "senders", expires=60)


@shared_task
def sweep_sessions() -> None:
    """Tick: sender slots whose lease ran out are dead; their batches go on elsewhere (W3)."""
    with engine_scope(reason="sweep sessions"):
        ended = end_dead_sessions()
    with engine_scope(reason="sweep orphaned batches"):
        orphans = take_orphans_back()
    if ended or orphans:
        log.warning("engine.sessions_dead", extra={"count": ended, "orphans": orphans})
        ring_all_senders.delay()


@shared_task
def match_receipts() -> None:
    """Tick: receipts that wait, also while no sender worker lives."""
    for _ in range(MOST_ROUNDS):
        with engine_scope(reason="match receipts"):
            if match_due_receipts() < MATCH_LIMIT:
                return


@shared_task
def sweep_health() -> None:
    """Tick: queues and reports of each connection, what is wrong with it since when, and a word to people."""
    with engine_scope(reason="queues of connections"):
        record_queues()
        if timezone.now().minute == 0:
            forget_old_figures()
    judge_connections()
    tell_people()


@shared_task
def sweep_routes() -> None:
    """Tick: connections come back from their rest; what waits at one that rests goes on over another (S11)."""
    with engine_scope(reason="health of connections"):
        for turn in advance_health():
            log.warning("gateway.breaker", extra=turn._asdict())
    total = 0
    for _ in range(MOST_ROUNDS):
        with engine_scope(reason="reroute what waits"):
            moved = reroute_waiting()
        total += moved
        if moved < MOST_BATCHES:
            break
    if total:
        log.warning("engine.batches_rerouted", extra={"batches": total})
        with engine_scope(reason="ring sender slots"):
            _ring(list_due_accounts())


@shared_task
def compare_charges() -> None:
    """Tick: what providers say that messages cost, beside ours."""
    for _ in range(MOST_ROUNDS):
        with engine_scope(reason="compare charges"):
            if settle_charges() < SETTLE_LIMIT:
                return


@shared_task
def sweep_runs() -> None:
    """Tick: cancelled rests, deadlines, automatic pause, completion; stalled runs are named and rung for."""
    with alone("sweep runs") as is_alone:
        if is_alone:  # else the sweep before this one is at work still
            runs = _sweep_each("sweep runs", _sweep_run)
            with engine_scope(reason="runs without batches"):
                mark_sent_out(runs)
            _name_stalled_runs()


@shared_task
def sweep_timers() -> None:
    """Tick: messages whose receipt or answer no longer comes (S5). Rarer: all of an old run's messages are read."""
    with alone("sweep timers") as is_alone:
        if is_alone:
            _sweep_each("sweep timers", _expire_run)


def _sweep_each(reason: str, sweep: Callable[[OpenRun], None]) -> list[OpenRun]:
    with engine_scope(reason=reason):
        # In doubt nobody knows what became of what is queued: nothing is decided about it.
        runs = list_open_runs() if recognise_database() is None else []
    for run in runs:
        try:
            sweep(run)
        except Exception:  # the next tick tries again; the other runs go on now
            log.exception("engine.run_not_swept", extra={"run": run.run_id, "tenant": run.tenant_id})
    return runs


def _expire_run(run: OpenRun) -> None:
    if run.may_have_expired and run.open_count > run.queued_count:
        _repeat(expire_messages, run.run_id)


def _name_stalled_runs() -> None:
    with engine_scope(reason="stalled runs"):
        stalled = [run for run in list_stalled_runs() if run.stall.reason not in MEANT]
    for run_id, tenant_id, stall in stalled:
        where = {"run": run_id, "tenant": tenant_id}
        log.warning("engine.run_stalled", extra={**where, "cause": stall.reason, "code": stall.code})
    if stalled:
        ring_all_senders.delay()


def _sweep_run(run: OpenRun) -> None:
    """Nothing for a run of which the list says that nothing is to do, as of most."""
    if run.has_first_answers:
        with engine_scope(reason="automatic pause"):
            if pause_refused_run(run.run_id):
                log.warning("engine.run_paused", extra={"run": run.run_id, "reason": "refusals"})
    moved = 0
    if run.has_open_batches and run.state == "cancelling":
        moved += _repeat(cancel_unsent, run.run_id)
    elif run.has_open_batches and run.is_overdue:
        moved += _repeat(fail_overdue, run.run_id)
    elif run.queued_count and not run.has_open_batches:
        moved += _repeat(heal_forgotten, run.run_id)
    if moved or run.is_over:
        with engine_scope(reason="complete a run"):
            if complete_run(run.run_id):
                log.info("engine.run_completed", extra={"run": run.run_id})


def _repeat(step: Callable[[int], int], run_id: int) -> int:
    """A step in transactions of bearable size, as long as it moves messages; returns how many."""
    total = 0
    for _ in range(MOST_ROUNDS):
        with engine_scope(reason="sweep a run"):
            moved = step(run_id)
        total += moved
        if not moved:
            break
    return total


@shared_task
def turn_months() -> None:
    """Tick: partitions for the months to come, and none for months whose time is over (retention); so with rows."""
    with engine_scope(reason="partitions ahead"):
        for name in create_months_ahead():
            log.info("engine.partition_created", extra={"partition": name})
    with engine_scope(reason="retention"):
        tenures = list_tenures()
    for tenure in tenures:
        name = tenure.partition.name
        if tenure.is_overdue:
            log.warning("engine.month_kept", extra={"partition": name, "open_runs": list(tenure.open_runs)})
        if tenure.is_over:
            try:
                with engine_scope(reason="retention"):
                    drop_partition(tenure.partition)
            except OperationalError:  # somebody is reading for long: the next tick tries again
                log.warning("engine.month_not_dropped", extra={"partition": name}, exc_info=True)
            else:
                log.info("engine.month_dropped", extra={"partition": name})
    for _ in range(MOST_ROUNDS):
        with engine_scope(reason="retention"):
            if not forget_spent():
                break
