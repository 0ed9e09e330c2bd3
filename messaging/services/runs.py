"""Life of a send run. Every move is one conditional update; calling it again changes nothing (S12)."""

import logging
from dataclasses import asdict, dataclass, replace
from datetime import datetime, time
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import DataError, connection, transaction
from django.db.models import Q, Sum
from django.db.models.functions import Now

from billing.services import hold_credits
from messaging.models import Message, MessageBatch, RouteStep, RunTally, SendRun
from messaging.months import current_month, ids_of_months

from .deadlines import find_deadline, move_deadline, read_clock
from .partitions import create_month

log = logging.getLogger(__name__)
State = SendRun.State
HELD, CHECKED = "abuse", "checked"  # pause reasons: platform staff look at it; they have, and it is the owner's again
EXPRESS_CHANNEL = "peyk_express"
"""Notified when a run of priority OTP may begin; the payload is the key of a connection that carries it."""


class RunNotReady(RuntimeError):
    """The run is not in a state from which it can be started; `state` says in which it is."""

    def __init__(self, state: str) -> None:
        super().__init__(f"a run that is {state} cannot be started")
        self.state = state


@dataclass(frozen=True, kw_only=True)
class RunTerms:
    """What a run sends as, and when it may.

    `window_opens`/`window_closes` are local hours in `time_zone` outside which nothing is sent (S8): both or neither,
    else ValueError.
    """

    sender: str
    content_class: str
    priority: int = SendRun.Priority.NORMAL
    window_opens: time | None = None
    window_closes: time | None = None
    time_zone: str
    not_before: datetime | None = None
    deadline_at: datetime | None = None

    def __post_init__(self) -> None:
        if (self.window_opens is None) != (self.window_closes is None):
            raise ValueError("a sending window opens and closes")


def create_send_run(*, tenant_id: int, origin_type: str, origin_id: int | None, terms: RunTerms) -> SendRun:
    """A run in `preparing`; messages are added with `write_messages`."""
    month = current_month()
    create_month(month)  # made ahead of time by a tick: it is missing here only if that has not run for long
    known = replace(terms, time_zone=_find_known_zone(terms.time_zone))
    run = SendRun(month=month, tenant_id=tenant_id, origin_type=origin_type, origin_id=origin_id, **asdict(known))
    run.save()
    return run


def _find_known_zone(name: str) -> str:
    """The zone, or the platform's where the database does not know it: claims ask it about all runs in one statement,
    and one name that it cannot read would stop everybody's."""
    try:
        return _prove_zone(name)
    except DataError:
        log.warning("engine.zone_unknown", extra={"zone": name})
        return str(settings.TIME_ZONE)


@lru_cache  # remembers what was known, not what raised: a one-time password pays no round trip for it
def _prove_zone(name: str) -> str:
    """Raises DataError for a name that the database does not know."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp() AT TIME ZONE %s", [name])
    return name


def mark_run_ready(run_id: int) -> SendRun:
    """Freeze the run's totals (S4): from here on no message is added. Harmless if it is ready already."""
    with transaction.atomic():
        run = SendRun.objects.select_for_update().get(pk=run_id)
        if run.state != State.PREPARING:
            return run
        sums = RunTally.objects.filter(run_id=run_id, state="queued").aggregate(
            messages=Sum("entered"), parts=Sum("entered_parts"), credits=Sum("entered_credits")
        )
        _update_run(
            run_id,
            [State.PREPARING],
            state=State.READY,
            message_count=sums["messages"] or 0,
            part_count=sums["parts"] or 0,
            credits=sums["credits"] or 0,
        )
        run.refresh_from_db()
    return run


def start_send_run(*, run_id: int, tenant_id: int) -> SendRun:
    """Hold the whole cost and let the run go, in one transaction. Harmless if it was started before.

    Raises NotEnoughCredits (nothing changed) and RunNotReady.
    """
    with transaction.atomic():
        run = SendRun.objects.select_for_update().get(pk=run_id, tenant_id=tenant_id)
        if run.state in (State.RUNNING, State.PAUSED, State.CANCELLING, State.COMPLETED):
            return run
        if run.state != State.READY:
            raise RunNotReady(run.state)
        hold_credits(tenant_id=tenant_id, run_id=run_id, amount=run.credits)
        now = read_clock()
        changes: dict[str, Any] = {"state": State.RUNNING, "started_at": now}
        if run.message_count == 0:
            changes = {"state": State.COMPLETED, "started_at": now, "completed_at": now}
        if run.deadline_at is None:
            changes["deadline_at"] = find_deadline(run, now)
        _update_run(run_id, [State.READY], **changes)
        _ring_express(run)
        run.refresh_from_db()
    return run


def _ring_express(run: SendRun) -> None:
    """At the commit the express lanes of all sender workers hear of it, without the way over the broker."""
    if run.priority <= SendRun.Priority.OTP:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_notify(%s, account::text) FROM ("
                " SELECT DISTINCT gateway_account_id AS account FROM messaging_messagebatch"
                " WHERE run_id = %s AND state = 'ready') accounts",
                [EXPRESS_CHANNEL, run.pk],
            )


def pause_send_run(*, run_id: int, tenant_id: int, reason: str = "user") -> bool:
    """False if it was not running. At most one stride per slot leaves after this commits (S6)."""
    return _update_run(run_id, [State.RUNNING], tenant_id, state=State.PAUSED, pause_reason=reason)


def hold_send_run(*, run_id: int, tenant_id: int) -> bool:
    """Pause a run, or take over its pause, until `lift_hold`: nobody resumes it before. False if it is neither."""
    if pause_send_run(run_id=run_id, tenant_id=tenant_id, reason=HELD):
        return True
    # Since when it stands still stays as it was.
    return SendRun.objects.filter(pk=run_id, tenant_id=tenant_id, state=State.PAUSED).update(pause_reason=HELD) == 1


def lift_hold(*, run_id: int, tenant_id: int) -> bool:
    """Give a held run back, paused: its owner says whether it is still to go. False if it was not held."""
    held = SendRun.objects.filter(pk=run_id, tenant_id=tenant_id, state=State.PAUSED, pause_reason=HELD)
    return held.update(pause_reason=CHECKED) == 1


def resume_send_run(*, run_id: int, tenant_id: int) -> bool:
    """False if it was not paused, or is held. The time it stood still does not count against its deadline."""
    with transaction.atomic():
        paused = SendRun.objects.filter(pk=run_id, tenant_id=tenant_id, state=State.PAUSED)
        run = paused.exclude(pause_reason=HELD).select_for_update(of=("self",)).first()
        if run is None:
            return False
        deadline_at = run.deadline_at and move_deadline(run, run.deadline_at, run.state_changed_at, read_clock())
        changes = {"state": State.RUNNING, "pause_reason": "", "deadline_at": deadline_at}
        return _update_run(run_id, [State.PAUSED], tenant_id, **changes)


def cancel_send_run(*, run_id: int, tenant_id: int) -> bool:
    """False if there is nothing to cancel. What is not on the wire becomes cancelled soon after, by the engine."""
    return _update_run(
        run_id,
        [State.RUNNING, State.PAUSED],
        tenant_id,
        state=State.CANCELLING,
        pause_reason="",
        was_cancelled=True,
    )


def discard_send_run(*, run_id: int, tenant_id: int) -> bool:
    """Throw away a run that was never started, with its messages. False if it was started (or discarded before)."""
    with transaction.atomic():
        if not _update_run(run_id, [State.PREPARING, State.READY], tenant_id, state=State.DISCARDED):
            return False
        month = SendRun.objects.values_list("month", flat=True).get(pk=run_id)
        bounds = ids_of_months(month, month)
        own = Q(run_id=run_id, tenant_id=tenant_id)
        in_month = own & Q(pk__gte=bounds.low, pk__lt=bounds.high)
        for model, which in ((Message, in_month), (RunTally, own), (MessageBatch, own), (RouteStep, own)):
            rows = model.objects.filter(which)
            rows._raw_delete(rows.db)
        SendRun.objects.filter(pk=run_id).update(message_count=0, part_count=0, credits=0)
    return True


def _update_run(run_id: int, before: list[State], tenant_id: int | None = None, /, **changes: Any) -> bool:
    """The conditional update that every move of a run is."""
    runs = SendRun.objects.filter(pk=run_id, state__in=before)
    if tenant_id is not None:
        runs = runs.filter(tenant_id=tenant_id)
    return runs.update(state_changed_at=Now(), **changes) == 1
