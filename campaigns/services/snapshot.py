"""The audience, frozen and written: contacts → exclusions with reasons | messages of the send run.

The address book is cut into stretches by contact id, and any number of walkers take them: a chunk is one transaction
that writes the rows of a stretch and takes it off the list (W1), so a worker may die anywhere and whoever is left goes
on. No ORM object per recipient. Funnel, exact at every commit:
listed = duplicate + excluded_list + suppressed + missing_value + no_route + characters + too_long + messages.
"""

import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from django.db import connection
from django.db.models import F
from django.utils import timezone

from accounts.scope import tenant_scope
from messaging.rows import WrittenMessages
from messaging.services import mark_run_ready, write_message_groups

from ..models import AudienceSnapshot, AudienceStretch, Campaign
from ..selectors.stretch import read_stretch
from .audience import begin_snapshot
from .exclusions import Exclusion, exclude_by_lists, write_exclusions
from .gate import lock_campaign, pass_gate
from .recipients import Plan, keep_plan, load_plan, sort_recipients

CHUNK: Final = 20_000
ROOM: Final = 1.25
"""A stretch may hold so many times its entries when it is walked in one go: lists grow meanwhile."""
S = Campaign.Status


def begin_walk(*, campaign_id: int, tenant_id: int, chunk_size: int = CHUNK) -> int:
    """Cut the audience into stretches unless that was done; how many are left (0 if nothing is being prepared)."""
    with tenant_scope(tenant_id):
        # Without the lock first: it would wait for the chunks of those who walk already, and they for it.
        begun = AudienceSnapshot.objects.filter(
            campaign=campaign_id, campaign__status=S.PREPARING, campaign_version=F("campaign__version")
        ).first()
        if begun is None:
            campaign = lock_campaign(campaign_id)
            if campaign.status != S.PREPARING:
                return 0
            begun = begin_snapshot(campaign, chunk_size)
        return AudienceStretch.objects.filter(snapshot=begun).count()


def walk_audience(
    *,
    campaign_id: int,
    tenant_id: int,
    chunk_size: int = CHUNK,
    seconds: float | None = None,
    on_chunk: Callable[[], object] | None = None,
) -> bool | None:
    """Walk to the end; True if the campaign is ready then, False if it was edited or cancelled meanwhile.

    None if `seconds` were over before; one chunk is walked in any case. Opens a scope per chunk. May run many times in
    parallel: each takes stretches that nobody else has. `on_chunk` is called after every commit.
    """
    begin_walk(campaign_id=campaign_id, tenant_id=tenant_id, chunk_size=chunk_size)
    with tenant_scope(tenant_id):
        campaign = Campaign.objects.select_related("tenant").get(pk=campaign_id)
        if campaign.status != S.PREPARING:
            return campaign.status == S.READY
        plan = load_plan(campaign) if seconds is None else keep_plan(campaign)
    started = time.monotonic()
    more = True
    while more:
        with tenant_scope(tenant_id):
            pass_gate(campaign_id)
            if not _is_preparing(campaign_id, campaign.version):
                break  # edited, cancelled, or finished by another walker: `_finish` says which
            more = _walk_chunk(campaign, plan, chunk_size)
        if on_chunk is not None:
            on_chunk()
        if more and seconds is not None and time.monotonic() - started > seconds:
            return None
    with tenant_scope(tenant_id):
        return _finish(campaign_id, campaign.version)


def _is_preparing(campaign_id: int, version: int) -> bool:
    row = Campaign.objects.filter(pk=campaign_id).values_list("status", "version").first()
    return row == (S.PREPARING.value, version)


def _walk_chunk(campaign: Campaign, plan: Plan, chunk_size: int) -> bool:
    """One step; False when no stretch is left."""
    stretch = _take_stretch(campaign.pk)
    if stretch is None:
        return False
    with connection.cursor() as cursor:
        # A chunk that a crash of the database loses is walked again; `_finish` waits for the disk, and so for all.
        cursor.execute("SET LOCAL synchronous_commit TO off")
    limit = max(int(chunk_size * ROOM), chunk_size + 1)
    bounds = stretch.cursor, stretch.upper_contact_id
    contacts = read_stretch(plan.tenant_id, (plan.include, plan.exclude), bounds, plan.writer.keys, limit)
    upto = contacts[-1][0] if len(contacts) == limit else stretch.upper_contact_id
    listed_twice = exclude_by_lists(stretch, plan.include, plan.exclude, upto)
    chunk = sort_recipients(plan, contacts)
    run_id = AudienceSnapshot.objects.values_list("campaign__run_id", flat=True).get(pk=stretch.snapshot_id)
    written = write_message_groups(run_id=run_id, tenant_id=plan.tenant_id, groups=chunk.groups)
    # A number that moved from one contact to another during the walk is written once all the same.
    again = [Exclusion(contact_id or 0, msisdn, "duplicate") for msisdn, contact_id, _ in written.repeats]
    counts = write_exclusions(stretch, chunk.exclusions + again) + listed_twice
    _add_figures(stretch.snapshot_id, len(contacts) + listed_twice.total(), counts, written)
    if upto < stretch.upper_contact_id:
        AudienceStretch.objects.filter(pk=stretch.pk).update(cursor=upto)
    else:
        AudienceStretch.objects.filter(pk=stretch.pk).delete()
    return True


def _take_stretch(campaign_id: int) -> AudienceStretch | None:
    """The first stretch that nobody has; if others have all that are left, the first of theirs when they let go.

    So whoever waits goes on at once if the other dies. None: all have been walked.
    """
    left = AudienceStretch.objects.filter(snapshot__campaign_id=campaign_id).order_by("pk")
    free = left.select_for_update(of=("self",), skip_locked=True).first()
    return free or left.select_for_update(of=("self",)).first()


def _add_figures(snapshot_id: int, listed: int, counts: Counter[str], written: WrittenMessages) -> None:
    """Last of all: walkers wait for each other from here to the commit."""
    snapshot = AudienceSnapshot.objects.select_for_update(of=("self",)).get(pk=snapshot_id)
    snapshot.listed_count += listed
    snapshot.excluded_counts = dict(Counter(snapshot.excluded_counts) + counts)
    snapshot.message_count += written.count
    snapshot.part_count += written.parts
    snapshot.credits += written.credits
    by_parts = Counter({str(parts): count for parts, count in written.by_parts.items()})
    snapshot.part_counts = dict(Counter(snapshot.part_counts) + by_parts)
    snapshot.heartbeat_at = timezone.now()
    snapshot.save()


def _finish(campaign_id: int, version: int) -> bool:
    """preparing → ready (or scheduled, where it came from), once; the run's totals are frozen here (S4)."""
    campaign = lock_campaign(campaign_id)
    if campaign.version != version or campaign.status not in (S.PREPARING, S.READY, S.SCHEDULED):
        return False
    if campaign.status == S.PREPARING:
        snapshot = AudienceSnapshot.objects.get(campaign=campaign)
        assert campaign.run_id is not None and not snapshot.stretches.exists()
        mark_run_ready(campaign.run_id)
        snapshot.is_complete, snapshot.completed_at = True, timezone.now()
        snapshot.save(update_fields=["is_complete", "completed_at"])
        campaign.status = S.SCHEDULED if campaign.starts_when_prepared else S.READY
        campaign.starts_when_prepared = False
        campaign.save(update_fields=["status", "starts_when_prepared"])
    return True
