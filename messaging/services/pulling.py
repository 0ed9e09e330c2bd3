"""What the engine remembers for providers that must be asked for their receipts: jobs and cursors.

Jobs are written with the answers that named them; how far we have come is written with the events it brought (R1).
All in platform scope, inside the caller's transaction.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from django.db import connection

from gateways.types import OutcomeKind, PullJob, PullProgress, SubmitOutcome
from smscore.status import TERMINAL_STATES, MessageState

from .arrays import int_array, text_array
from .partitions import REFERENCES, find_recent_source

MOST_OF_A_TENANT = 100
MOST_SEARCHES = 100

ADD_SQL = """
INSERT INTO gateways_receiptjob (gateway_account_id, tenant_id, job, message_count, tries, due_at, created_at)
SELECT %s, m.tenant_id, v.job, v.message_count, 0, clock_timestamp(), now()
FROM unnest(%s::text[], %s::bigint[], %s::int[]) AS v(job, message_id, message_count)
JOIN messaging_message m ON m.id = v.message_id AND m.id = ANY(%s::bigint[])
ON CONFLICT DO NOTHING
"""
DUE_SQL = """
SELECT id, job, message_count, tries, tenant_id FROM (
    SELECT j.*, row_number() OVER (PARTITION BY tenant_id ORDER BY due_at, id) AS place
    FROM gateways_receiptjob j WHERE gateway_account_id = %s AND closed_at IS NULL
        AND due_at <= clock_timestamp() - CASE WHEN tries = 0 THEN %s ELSE 0 END * interval '1 second'
        AND (message_count > 0 OR %s)
) ranked WHERE place <= %s ORDER BY place, due_at, id
"""
# A job that is the id of one message (providers with a call a message) needs no asking once that message has ended.
SINGLE_SQL = """
SELECT j.id, r.message_id FROM (
    SELECT id, job FROM gateways_receiptjob
    WHERE gateway_account_id = %s AND closed_at IS NULL AND due_at <= clock_timestamp() ORDER BY due_at LIMIT %s
) j
JOIN LATERAL (
    SELECT r.message_id FROM {references} r WHERE r.gateway_account_id = %s AND r.provider_message_id = j.job
        AND r.created_at > now() - interval '7 days' ORDER BY r.created_at DESC LIMIT 1
) r ON true
"""
MOST_SETTLED = 5000
REFERENCE_DAYS = 7
SETTLED_STATES = sorted(TERMINAL_STATES - {MessageState.UNCONFIRMED})


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


def list_due_jobs(
    *,
    gateway_account_id: int,
    most_messages: int,
    most_jobs: int,
    first_seconds: float,
    served: Mapping[int, float],
    searches: bool,
) -> tuple[list[PullJob], set[int]]:
    """(jobs to ask about in one round, their tenants). Tenants take turns: `served` says when each had its last one.

    Searches are not asked together with other jobs: either all of them are, or none.
    """
    with connection.cursor() as cursor:
        cursor.execute(DUE_SQL, [gateway_account_id, first_seconds, searches, max(MOST_OF_A_TENANT, most_jobs)])
        rows = sorted(cursor.fetchall(), key=lambda row: served.get(row[4], 0.0))
    if rows and not rows[0][2]:
        found = [row for row in rows if not row[2]][:MOST_SEARCHES]
        return [PullJob(*row[:4]) for row in found], {rows[0][4]}
    chosen: list[PullJob] = []
    tenants: set[int] = set()
    messages = 0
    for *fields, tenant_id in rows:
        job = PullJob(*fields)
        is_full = len(chosen) >= most_jobs or messages + job.message_count > most_messages
        if chosen and (is_full or not job.message_count):
            break
        chosen.append(job)
        tenants.add(tenant_id)
        messages += job.message_count
    return chosen, tenants


def close_settled_jobs(*, gateway_account_id: int) -> int:
    """Close jobs whose one message has ended without our asking; returns how many. Of calls with many messages nothing
    is closed here: one question for all of them costs little."""
    with connection.cursor() as cursor:
        single = SINGLE_SQL.format(references=find_recent_source(REFERENCES, REFERENCE_DAYS))
        cursor.execute(single, [gateway_account_id, MOST_SETTLED, gateway_account_id])
        messages = dict(cursor.fetchall())
        cursor.execute(
            "SELECT id FROM messaging_message WHERE id = ANY(%s::bigint[]) AND state = ANY(%s::text[])",
            [int_array(sorted(messages.values())), text_array(SETTLED_STATES)],
        )
        ended = {row[0] for row in cursor.fetchall()}
        cursor.execute(
            "UPDATE gateways_receiptjob SET closed_at = now() WHERE id = ANY(%s::bigint[])",
            [int_array(pk for pk, message_id in messages.items() if message_id in ended)],
        )
        return int(cursor.rowcount)


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
