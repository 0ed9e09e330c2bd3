"""Pause, resume, cancel. A launched campaign's state is its send run's."""

from typing import Any

from django.db import transaction

from accounts.models import User
from messaging.models import SendRun
from messaging.services import cancel_send_run, hold_send_run, lift_hold, pause_send_run, resume_send_run

from ..models import Campaign
from .audience import discard_audience
from .errors import CampaignHeld, NotEditable
from .gate import lock_campaign
from .trail import record_step

S = Campaign.Status


@transaction.atomic
def pause_campaign(*, campaign: Campaign, actor: User) -> Campaign:
    """Nothing more leaves after this commits (S6). Again: no change. Raises NotEditable if it is not under way."""
    locked = _lock_launched(campaign)
    if pause_send_run(run_id=_run_id(locked), tenant_id=locked.tenant_id, reason="user"):
        record_step(locked, "campaign.paused", actor)
    else:
        _expect_run(locked, state=SendRun.State.PAUSED)
    return locked


@transaction.atomic
def resume_campaign(*, campaign: Campaign, actor: User) -> Campaign:
    """The caller nudges the senders after commit. Again: no change. Raises NotEditable, CampaignHeld."""
    locked = _lock_launched(campaign)
    key = {"run_id": _run_id(locked), "tenant_id": locked.tenant_id}
    if resume_send_run(**key):
        record_step(locked, "campaign.resumed", actor)
    elif SendRun.objects.filter(pk=key["run_id"], pause_reason="abuse").exists():
        raise CampaignHeld
    else:
        _expect_run(locked, state=SendRun.State.RUNNING)
    return locked


@transaction.atomic
def hold_campaign(*, campaign: Campaign, actor: User) -> bool:
    """By platform staff: nothing more leaves, and nobody in the account resumes it. False if it is not under way."""
    locked = lock_campaign(campaign.pk)
    if locked.status != S.LAUNCHED or not hold_send_run(run_id=_run_id(locked), tenant_id=locked.tenant_id):
        return False
    record_step(locked, "campaign.held", actor, reason="abuse")
    return True


@transaction.atomic
def lift_campaign_hold(*, campaign: Campaign, actor: User) -> bool:
    """By platform staff: the campaign is the account's again, paused. False if it was not held."""
    locked = lock_campaign(campaign.pk)
    if locked.status != S.LAUNCHED or not lift_hold(run_id=_run_id(locked), tenant_id=locked.tenant_id):
        return False
    record_step(locked, "campaign.hold_lifted", actor)
    return True


@transaction.atomic
def cancel_campaign(*, campaign: Campaign, actor: User) -> Campaign:
    """Launched: what has not left stays, its credits come back. Before: the audience is discarded. Again: no change.

    Raises NotEditable if everything has left already.
    """
    locked = lock_campaign(campaign.pk)
    if locked.status == S.CANCELLED:
        return locked
    if locked.status != S.LAUNCHED:
        locked.status = S.CANCELLED
        locked.save(update_fields=["status"])
        discard_audience(locked)
    elif not cancel_send_run(run_id=_run_id(locked), tenant_id=locked.tenant_id):
        _expect_run(locked, was_cancelled=True)
        return locked
    record_step(locked, "campaign.cancelled", actor)
    return locked


def _lock_launched(campaign: Campaign) -> Campaign:
    locked = lock_campaign(campaign.pk)
    if locked.status != S.LAUNCHED:
        raise NotEditable(locked.status)
    return locked


def _expect_run(campaign: Campaign, **found: Any) -> None:
    """The run did not move: because an earlier press moved it there, or else it is past that."""
    if not SendRun.objects.filter(pk=_run_id(campaign), **found).exists():
        raise NotEditable("the run has gone on")


def _run_id(campaign: Campaign) -> int:
    assert campaign.run_id is not None  # launched campaigns have one
    return campaign.run_id
