"""The people a campaign may reach: walks lists by contact id under a frozen upper bound."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from django.db import connection


class AudienceRow(NamedTuple):
    contact_id: int
    msisdn: str
    name: str
    attributes: dict[str, Any]


# The (group, contact) index is the walk of each list; united, a contact comes once. The exclusion stands inside,
# so that a stretch is never empty before the end; OFFSET 0 keeps it one look into the index per row (as a join it
# read every membership of every list).
_STATEMENT = """
SELECT c.id, c.msisdn, c.name, c.attributes
FROM contacts_contact c
WHERE c.tenant_id = %(tenant)s AND c.id IN (
    SELECT member.contact_id FROM unnest(%(include)s::bigint[]) AS listed(group_id)
    CROSS JOIN LATERAL (
        SELECT m.contact_id FROM contacts_contactgroupmember m
        WHERE m.group_id = listed.group_id AND m.tenant_id = %(tenant)s
          AND m.contact_id > %(after)s AND m.contact_id <= %(upper)s
          AND NOT EXISTS (
              SELECT 1 FROM unnest(%(exclude)s::bigint[]) AS left_out(group_id)
              JOIN contacts_contactgroupmember x
                ON x.group_id = left_out.group_id AND x.contact_id = m.contact_id OFFSET 0)
        ORDER BY m.contact_id LIMIT %(limit)s
    ) member)
ORDER BY c.id LIMIT %(limit)s
"""


def iter_audience(
    tenant_id: int,
    include_group_ids: Sequence[int],
    exclude_group_ids: Sequence[int] = (),
    after_contact_id: int = 0,
    upper_contact_id: int | None = None,
    limit: int = 5000,
) -> Iterator[AudienceRow]:
    """Up to `limit` contacts of any included and no excluded list, in order of contact id, each once.

    Call again with the last row's id as `after_contact_id` for the next stretch; an empty answer is the end.
    `upper_contact_id` freezes the walk; None: no bound. No lists: nobody.
    """
    if not include_group_ids:
        return
    params: dict[str, int | list[int]] = {
        "tenant": tenant_id,
        "include": list(include_group_ids),
        "exclude": list(exclude_group_ids),
        "after": after_contact_id,
        "upper": upper_contact_id if upper_contact_id is not None else 2**63 - 1,
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(_STATEMENT, params)
        rows = cursor.fetchall()
    for contact_id, msisdn, name, attributes in rows:
        yield AudienceRow(contact_id, msisdn, name, json.loads(attributes))
