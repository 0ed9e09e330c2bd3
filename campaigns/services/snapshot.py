"""The audience, frozen and written: contacts → exclusions with reasons | messages of the send run.

Walked by contact id in chunks; a chunk is one transaction that moves the cursor together with its rows (W1), so a
worker may die anywhere and the next one goes on. No ORM object per recipient. Funnel, exact at every commit:
listed = duplicate + excluded_list + suppressed + missing_value + too_long + no_route + messages.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.db import connection
from django.utils import timezone

from accounts.scope import tenant_scope
from billing.selectors import PriceList, load_price_list
from billing.selectors.prices import NoTariff
from contacts.selectors.audience import iter_audience
from gateways.selectors import load_routes
from messaging.rows import MessageRow
from messaging.services import mark_run_ready, write_messages
from optout.selectors import load_suppressed
from smscore import MissingValues, operator_of, segment

from ..models import AudienceSnapshot, Campaign
from ..selectors.composition import MOST_PARTS, Composition, compose
from ..selectors.routing import RouteTable
from .audience import begin_snapshot, list_excluded, list_included, lock_campaign

CHUNK: Final = 5_000
S = Campaign.Status


class Exclusion(NamedTuple):
    """A recipient left out; columns of AudienceExclusion."""

    contact_id: int
    msisdn: str
    reason: str
    detail: str = ""


class Chunk(NamedTuple):
    """What a stretch of the address book came to. `rows` by connection."""

    rows: dict[int, list[MessageRow]]
    exclusions: list[Exclusion]


class Plan(NamedTuple):
    """What is the same for every recipient of a campaign."""

    tenant_id: int
    include: list[int]
    exclude: list[int]
    composition: Composition
    routes: RouteTable
    prices: PriceList


def walk_audience(
    *, campaign_id: int, tenant_id: int, chunk_size: int = CHUNK, on_chunk: Callable[[], object] | None = None
) -> bool:
    """Walk to the end; True if the campaign is ready then, False if it was edited or cancelled meanwhile.

    Opens a scope per chunk. May run twice in parallel: chunks of one snapshot wait for each other. `on_chunk` is
    called after every commit.
    """
    with tenant_scope(tenant_id):
        campaign = lock_campaign(campaign_id)
        if campaign.status != S.PREPARING:
            return campaign.status == S.READY
        snapshot = begin_snapshot(campaign)
        version = snapshot.campaign_version
    more = True
    while more:
        with tenant_scope(tenant_id):
            if not _hold_preparing(campaign_id, version):
                break  # edited, cancelled, or finished by another walker: `_finish` says which
            more = _walk_chunk(campaign_id, chunk_size)
        if on_chunk is not None:
            on_chunk()
    with tenant_scope(tenant_id):
        return _finish(campaign_id, version)


def _hold_preparing(campaign_id: int, version: int) -> bool:
    """Keep edits out for the length of a chunk; False if one came before. Shared, so that chunks do not exclude
    each other here (they meet at the snapshot's row)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT status, version FROM campaigns_campaign WHERE id = %s FOR SHARE", [campaign_id])
        row: tuple[str, int] | None = cursor.fetchone()
    return row == (S.PREPARING.value, version)


def _walk_chunk(campaign_id: int, chunk_size: int) -> bool:
    """One step; False when the upper bound is reached."""
    snapshot = AudienceSnapshot.objects.select_for_update(of=("self",)).get(campaign_id=campaign_id)
    if snapshot.cursor >= snapshot.upper_contact_id:
        return False
    campaign = Campaign.objects.select_related("tenant").get(pk=campaign_id)
    plan = load_plan(campaign)
    contacts = list(
        iter_audience(
            plan.tenant_id, plan.include, plan.exclude, snapshot.cursor, snapshot.upper_contact_id, chunk_size
        )
    )
    # Only an empty stretch is the end: a short one may have lost a row to somebody who deleted contacts just now.
    upto = contacts[-1][0] if contacts else snapshot.upper_contact_id
    listed_twice = _exclude_by_lists(snapshot, plan, upto)
    chunk = build_chunk(plan, contacts)
    _write_exclusions(snapshot, chunk.exclusions)
    counts = Counter(exclusion.reason for exclusion in chunk.exclusions) + listed_twice
    assert campaign.run_id is not None
    for account_id, rows in chunk.rows.items():
        written = write_messages(
            run_id=campaign.run_id, tenant_id=plan.tenant_id, gateway_account_id=account_id, rows=rows
        )
        # A number is one contact, so a conflict cannot come from here; if one did, the funnel must still add up.
        counts["duplicate"] += len(rows) - written.count
        _count_parts(snapshot, rows)
        snapshot.message_count += written.count
        snapshot.part_count += written.parts
        snapshot.credits += written.credits
    snapshot.listed_count += len(contacts) + listed_twice.total()
    snapshot.excluded_counts = dict(Counter(snapshot.excluded_counts) + counts)
    snapshot.cursor = upto
    snapshot.heartbeat_at = timezone.now()
    snapshot.save()
    return snapshot.cursor < snapshot.upper_contact_id


def _count_parts(snapshot: AudienceSnapshot, rows: Sequence[MessageRow]) -> None:
    counts = Counter(snapshot.part_counts)
    for parts, messages in Counter(row.parts for row in rows).items():
        counts[str(parts)] += messages
    snapshot.part_counts = dict(counts)


def load_plan(campaign: Campaign) -> Plan:
    return Plan(
        campaign.tenant_id,
        list_included(campaign),
        list_excluded(campaign),
        compose(campaign, campaign.tenant),
        RouteTable(load_routes(campaign.tenant_id)),
        load_price_list(campaign.tenant_id),
    )


def build_chunk(plan: Plan, contacts: Sequence[tuple[int, str, str, dict[str, Any]]]) -> Chunk:
    """Sort contacts into messages and exclusions; render, count and price the messages. The hot loop."""
    suppressed = load_suppressed(plan.tenant_id, [contact[1] for contact in contacts])
    write, find_route, price_per_part = plan.composition.write, plan.routes.find, plan.prices.price_per_part
    rows: dict[int, list[MessageRow]] = {}
    exclusions: list[Exclusion] = []
    prices: dict[tuple[Decimal, int], Decimal] = {}
    for contact_id, msisdn, name, attributes in contacts:
        if msisdn in suppressed:
            exclusions.append(Exclusion(contact_id, msisdn, "suppressed"))
            continue
        try:
            text = write(msisdn, name, attributes)
            unit = price_per_part(msisdn)
        except MissingValues as missing:
            exclusions.append(Exclusion(contact_id, msisdn, "missing_value", ", ".join(missing.fields)[:120]))
            continue
        except NoTariff:
            exclusions.append(Exclusion(contact_id, msisdn, "no_route", "tariff"))
            continue
        route = find_route(msisdn)
        if route is None:
            exclusions.append(Exclusion(contact_id, msisdn, "no_route"))
            continue
        segmentation = segment(text, national=route.national_tables)
        parts = segmentation.parts
        if parts > MOST_PARTS or parts == 0:
            reason = "too_long" if parts else "missing_value"
            exclusions.append(Exclusion(contact_id, msisdn, reason, str(parts)))
            continue
        price = prices.get((unit, parts))
        if price is None:
            price = prices[unit, parts] = unit * parts
        row = MessageRow(
            contact_id, msisdn, segmentation.text, segmentation.encoding, parts, price, operator_of(msisdn).value
        )
        rows.setdefault(route.gateway_account_id, []).append(row)
    return Chunk(rows, exclusions)


def _exclude_by_lists(snapshot: AudienceSnapshot, plan: Plan, upto: int) -> Counter[str]:
    """Record who is on several lists, or on one to leave out, in (cursor, upto]; one row per entry too many."""
    if len(plan.include) < 2 and not plan.exclude:
        return Counter()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH entry AS (
                SELECT contact_id, count(*) AS times FROM contacts_contactgroupmember
                WHERE group_id = ANY(%(include)s) AND contact_id > %(after)s AND contact_id <= %(upto)s
                GROUP BY contact_id
            ), left_out AS (
                SELECT DISTINCT contact_id FROM contacts_contactgroupmember
                WHERE group_id = ANY(%(exclude)s) AND contact_id > %(after)s AND contact_id <= %(upto)s
            ), excluded AS (
                SELECT contact_id, 'duplicate' AS reason FROM entry, generate_series(2, times)
                UNION ALL
                SELECT contact_id, 'excluded_list' FROM entry JOIN left_out USING (contact_id)
            ), written AS (
                INSERT INTO campaigns_audienceexclusion (tenant_id, snapshot_id, contact_id, msisdn, reason, detail)
                SELECT %(tenant)s, %(snapshot)s, contact_id, c.msisdn, reason, ''
                FROM excluded JOIN contacts_contact c ON c.id = contact_id ORDER BY contact_id
                RETURNING reason
            ) SELECT reason, count(*) FROM written GROUP BY reason
            """,
            {
                "include": plan.include,
                "exclude": plan.exclude,
                "after": snapshot.cursor,
                "upto": upto,
                "tenant": plan.tenant_id,
                "snapshot": snapshot.pk,
            },
        )
        return Counter(dict(cursor.fetchall()))


def _write_exclusions(snapshot: AudienceSnapshot, exclusions: Sequence[Exclusion]) -> None:
    if not exclusions:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO campaigns_audienceexclusion (tenant_id, snapshot_id, contact_id, msisdn, reason, detail)"
            " SELECT %s, %s, * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[])",
            [snapshot.tenant_id, snapshot.pk, *(list(column) for column in zip(*exclusions, strict=True))],
        )


def _finish(campaign_id: int, version: int) -> bool:
    """preparing → ready, once; the run's totals are frozen here (S4)."""
    campaign = lock_campaign(campaign_id)
    if campaign.version != version or campaign.status not in (S.PREPARING, S.READY):
        return False
    if campaign.status == S.PREPARING:
        snapshot = AudienceSnapshot.objects.get(campaign=campaign)
        assert campaign.run_id is not None
        mark_run_ready(campaign.run_id)
        snapshot.is_complete, snapshot.completed_at = True, timezone.now()
        snapshot.save(update_fields=["is_complete", "completed_at"])
        campaign.status = S.READY
        campaign.save(update_fields=["status"])
    return True
