"""Who is left out of an audience, recorded in bulk."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection

from ..models import AudienceStretch


class Exclusion(NamedTuple):
    """A recipient left out; columns of AudienceExclusion."""

    contact_id: int
    msisdn: str
    reason: str
    detail: str = ""


def write_exclusions(stretch: AudienceStretch, exclusions: Sequence[Exclusion]) -> Counter[str]:
    """Store them; how many for each reason."""
    if not exclusions:
        return Counter()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO campaigns_audienceexclusion (tenant_id, snapshot_id, contact_id, msisdn, reason, detail)"
            " SELECT %s, %s, * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[])",
            [stretch.tenant_id, stretch.snapshot_id, *(list(column) for column in zip(*exclusions, strict=True))],
        )
    return Counter(exclusion.reason for exclusion in exclusions)


def exclude_by_lists(
    stretch: AudienceStretch, include: Sequence[int], exclude: Sequence[int], upto: int
) -> Counter[str]:
    """Record who is on several lists, or on one to leave out, in (cursor, upto]; one row per entry too many."""
    if len(include) < 2 and not exclude:
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
                FROM excluded JOIN contacts_contact c ON c.id = contact_id
                WHERE c.id > %(after)s AND c.id <= %(upto)s ORDER BY contact_id
                RETURNING reason
            ) SELECT reason, count(*) FROM written GROUP BY reason
            """,
            {
                "include": list(include),
                "exclude": list(exclude),
                "after": stretch.cursor,
                "upto": upto,
                "tenant": stretch.tenant_id,
                "snapshot": stretch.snapshot_id,
            },
        )
        return Counter(dict(cursor.fetchall()))
