"""From ready to sending: now, or when its time comes. Each move is one conditional step on the locked row (S12)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from billing.selectors import get_balance
from billing.services import NotEnoughCredits
from messaging.selectors import is_history_missing
from messaging.services import start_send_run

from ..models import AudienceSnapshot, Campaign
from ..selectors.checks import list_audience_problems, list_problems
from ..selectors.problems import STOP, Problem
from .audience import prepare_scheduled_audience
from .errors import DraftConflict, NotEditable, NotReady, ScheduleInPast
from .gate import lock_campaign
from .trail import record_step

S = Campaign.Status
LATEST_START: Final = timedelta(minutes=30)
"""A schedule missed by more is held, and the user asked (reliability.md section 6)."""


@transaction.atomic
def launch_campaign(*, campaign: Campaign, version: int, actor: User) -> Campaign:
    """ready → launched: the whole cost is held and the run starts, in one transaction.

    A second call (double click, repeated request) finds it launched and changes nothing. Raises NotEnoughCredits,
    NotReady, DraftConflict; nothing is changed then. The caller nudges the senders after commit.
    """
    locked = lock_campaign(campaign.pk)
    if _is_repeat(locked, version, S.LAUNCHED):
        return locked
    _check_ready(locked, version)
    # A time that is over means: the user was told, and starts it now.
    if locked.scheduled_at is not None and locked.scheduled_at > timezone.now():
        raise NotEditable("scheduled for later")
    _start(locked, actor)
    return locked


@transaction.atomic
def schedule_campaign(*, campaign: Campaign, version: int, actor: User) -> Campaign:
    """ready → scheduled. Credits are held at the start; a balance that is too small now is refused now.

    Raises as `launch_campaign`, and ScheduleInPast.
    """
    locked = lock_campaign(campaign.pk)
    if _is_repeat(locked, version, S.SCHEDULED) or _is_repeat(locked, version, S.LAUNCHED):
        return locked
    snapshot = _check_ready(locked, version)
    if locked.scheduled_at is None or locked.scheduled_at <= timezone.now():
        raise ScheduleInPast
    available = get_balance(locked.tenant_id).available
    if snapshot.credits > available:
        raise NotEnoughCredits(available=available, needed=snapshot.credits)
    locked.status, locked.failure, locked.launched_by = S.SCHEDULED, "", actor
    locked.save(update_fields=["status", "failure", "launched_by"])
    record_step(locked, "campaign.scheduled", actor, at=locked.scheduled_at.isoformat())
    return locked


@transaction.atomic
def unschedule_campaign(*, campaign: Campaign, actor: User) -> Campaign:
    """scheduled → ready, audience and all. Nothing happens to a campaign that has started; NotEditable."""
    locked = lock_campaign(campaign.pk)
    if locked.status == S.READY:
        return locked
    if locked.status != S.SCHEDULED:
        raise NotEditable(locked.status)
    locked.status = S.READY
    locked.save(update_fields=["status"])
    record_step(locked, "campaign.unscheduled", actor)
    return locked


@transaction.atomic
def start_due_campaign(*, campaign_id: int) -> str:
    """Start a scheduled campaign whose time has come; returns its status then: launched, if it runs now.

    preparing: lists or prices have changed since its audience was prepared; the caller nudges `tasks.walk_audience`,
    and it starts with the new one. What changes during that walk changes nothing more: this is its frozen audience.
    ready: account closed, too late, perhaps started before a restore, not enough credit, or a sender ID withdrawn
    meanwhile; `failure` has the reason.
    """
    locked = lock_campaign(campaign_id)
    if locked.status != S.SCHEDULED or locked.scheduled_at is None or locked.scheduled_at > timezone.now():
        return locked.status
    failure = _find_obstacle(locked, locked.scheduled_at)
    if failure == "audience_stale":
        prepare_scheduled_audience(locked)
        return locked.status
    if not failure:
        try:
            _start(locked, locked.launched_by)
        except NotEnoughCredits:
            failure = "not_enough_credits"
    if failure:
        locked.status, locked.failure = S.READY, failure
        locked.save(update_fields=["status", "failure"])
        record_step(locked, "campaign.held", None, reason=failure)
    return locked.status


def _find_obstacle(campaign: Campaign, due_at: datetime) -> str:
    """A code for `Campaign.failure`, "audience_stale", or "" if nothing but the credits may stand against a start."""
    if not campaign.tenant.is_active:
        return "account_closed"
    if is_history_missing(due_at):
        return "history_missing"
    if timezone.now() - due_at > LATEST_START:
        return "missed_schedule"
    if _list_stops(list_problems(campaign)):
        return "not_ready"
    codes = {problem.code for problem in _list_stops(list_audience_problems(campaign))}
    if "audience_stale" in codes and campaign.snapshot.started_at < due_at:
        return "audience_stale"
    return "not_ready" if codes - {"audience_stale"} else ""


def _list_stops(problems: Iterable[Problem]) -> list[Problem]:
    """Credit is the engine's to refuse, with figures; a time that is over is the caller's question."""
    passed = ("not_enough_credits", "schedule_past")
    return [problem for problem in problems if problem.level == STOP and problem.code not in passed]


def _is_repeat(campaign: Campaign, version: int, status: str) -> bool:
    return campaign.status == status and campaign.version == version


def _check_ready(campaign: Campaign, version: int) -> AudienceSnapshot:
    if campaign.version != version:
        raise DraftConflict(campaign)
    if campaign.status not in (S.READY, S.SCHEDULED):
        raise NotEditable(campaign.status)
    snapshot = AudienceSnapshot.objects.filter(campaign=campaign, campaign_version=version, is_complete=True).first()
    if snapshot is None or campaign.status == S.SCHEDULED:
        raise NotEditable(campaign.status)
    campaign.snapshot = snapshot
    problems = _list_stops([*list_problems(campaign), *list_audience_problems(campaign)])
    if problems:
        raise NotReady(problems)
    return snapshot


def _start(campaign: Campaign, actor: User | None) -> None:
    assert campaign.run_id is not None
    with transaction.atomic():  # a refused hold rolls back to here
        start_send_run(run_id=campaign.run_id, tenant_id=campaign.tenant_id)
    campaign.status, campaign.failure = S.LAUNCHED, ""
    campaign.launched_at, campaign.launched_by = timezone.now(), actor
    campaign.save(update_fields=["status", "failure", "launched_at", "launched_by"])
    record_step(
        campaign, "campaign.launched", actor, content_class=campaign.content_class, class_reason=campaign.class_reason
    )
