"""A campaign's audience as a state: asked for, begun, thrown away. Walking it is `snapshot.py`."""

from itertools import pairwise

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from accounts.models import User
from contacts.models import Contact
from messaging.services import RunTerms, create_send_run, discard_send_run

from ..models import AudienceSnapshot, AudienceStretch, Campaign
from ..selectors.checks import list_problems
from ..selectors.composition import get_sending_window
from ..selectors.freshness import read_basis
from ..selectors.problems import STOP
from ..selectors.stretch import plan_stretches
from .errors import DraftConflict, NotEditable, NotReady
from .gate import lock_campaign
from .trail import record_step

S = Campaign.Status


@transaction.atomic
def prepare_audience(*, campaign: Campaign, version: int, actor: User, again: bool = False) -> Campaign:
    """Ask for the snapshot: draft or failed → preparing. The caller nudges `tasks.walk_audience` after commit.

    While it is prepared, or ready for the same version, nothing happens, unless a ready one is asked for `again`:
    then that one is stale, and a page that shows its figures launches nothing. Raises NotReady with the problems of
    the draft, DraftConflict if the version is not the one seen, NotEditable once scheduled or launched.
    """
    locked = lock_campaign(campaign.pk)
    if locked.status == S.PREPARING and (again or locked.version == version):
        return locked
    if locked.status == S.READY and locked.version == version and not again:
        return locked
    if locked.status not in (S.DRAFT, S.FAILED, S.PREPARING, S.READY):
        raise NotEditable(locked.status)
    if locked.version != version:
        raise DraftConflict(locked)
    problems = [problem for problem in list_problems(locked) if problem.level == STOP]
    if locked.status == S.READY:  # a time that is over is answered by starting now, with the new audience
        problems = [problem for problem in problems if problem.code != "schedule_past"]
    if problems:
        raise NotReady(problems)
    _ask_for_walk(locked, actor)
    record_step(
        locked,
        "campaign.prepared",
        actor,
        content_class=locked.content_class,
        class_reason=locked.class_reason,
        version=locked.version,
    )
    return locked


def prepare_scheduled_audience(locked: Campaign) -> None:
    """scheduled → preparing, and back by itself: what was prepared is not what there is any more."""
    _ask_for_walk(locked, None)
    locked.starts_when_prepared = True
    locked.save(update_fields=["starts_when_prepared"])
    record_step(locked, "campaign.prepared", None, version=locked.version)


def _ask_for_walk(locked: Campaign, actor: User | None) -> None:
    if locked.status in (S.READY, S.SCHEDULED):
        locked.version += 1  # by it the old snapshot is stale
        locked.updated_by = actor or locked.updated_by
    locked.status, locked.failure, locked.starts_when_prepared = S.PREPARING, "", False
    locked.preparing_at, locked.prepare_stalls = timezone.now(), 0
    fields = ["status", "version", "updated_by", "failure", "starts_when_prepared", "preparing_at", "prepare_stalls"]
    locked.save(update_fields=fields)


def begin_snapshot(campaign: Campaign, stretch_size: int) -> AudienceSnapshot:
    """The snapshot of a locked, preparing campaign, made if there is none of its version yet.

    Freezes the upper bound: contacts that come in later are not walked. The way there is cut into stretches of
    `stretch_size` entries of lists.
    """
    snapshot = AudienceSnapshot.objects.filter(campaign=campaign).first()
    if snapshot is not None and snapshot.campaign_version == campaign.version:
        return snapshot
    discard_audience(campaign)
    basis = read_basis(campaign)  # before anything else is read: what changes from here on counts as a change
    upper = Contact.objects.filter(tenant_id=campaign.tenant_id).aggregate(upper=Max("pk"))["upper"] or 0
    window = get_sending_window(campaign, campaign.tenant)
    assert campaign.sender is not None  # checked by prepare_audience
    terms = RunTerms(
        sender=campaign.sender.name,
        content_class=campaign.content_class,
        window_opens=window.opens if window else None,
        window_closes=window.closes if window else None,
        time_zone=campaign.tenant.zone.key,
        not_before=campaign.scheduled_at,
    )
    campaign.run = create_send_run(
        tenant_id=campaign.tenant_id, origin_type="campaign", origin_id=campaign.pk, terms=terms
    )
    campaign.save(update_fields=["run"])
    entries, bounds = plan_stretches(list_included(campaign), upper, stretch_size)
    snapshot = AudienceSnapshot(
        tenant_id=campaign.tenant_id,
        campaign=campaign,
        campaign_version=campaign.version,
        upper_contact_id=upper,
        estimated_count=entries,
        basis=basis,
    )
    snapshot.save()
    AudienceStretch.objects.bulk_create(
        AudienceStretch(tenant_id=campaign.tenant_id, snapshot=snapshot, cursor=after, upper_contact_id=upto)
        for after, upto in pairwise([0, *bounds])
    )
    return snapshot


def discard_audience(campaign: Campaign) -> None:
    """Throw the snapshot of a locked campaign away, with the messages written for it."""
    run_id, campaign.run = campaign.run_id, None
    campaign.save(update_fields=["run"])
    if run_id is not None:
        discard_send_run(run_id=run_id, tenant_id=campaign.tenant_id)
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM campaigns_audienceexclusion WHERE snapshot_id IN"
            " (SELECT id FROM campaigns_audiencesnapshot WHERE campaign_id = %s)",
            [campaign.pk],
        )
        cursor.execute(
            "DELETE FROM campaigns_audiencestretch WHERE snapshot_id IN"
            " (SELECT id FROM campaigns_audiencesnapshot WHERE campaign_id = %s)",
            [campaign.pk],
        )
        cursor.execute("DELETE FROM campaigns_audiencesnapshot WHERE campaign_id = %s", [campaign.pk])


@transaction.atomic
def discard_stale_audience(*, campaign_id: int) -> bool:
    """Free what an edit left behind. True if there was something."""
    campaign = lock_campaign(campaign_id)
    snapshot = AudienceSnapshot.objects.filter(campaign=campaign).first()
    is_stale = snapshot is not None and snapshot.campaign_version != campaign.version
    if campaign.status not in (S.DRAFT, S.FAILED, S.CANCELLED) or not (is_stale or campaign.status == S.CANCELLED):
        return False
    if snapshot is None and campaign.run_id is None:
        return False
    discard_audience(campaign)
    return True


def list_included(campaign: Campaign) -> list[int]:
    """Primary keys of the lists that the campaign goes to."""
    return list(campaign.group_links.filter(is_excluded=False).values_list("group_id", flat=True))


def list_excluded(campaign: Campaign) -> list[int]:
    """Primary keys of the lists whose contacts it leaves out."""
    return list(campaign.group_links.filter(is_excluded=True).values_list("group_id", flat=True))
