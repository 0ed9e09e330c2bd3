"""Contacts drawn from a draft's lists for the live estimate: all of a small audience, a bounded sample of a large one.

A request per pause in typing must answer in under 100 ms whatever the audience, so a large one is looked at through
windows spread over its contact ids; the check step counts the real one.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from django.db import connection

from contacts.models import ContactGroup
from contacts.selectors.audience import AudienceRow, iter_audience

WHOLE_UPTO: Final = 1_000
WINDOWS: Final = 8
WINDOW_SIZE: Final = 125
EXACT_UPTO: Final = 5_000  # lists this small are compared with the others one contact by one


class Sample(NamedTuple):
    """`contacts` would be sent to but for suppression and values. The other counts are of the whole audience."""

    contacts: list[AudienceRow]
    listed: int
    duplicates: int
    excluded: int
    is_whole: bool

    @property
    def recipients(self) -> int:
        """People left after duplicates and lists to leave out."""
        return max(self.listed - self.duplicates - self.excluded, 0)


class _Window(NamedTuple):
    after: int
    upto: int


def draw_sample(tenant_id: int, include: Sequence[int], exclude: Sequence[int]) -> Sample:
    """Sample of the audience of these lists (primary keys)."""
    include, exclude = list(include), list(exclude)
    groups = ContactGroup.objects.filter(tenant_id=tenant_id, pk__in=[*include, *exclude])
    sizes = dict(groups.values_list("pk", "contact_count"))
    listed = sum(sizes.get(pk, 0) for pk in include)
    if not listed:
        return Sample([], 0, 0, 0, True)
    if listed <= WHOLE_UPTO:
        contacts = list(iter_audience(tenant_id, include, exclude, 0, None, WHOLE_UPTO))
        entries, people, left_out = _count_entries(include, exclude, [_Window(0, 2**62)])
        return Sample(contacts, entries, entries - people, left_out, True)
    contacts, windows = _look_through_windows(tenant_id, include, exclude)
    largest = max(include, key=lambda pk: sizes.get(pk, 0))
    others = [pk for pk in include if pk != largest]
    duplicates = _count_repeats(largest, others) if listed - sizes[largest] <= EXACT_UPTO else None
    left_out_size = sum(sizes.get(pk, 0) for pk in exclude)
    excluded = _count_shared(include, exclude) if left_out_size <= EXACT_UPTO else None
    if duplicates is None or excluded is None:
        entries, people, left_out = _count_entries(include, exclude, windows)
        scale = listed / max(entries, 1)
        if duplicates is None:
            duplicates = min(round((entries - people) * scale), listed - sizes[largest])
        if excluded is None:
            excluded = min(round(left_out * scale), left_out_size)
    return Sample(contacts, listed, duplicates, excluded, False)


def _look_through_windows(
    tenant_id: int, include: list[int], exclude: list[int]
) -> tuple[list[AudienceRow], list[_Window]]:
    lowest, highest = _find_bounds(include)
    step = max((highest - lowest + 1) // WINDOWS, 1)
    contacts: list[AudienceRow] = []
    windows: list[_Window] = []
    reached = lowest - 1
    for number in range(WINDOWS):
        after = max(lowest - 1 + number * step, reached)
        found = list(iter_audience(tenant_id, include, exclude, after, highest, WINDOW_SIZE))
        reached = found[-1].contact_id if len(found) == WINDOW_SIZE else highest
        windows.append(_Window(after, reached))
        contacts += found
        if reached >= highest:
            break
    return contacts, windows


def _find_bounds(group_ids: list[int]) -> tuple[int, int]:
    with connection.cursor() as cursor:
        # Each end of each list is one step into the (group, contact) index.
        cursor.execute(
            """
            SELECT min(lowest), max(highest) FROM unnest(%s::bigint[]) AS listed(id)
            CROSS JOIN LATERAL (
                SELECT contact_id AS lowest FROM contacts_contactgroupmember
                WHERE group_id = listed.id ORDER BY contact_id LIMIT 1) l
            CROSS JOIN LATERAL (
                SELECT contact_id AS highest FROM contacts_contactgroupmember
                WHERE group_id = listed.id ORDER BY contact_id DESC LIMIT 1) h
            """,
            [group_ids],
        )
        lowest, highest = cursor.fetchone() or (None, None)
    return (lowest or 0, highest or 0)


def _count_entries(include: list[int], exclude: list[int], windows: list[_Window]) -> tuple[int, int, int]:
    """(entries of the lists, people in them, people who are on a list to leave out) within the windows."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH entry AS (
                SELECT m.contact_id, count(*) AS times
                FROM unnest(%(after)s::bigint[], %(upto)s::bigint[]) AS win(after, upto)
                CROSS JOIN unnest(%(include)s::bigint[]) AS listed(group_id)
                CROSS JOIN LATERAL (
                    SELECT contact_id FROM contacts_contactgroupmember
                    WHERE group_id = listed.group_id AND contact_id > win.after AND contact_id <= win.upto
                    ORDER BY contact_id LIMIT %(most)s
                ) m GROUP BY m.contact_id
            ) SELECT coalesce(sum(times), 0), count(*), count(*) FILTER (WHERE EXISTS (
                SELECT 1 FROM unnest(%(exclude)s::bigint[]) AS left_out(group_id)
                JOIN contacts_contactgroupmember x
                  ON x.group_id = left_out.group_id AND x.contact_id = entry.contact_id OFFSET 0)) FROM entry
            """,
            {
                "after": [window.after for window in windows],
                "upto": [window.upto for window in windows],
                "include": include,
                "exclude": exclude,
                "most": WHOLE_UPTO,
            },
        )
        entries, people, left_out = cursor.fetchone()
    return int(entries), int(people), int(left_out)


def _count_repeats(largest: int, others: list[int]) -> int:
    """Entries too many: people of the smaller lists who are on another one as well."""
    if not others:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH small AS (
                SELECT contact_id, count(*) AS times FROM contacts_contactgroupmember
                WHERE group_id = ANY(%(others)s) GROUP BY contact_id
            ) SELECT coalesce(sum(times - 1 + (EXISTS (
                SELECT 1 FROM contacts_contactgroupmember x
                WHERE x.group_id = %(largest)s AND x.contact_id = small.contact_id OFFSET 0))::int), 0) FROM small
            """,
            {"others": others, "largest": largest},
        )
        return int(cursor.fetchone()[0])


def _count_shared(include: list[int], exclude: list[int]) -> int:
    """People of the lists to leave out who are on a list to send to."""
    if not exclude:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FROM (
                SELECT DISTINCT contact_id FROM contacts_contactgroupmember WHERE group_id = ANY(%(exclude)s)
            ) left_out WHERE EXISTS (
                SELECT 1 FROM unnest(%(include)s::bigint[]) AS listed(group_id)
                JOIN contacts_contactgroupmember x
                  ON x.group_id = listed.group_id AND x.contact_id = left_out.contact_id OFFSET 0)
            """,
            {"include": include, "exclude": exclude},
        )
        return int(cursor.fetchone()[0])
