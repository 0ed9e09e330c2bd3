"""Messages that were definitely not taken go back to the queue, in a batch of their own.

A mark only rises, so what is below one cannot become queued in its place (architecture, section 4).
"""

from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from django.db import connection

from messaging.months import MONTH_ROOM
from smscore.status import MessageState, can_move

from .moves import Consequences
from .rerouting import find_next_connection
from .route_steps import record_move
from .tallies import Counted
from .writing import BATCH_SIZE

RETRY_LADDER = (30.0, 120.0, 600.0)
"""Seconds before the next try after a definite "not now" of unknown length (reliability.md, section 5). After the last
one the next connection of the rule gets its chance, at once; the ladder begins anew there."""


class Deferral(NamedTuple):
    """A message to be tried again.

    batch_id       the batch it was sent from: a message that has left it was deferred before. None for an answer
                   that comes late: then the message must be `unknown`
    after_seconds  not before this
    uses_retry     not before the ladder's step either, one further each time. False where we were only too fast, or
                   nothing was written (S10)
    """

    message_id: int
    batch_id: int | None
    after_seconds: float
    uses_retry: bool


class _Row(NamedTuple):
    message_id: int
    state: str
    reason: str
    tenant_id: int
    run_id: int
    gateway_account_id: int
    priority: int
    attempt: int
    route_step_id: int | None
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
    route_step_id: int | None


def defer_messages(deferrals: Iterable[Deferral], *, into: Consequences) -> int:
    """Queue messages again; returns how many. The caller has proof that nothing of them was taken (S3), and records
    the consequences."""
    wanted = {d.message_id: d for d in deferrals}
    rows = _lock_rows(sorted(wanted.values()))
    groups: dict[_Group, list[_Row]] = {}
    for row in rows:
        deferral = wanted[row.message_id]
        attempt, seconds = row.attempt, deferral.after_seconds
        if deferral.uses_retry:
            seconds = max(seconds, RETRY_LADDER[min(attempt, len(RETRY_LADDER) - 1)])
            attempt += 1
        group = _Group(*row[3:7], row.encoding, attempt, seconds, row.route_step_id)
        groups.setdefault(group, []).append(row)
    for group, members in _change_connections(groups).items():
        for start in range(0, len(members), BATCH_SIZE):
            _move_to_new_batch(group, members[start : start + BATCH_SIZE])
    _show_to_claims({row.run_id for row in rows})
    for row in rows:  # only a late definite refusal changes the state: unknown → queued
        if row.state == MessageState.UNKNOWN and can_move(MessageState.UNKNOWN, MessageState.QUEUED):
            now = Counted(row.run_id, row.tenant_id, "queued", "", row.operator, 1, row.parts, row.price)
            into.add([now], MessageState.UNKNOWN, row.reason)
    return len(rows)


def _change_connections(groups: dict[_Group, list[_Row]]) -> dict[_Group, list[_Row]]:
    """Groups at the end of the ladder go to their rule's next connection, if there is one that can take them (S11)."""
    changed: dict[_Group, list[_Row]] = {}
    for refused, rows in groups.items():
        group, step_id = refused, refused.route_step_id
        if group.attempt > len(RETRY_LADDER) and step_id is not None:
            found = find_next_connection([step_id], encoding=group.encoding).get(step_id)
            if found is not None and found.target is not None:
                account_id = found.target.account_id
                moved = record_move(
                    step_id=step_id,
                    gateway_account_id=account_id,
                    cause="refused",
                    detail="",
                    candidates=found.candidates,
                    tried=found.tried,
                )
                group = group._replace(gateway_account_id=account_id, attempt=0, seconds=0.0, route_step_id=moved)
        changed.setdefault(group, []).extend(rows)
    return changed


def _lock_rows(deferrals: Sequence[Deferral]) -> list[_Row]:
    ids = [d.message_id for d in deferrals]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.id, m.state, m.reason, m.tenant_id, m.run_id, b.gateway_account_id, b.priority, b.attempt,"
            " b.route_step_id, m.encoding, m.operator, m.parts, m.price"
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
            " not_before, message_count, intent_upto, attempt, encoding, route_step_id, created_at)"
            " VALUES (%s + nextval('messaging_messagebatch_number'), %s, %s, %s, 'ready', %s,"
            " clock_timestamp() + %s * interval '1 second', %s, 0, %s, %s, %s, now()) RETURNING id",
            [
                rows[0].message_id // MONTH_ROOM * MONTH_ROOM,  # they stay in the run's month, and so does their batch
                group.tenant_id,
                group.run_id,
                group.gateway_account_id,
                group.priority,
                group.seconds,
                len(rows),
                group.attempt,
                group.encoding,
                group.route_step_id,
            ],
        )
        (batch_id,) = cursor.fetchone()
        cursor.execute(
            "UPDATE messaging_message m SET batch_id = %s, position = v.n - 1, state = 'queued', reason = '',"
            " provider_code = '', submitted_at = NULL FROM unnest(%s::bigint[]) WITH ORDINALITY AS v(id, n)"
            " WHERE m.id = v.id AND m.id = ANY(%s)",
            [batch_id, [row.message_id for row in rows], [row.message_id for row in rows]],
        )


def _show_to_claims(run_ids: Collection[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_sendrun SET is_sent_out = false WHERE id = ANY(%s) AND is_sent_out", [sorted(run_ids)]
        )
