import logging

from celery import shared_task

from accounts.scope import platform_scope, tenant_scope
from accounts.tasks_base import TenantTask
from messaging.tasks import ring_senders

from .models import Campaign
from .services import snapshot, sweeps
from .services.audience import discard_stale_audience as discard_stale
from .services.launch import start_due_campaign

log = logging.getLogger(__name__)
WALKERS = 2
"""Tasks that share a large audience; more help where more cores are."""
SLICE_SECONDS = 2.0
"""After so long a walker goes to the end of its queue, so that other bulk work waits no longer."""


@shared_task(base=TenantTask, acks_late=True, opens_own_scopes=True)
def walk_audience(*, campaign_id: int, tenant_id: int, calls_help: bool = True) -> None:
    if calls_help:
        stretches = snapshot.begin_walk(campaign_id=campaign_id, tenant_id=tenant_id)
        for _ in range(min(WALKERS, stretches) - 1):
            walk_audience.delay(campaign_id=campaign_id, tenant_id=tenant_id, calls_help=False)
    if snapshot.walk_audience(campaign_id=campaign_id, tenant_id=tenant_id, seconds=SLICE_SECONDS) is None:
        walk_audience.delay(campaign_id=campaign_id, tenant_id=tenant_id, calls_help=False)


@shared_task(base=TenantTask)
def discard_stale_audience(*, campaign_id: int, tenant_id: int) -> None:
    discard_stale(campaign_id=campaign_id)


@shared_task
def start_due_campaigns() -> None:
    """Sweep: every scheduled campaign whose time has come, each in its own transaction."""
    with platform_scope(reason="schedule sweep"):
        due = sweeps.list_due_campaigns()
    for campaign_id, tenant_id in due:
        try:
            with tenant_scope(tenant_id):
                status = start_due_campaign(campaign_id=campaign_id)
        except Exception:  # one account's fault must not make everybody else's campaigns late
            log.exception("campaigns.not_started", extra={"campaign": campaign_id, "tenant": tenant_id})
            continue
        if status == Campaign.Status.LAUNCHED:
            ring_senders.delay()
        elif status == Campaign.Status.PREPARING:
            walk_audience.delay(campaign_id=campaign_id, tenant_id=tenant_id)


@shared_task
def resume_stalled_audiences() -> None:
    """Sweep: audiences whose worker died, or whose nudge was lost."""
    with platform_scope(reason="audience sweep"):
        stalled = sweeps.resume_stalled_audiences()
    for campaign_id, tenant_id in stalled:
        walk_audience.delay(campaign_id=campaign_id, tenant_id=tenant_id)


@shared_task
def discard_stale_audiences() -> None:
    """Sweep: frozen audiences that an edit left behind."""
    with platform_scope(reason="stale audience sweep"):
        stale = sweeps.list_stale_audiences()
    for campaign_id, tenant_id in stale:
        discard_stale_audience.delay(campaign_id=campaign_id, tenant_id=tenant_id)
