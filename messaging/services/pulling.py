"""What the engine remembers for providers that must be asked for their receipts: jobs and cursors.

Jobs are written with the answers that named them; how far we have come is written with the events it brought (R1).
All in platform scope, inside the caller's transaction.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.db import connection

from gateways.types import JobsWanted, OutcomeKind, PullJob, PullProgress, SubmitOutcome
from smscore.status import TERMINAL_STATES, MessageState

from .arrays import int_array, text_array
from .partitions import REFERENCES, find_recent_source

MOST_OF_A_TENANT = 10
MOST_LOOKED_AT = 200
MOST_CLOSED = 2000  # about, in one transaction

ADD_SQL = """
INSERT INTO gateways_receiptjob (gateway_account_id, tenant_id, job, message_count, tries, due_at, created_at)
SELECT %s, m.tenant_id, v.job, v.message_count, 0, clock_timestamp(), now()
FROM unnest(%s::text[], %s::bigint[], %s::int[]) AS v(job, message_id, message_count)
JOIN messaging_message m ON m.id = v.message_id AND m.id = ANY(%s::bigint[])
ON CONFLICT DO NOTHING
"""
# The first jobs of each tenant that has some, by index alone: a connection may have a hundred thousand that are due.
# New ones and those asked about before have an index each, which the conditions on `tries` name.
_OPEN = "gateway_account_id = %(account)s AND closed_at IS NULL AND tries"
_TENANTS = """{name} AS (
    (SELECT tenant_id FROM gateways_receiptjob WHERE {open} ORDER BY tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT tenant_id FROM gateways_receiptjob WHERE {open} AND tenant_id > t.tenant_id
        ORDER BY tenant_id LIMIT 1) FROM {name} t WHERE t.tenant_id IS NOT NULL
)"""
_FIRST = """SELECT j.*, j.due_at + {wait} AS due FROM {name} t CROSS JOIN LATERAL (
    SELECT id, job, message_count, tries, tenant_id, due_at FROM gateways_receiptjob
    WHERE {open} AND tenant_id = t.tenant_id AND due_at <= statement_timestamp() - {wait}
        AND (message_count > 0 OR %(searches)s) ORDER BY due_at LIMIT %(most)s
) j"""
_NEW = {"name": "new", "open": f"{_OPEN} = 0", "wait": "%(first)s * interval '1 second'"}
_AGAIN = {"name": "again", "open": f"{_OPEN} > 0", "wait": "interval '0'"}
DUE_SQL = f"""
WITH RECURSIVE {_TENANTS.format(**_NEW)}, {_TENANTS.format(**_AGAIN)}
SELECT id, job, message_count, tries, tenant_id FROM (
    SELECT *, row_number() OVER (PARTITION BY tenant_id ORDER BY due, id) AS place
    FROM ({_FIRST.format(**_NEW)} UNION ALL {_FIRST.format(**_AGAIN)}) due
) ranked WHERE place <= %(most)s ORDER BY place, due, id
"""  # noqa: S608 - constants only
# A job that is the id of one message (providers with a call a message) needs no asking once that message has ended.
SINGLE_SQL = """
SELECT j.id, r.message_id FROM unnest(%s::bigint[], %s::text[]) AS j(id, job)
JOIN LATERAL (
    SELECT r.message_id FROM {references} r WHERE r.gateway_account_id = %s AND r.provider_message_id = j.job
        AND r.created_at > now() - interval '7 days' ORDER BY r.created_at DESC LIMIT 1
) r ON true
"""
REFERENCE_DAYS = 7
SETTLED_STATES = sorted(TERMINAL_STATES - {MessageState.UNCONFIRMED})


class DueRow(NamedTuple):
    pk: int
    job: str
    message_count: int
    tries: int
    tenant_id: int


class DueJobs(NamedTuple):
    """Of these `tenants`. None, and `may_have_more`: all that was looked at had ended; ask again, after a commit."""

    jobs: list[PullJob]
    tenants: set[int]
    may_have_more: bool = False


def add_jobs(gateway_account_id: int, outcomes: Sequence[SubmitOutcome]) -> None:
    """Remember what these answers name, once each. A job of unknown outcomes is a search: its messages are not
    counted, because nobody knows how many of them the provider has."""
    if not outcomes:
        return
    first: dict[str, int] = {}
    counts: Counter[str] = Counter()
    for outcome in outcomes:
        first.setdefault(outcome.job, outcome.token)
        counts[outcome.job] += outcome.kind is OutcomeKind.ACCEPTED
    tokens = int_array(first.values())
    with connection.cursor() as cursor:
        cursor.execute(
            ADD_SQL, [gateway_account_id, text_array(first), tokens, int_array(counts[j] for j in first), tokens]
        )


def list_due_jobs(*, gateway_account_id: int, wanted: JobsWanted, served: Mapping[int, float]) -> DueJobs:
    """Jobs to ask about in one round. Tenants take turns: `served` says when each had its last one.

    Searches are not asked together with other jobs: either all of them are, or none.
    """
    each = max(MOST_OF_A_TENANT, wanted.most_jobs)
    rows = _list_due_rows(gateway_account_id, wanted, each, served)
    if not wanted.skips_settled:
        return DueJobs(*_choose(rows, wanted))
    open_ones = _skip_settled(gateway_account_id, rows[: max(MOST_LOOKED_AT, wanted.most_jobs)])
    if rows and not open_ones:  # there may be a hundred thousand more: with longer strides, of few tenants
        each = max(each, MOST_CLOSED // len({row.tenant_id for row in rows}))
        rows = _list_due_rows(gateway_account_id, wanted, each, served)
        open_ones = _skip_settled(gateway_account_id, rows[: max(MOST_CLOSED, wanted.most_jobs)])
    return DueJobs(*_choose(open_ones, wanted), may_have_more=bool(rows) and not open_ones)


def _list_due_rows(gateway_account_id: int, wanted: JobsWanted, each: int, served: Mapping[int, float]) -> list[DueRow]:
    """At most `each` of a tenant, by turns."""
    values = {
        "account": gateway_account_id,
        "first": wanted.first_seconds,
        "searches": wanted.searches,
        "most": each,
    }
    with connection.cursor() as cursor:
        cursor.execute(DUE_SQL, values)
        rows = [DueRow(*row) for row in cursor.fetchall()]
    return sorted(rows, key=lambda row: served.get(row.tenant_id, 0.0))


def _choose(rows: Sequence[DueRow], wanted: JobsWanted) -> tuple[list[PullJob], set[int]]:
    if rows and not rows[0].message_count:
        return [PullJob(*row[:4]) for row in rows if not row.message_count], {rows[0].tenant_id}
    chosen: list[PullJob] = []
    tenants: set[int] = set()
    messages = 0
    for row in rows:
        is_full = len(chosen) >= wanted.most_jobs or messages + row.message_count > wanted.most_messages
        if chosen and (is_full or not row.message_count):
            break
        chosen.append(PullJob(*row[:4]))
        tenants.add(row.tenant_id)
        messages += row.message_count
    return chosen, tenants


def _skip_settled(gateway_account_id: int, rows: Sequence[DueRow]) -> list[DueRow]:
    settled = _close_settled(gateway_account_id, rows)
    return [row for row in rows if row.pk not in settled]


def _close_settled(gateway_account_id: int, rows: Sequence[DueRow]) -> set[int]:
    """Close those of these jobs whose one message has ended without our asking; returns them. Of calls with many
    messages nothing is closed here: one question for all of them costs little."""
    with connection.cursor() as cursor:
        single = SINGLE_SQL.format(references=find_recent_source(REFERENCES, REFERENCE_DAYS))
        ids, jobs = int_array(row.pk for row in rows), text_array(row.job for row in rows)
        cursor.execute(single, [ids, jobs, gateway_account_id])
        messages = dict(cursor.fetchall())
        cursor.execute(
            "SELECT id FROM messaging_message WHERE id = ANY(%s::bigint[]) AND state = ANY(%s::text[])",
            [int_array(sorted(messages.values())), text_array(SETTLED_STATES)],
        )
        ended = {row[0] for row in cursor.fetchall()}
        settled = {pk for pk, message_id in messages.items() if message_id in ended}
        cursor.execute(
            "UPDATE gateways_receiptjob SET closed_at = now() WHERE id = ANY(%s::bigint[])",
            [int_array(sorted(settled))],
        )
        return settled


def load_cursor(*, gateway_account_id: int, stream: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT cursor FROM gateways_pullcursor WHERE gateway_account_id = %s AND stream = %s",
            [gateway_account_id, stream],
        )
        row = cursor.fetchone()
    return str(row[0]) if row else ""


def save_progress(*, gateway_account_id: int, progress: PullProgress) -> None:
    """Write down how far the provider has been asked."""
    with connection.cursor() as cursor:
        for stream, position in progress.cursors:
            cursor.execute(
                "INSERT INTO gateways_pullcursor (gateway_account_id, stream, cursor, updated_at)"
                " VALUES (%s, %s, %s, now()) ON CONFLICT (gateway_account_id, stream)"
                " DO UPDATE SET cursor = excluded.cursor, updated_at = excluded.updated_at",
                [gateway_account_id, stream, position],
            )
        if progress.found:
            cursor.execute(
                "INSERT INTO gateways_receiptjob"
                " (gateway_account_id, tenant_id, job, message_count, tries, due_at, created_at)"
                " SELECT %s, s.tenant_id, v.job, v.n, 0, clock_timestamp(), now()"
                " FROM unnest(%s::text[], %s::int[]) AS v(job, n)"
                " CROSS JOIN (SELECT tenant_id FROM gateways_receiptjob WHERE id = %s) s ON CONFLICT DO NOTHING",
                [
                    gateway_account_id,
                    text_array(job for job, _ in progress.found),
                    int_array(count for _, count in progress.found),
                    next(iter([*progress.closed, *(pk for pk, _ in progress.later)]), 0),
                ],
            )
        if progress.later:
            cursor.execute(
                "UPDATE gateways_receiptjob j SET tries = least(tries + 1, 1000),"
                " due_at = clock_timestamp() + v.seconds * interval '1 second'"
                " FROM unnest(%s::bigint[], %s::float[]) AS v(id, seconds)"
                " WHERE j.id = v.id AND j.id = ANY(%s::bigint[]) AND j.gateway_account_id = %s",
                [
                    int_array(pk for pk, _ in progress.later),
                    [seconds for _, seconds in progress.later],
                    int_array(pk for pk, _ in progress.later),
                    gateway_account_id,
                ],
            )
        if progress.closed:
            cursor.execute(
                "UPDATE gateways_receiptjob SET tries = least(tries + 1, 1000), closed_at = now()"
                " WHERE id = ANY(%s::bigint[]) AND gateway_account_id = %s",
                [int_array(progress.closed), gateway_account_id],
            )
