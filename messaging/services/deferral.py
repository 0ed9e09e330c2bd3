"""Messages that were definitely not taken go back to the queue, in a batch of their own.

A mark only rises, so what is below one cannot become queued in its place (architecture, section 4).
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from django.db import connection

from messaging.months import MONTH_ROOM
from smscore.status import MessageState, can_move

from .tallies import Counted, record_tallies
from .writing import BATCH_SIZE

RETRY_LADDER = (30.0, 120.0, 600.0)
"""Seconds before the next try after a definite "not now" of unknown length (reliability.md, section 5)."""


class Deferral(NamedTuple):
    """A message to be tried again.

    batch_id       the batch it was sent from: a message that has left it was deferred before. None for an answer
                   that comes late: then the message must be `unknown`
    after_seconds  not before this; None: by the ladder, one step further each time
    uses_retry     False where we were only too fast, or nothing was written (S10)
    """

    message_id: int
    batch_id: int | None
    after_seconds: float | None
    uses_retry: bool


class _Row(NamedTuple):
    message_id: int
    state: str
    reason: str
    run_id: int
    tenant_id: int
    gateway_account_id: int
    priority: int
    attempt: int
    encoding: str
    operator: str
    parts: int
    price: Decimal


class _Group(NamedTuple):
    """What the messages of one new batch have in common."""

    tenant_id: int
    run_id: int
    gateway_account_id: int
    priority: int
    encoding: str
    attempt: int
    seconds: float


def defer_messages(deferrals: Iterable[Deferral], *, shard: int) -> int:
    """Queue messages again; returns how many. The caller has proof that nothing of them was taken (S3)."""
    wanted = {d.message_id: d for d in deferrals}
    rows = _lock_rows(sorted(wanted.values()))
    groups: dict[_Group, list[_Row]] = {}
    for row in rows:
        deferral = wanted[row.message_id]
        attempt = row.attempt + 1 if deferral.uses_retry else row.attempt
        seconds = deferral.after_seconds
        if seconds is None:
            seconds = RETRY_LADDER[min(row.attempt, len(RETRY_LADDER) - 1)]
        group = _Group(row.tenant_id, row.run_id, row.gateway_account_id, row.priority, row.encoding, attempt, seconds)
        groups.setdefault(group, []).append(row)
    for group, members in groups.items():
        for start in range(0, len(members), BATCH_SIZE):
            _move_to_new_batch(group, members[start : start + BATCH_SIZE])
    _record(rows, shard)
    return len(rows)


def _lock_rows(deferrals: Sequence[Deferral]) -> list[_Row]:
    ids = [d.message_id for d in deferrals]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.id, m.state, m.reason, m.run_id, m.tenant_id, b.gateway_account_id, b.priority, b.attempt,"
            " m.encoding, m.operator, m.parts, m.price"
            " FROM unnest(%s::bigint[], %s::bigint[]) AS v(id, batch_id)"
            " JOIN messaging_message m ON m.id = v.id JOIN messaging_messagebatch b ON b.id = m.batch_id"
            " WHERE m.id = ANY(%s) AND (m.state = 'unknown' AND coalesce(v.batch_id, m.batch_id) = m.batch_id"
            " OR m.state = 'queued' AND v.batch_id = m.batch_id) ORDER BY m.id FOR UPDATE OF m",
            [ids, [d.batch_id for d in deferrals], ids],
        )
        return [_Row(*row) for row in cursor.fetchall()]


def _move_to_new_batch(group: _Group, rows: Sequence[_Row]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO messaging_messagebatch (id, tenant_id, run_id, gateway_account_id, state, priority,"
            " not_before, message_count, intent_upto, attempt, created_at)"
            " VALUES (%s + nextval('messaging_messagebatch_number'), %s, %s, %s, 'ready', %s,"
            " clock_timestamp() + %s * interval '1 second', %s, 0, %s, now()) RETURNING id",
            [
                rows[0].message_id // MONTH_ROOM * MONTH_ROOM,  # they stay in the run's month, and so does their batch
                group.tenant_id,
                group.run_id,
                group.gateway_account_id,
                group.priority,
                group.seconds,
                len(rows),
                group.attempt,
            ],
        )
        (batch_id,) = cursor.fetchone()
        cursor.execute(
            "UPDATE messaging_message m SET batch_id = %s, position = v.n - 1, state = 'queued', reason = '',"
            " provider_code = '' FROM unnest(%s::bigint[]) WITH ORDINALITY AS v(id, n)"
            " WHERE m.id = v.id AND m.id = ANY(%s)",
            [batch_id, [row.message_id for row in rows], [row.message_id for row in rows]],
        )


def _record(rows: Sequence[_Row], shard: int) -> None:
    """Only a late definite refusal changes the state: unknown → queued."""
    healed = [
        Counted(r.run_id, r.tenant_id, r.state, r.reason, r.operator, 1, r.parts, r.price)
        for r in rows
        if r.state == MessageState.UNKNOWN and can_move(MessageState.UNKNOWN, MessageState.QUEUED)
    ]
    record_tallies(entered=[c._replace(state="queued", reason="") for c in healed], left=healed, shard=shard)
