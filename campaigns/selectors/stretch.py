"""A stretch of the address book as the snapshot reads it: plain tuples with only the fields that the text needs."""

from collections.abc import Sequence
from typing import Any, Final

from django.db import connection

ROW_MSISDN: Final = 1
ROW_NAME: Final = 2
ROW_FIELDS: Final = 3
"""Columns of a row, behind the contact's id; from ROW_FIELDS on the custom fields asked for."""

# Both tables are bounded by contact id, so that each is read along its index. On tables that have just been filled the
# planner's statistics are wrong, and it would read all contacts for each chunk.
_ALONG_INDEXES: Final = (
    "SELECT set_config('enable_seqscan', 'off', true), set_config('max_parallel_workers_per_gather', '0', true),"
    " set_config('jit', 'off', true)"
)
_ONE_LIST: Final = """
SELECT m.contact_id FROM contacts_contactgroupmember m
WHERE m.group_id = ANY(%(include)s) AND m.contact_id > %(after)s AND m.contact_id <= %(upto)s
"""
_SEVERAL_LISTS: Final = """
SELECT DISTINCT m.contact_id FROM contacts_contactgroupmember m
WHERE m.group_id = ANY(%(include)s) AND m.contact_id > %(after)s AND m.contact_id <= %(upto)s
  AND NOT EXISTS (SELECT 1 FROM contacts_contactgroupmember x
                  WHERE x.group_id = ANY(%(exclude)s) AND x.contact_id = m.contact_id
                    AND x.contact_id > %(after)s AND x.contact_id <= %(upto)s)
"""
_CONTACTS: Final = """
SELECT c.id, c.msisdn, c.name{fields}
FROM ({members}) AS listed JOIN contacts_contact c ON c.id = listed.contact_id
WHERE c.tenant_id = %(tenant)s AND c.id > %(after)s AND c.id <= %(upto)s
ORDER BY c.id LIMIT %(limit)s
"""
# From end to end along the index: numbering the entries instead (row_number) costs more than twice as much, and the
# walkers have nothing to do meanwhile.
_ENDS: Final = """
WITH RECURSIVE ends (contact_id) AS (
    SELECT 0::bigint
    UNION ALL
    SELECT found.contact_id FROM ends CROSS JOIN LATERAL (
        SELECT m.contact_id FROM contacts_contactgroupmember m
        WHERE m.group_id = ANY(%(include)s) AND m.contact_id > ends.contact_id AND m.contact_id <= %(upper)s
        ORDER BY m.contact_id OFFSET %(skip)s LIMIT 1
    ) AS found
)
SELECT contact_id FROM ends WHERE contact_id > 0 ORDER BY contact_id
"""
_REST: Final = """
SELECT count(*) FROM contacts_contactgroupmember
WHERE group_id = ANY(%(include)s) AND contact_id > %(after)s AND contact_id <= %(upper)s
"""


def read_stretch(
    tenant_id: int,
    lists: tuple[Sequence[int], Sequence[int]],
    bounds: tuple[int, int],
    keys: Sequence[str],
    limit: int,
) -> list[tuple[Any, ...]]:
    """Up to `limit` contacts of the lists (to include, to leave out) with ids in (after, upto], by id, each once.

    Values of the fields `keys` follow id, number and name; None where a contact has none.
    """
    include, exclude = lists
    params: dict[str, Any] = {"tenant": tenant_id, "include": list(include), "exclude": list(exclude)}
    params |= {"after": bounds[0], "upto": bounds[1], "limit": limit}
    params |= {f"key{at}": key for at, key in enumerate(keys)}
    statement = _CONTACTS.format(
        fields="".join(f", c.attributes ->> %(key{at})s" for at in range(len(keys))),
        members=_ONE_LIST if len(include) == 1 and not exclude else _SEVERAL_LISTS,
    )
    with connection.cursor() as cursor:
        cursor.execute(_ALONG_INDEXES)
        cursor.execute(statement, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def plan_stretches(include: Sequence[int], upper_contact_id: int, size: int) -> tuple[int, list[int]]:
    """(entries, bounds): about how many entries lists have up to a contact id, and upper ends of stretches of `size`.

    The last bound is `upper_contact_id`. Who stands on several lists at such an end is counted once.
    """
    params: dict[str, Any] = {"include": list(include), "upper": upper_contact_id, "skip": size - 1}
    with connection.cursor() as cursor:
        cursor.execute(_ALONG_INDEXES)
        cursor.execute(_ENDS, params)
        ends: list[int] = [row[0] for row in cursor.fetchall()]
        cursor.execute(_REST, {**params, "after": ends[-1] if ends else 0})
        (rest,) = cursor.fetchone()
    inner = ends if rest else ends[:-1]
    return len(ends) * size + rest, sorted({*inner, upper_contact_id})
