"""Batches for a sender slot: urgent first, then one tenant after the other, so that nobody's million is in the way."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from django.db import connection

from messaging.due import ACCOUNT_MAY_SEND, RUN_MAY_SEND
from messaging.models import SendRun
from messaging.months import MONTH_ROOM, ids_beside

from .deferral import Deferral, defer_messages
from .moves import Consequences
from .partitions import MESSAGES, find_source


class ClaimedBatch(NamedTuple):
    """A leased batch. Positions from `mark` on are still to be sent."""

    batch_id: int
    tenant_id: int
    run_id: int
    priority: int
    mark: int
    message_count: int


MAXIMUM = 2**31 - 1
EXPRESS_SIZE = 10
EXPRESS_DAYS = 2
# Of late: the lane reads its messages from one partition, on a month's first days from two.
_IS_EXPRESS = (
    f"b.priority <= {SendRun.Priority.OTP.value} AND b.message_count <= {EXPRESS_SIZE}"
    f" AND b.id >= to_char(now() AT TIME ZONE 'UTC' - interval '{EXPRESS_DAYS} days', 'YYYYMM')::bigint * {MONTH_ROOM}"
)


class Lane(Enum):
    """Which batches `b` a thread of a slot works. One-time passwords, one or a few at a time, have a thread to
    themselves (`express.py`); thousands of them at once, or those of a run made long ago, go with everything else, and
    first."""

    ALL = "true"
    EXPRESS = _IS_EXPRESS
    BULK = f"NOT ({_IS_EXPRESS})"


# The session is locked shared: a sweep that ends it waits for this commit, and then sees the batches it leased.
_CLAIM_SQL = f"""
WITH live AS (
    SELECT s.id FROM messaging_dispatchersession s
    WHERE s.id = %(session)s AND s.state = 'live' AND s.lease_until > clock_timestamp()
        AND {ACCOUNT_MAY_SEND} FOR SHARE
), turns AS (
    SELECT b.id, r.priority, r.tenant_id,
        row_number() OVER (PARTITION BY r.priority, r.tenant_id ORDER BY r.id, b.id) AS turn
    FROM messaging_sendrun r CROSS JOIN LATERAL (
        SELECT b.id FROM messaging_messagebatch b
        WHERE b.run_id = r.id AND b.state = 'ready' AND b.gateway_account_id = %(account)s
            AND b.not_before <= clock_timestamp() AND {{lane}}
        ORDER BY b.id LIMIT %(reach)s
    ) b
    WHERE {RUN_MAY_SEND} AND NOT r.is_sent_out AND NOT EXISTS (
        SELECT 1 FROM unnest(%(held_priorities)s::int[], %(held_tenants)s::bigint[]) h(priority, tenant_id)
        WHERE h.priority = r.priority AND h.tenant_id = r.tenant_id)
), picked AS (
    SELECT b.id, t.priority, t.tenant_id, t.turn, b.message_count - b.intent_upto AS waiting
    FROM messaging_messagebatch b JOIN turns t ON t.id = b.id CROSS JOIN live
    WHERE t.turn <= %(reach)s  -- CASE: by their keys, not all that are ready once for each
        -- Asked again under the lock: it may have moved meanwhile.
        AND CASE WHEN b.state = 'ready' AND b.gateway_account_id = %(account)s THEN true ELSE false END
    ORDER BY t.priority, t.turn, t.tenant_id <= %(after_tenant)s, t.tenant_id LIMIT %(limit)s
    FOR UPDATE OF b SKIP LOCKED
), wanted AS (
    SELECT id, sum(waiting) OVER (PARTITION BY priority, tenant_id ORDER BY turn) - waiting AS earlier FROM picked
)
UPDATE messaging_messagebatch b SET state = 'leased', session_id = %(session)s
FROM wanted WHERE b.id = wanted.id AND wanted.earlier < %(enough)s
RETURNING b.id, b.tenant_id, b.run_id, b.priority, b.intent_upto, b.message_count
"""  # noqa: S608 - constants only
CLAIM_SQL = {lane: _CLAIM_SQL.format(lane=lane.value) for lane in Lane}


def claim_batches(
    *,
    session_id: int,
    gateway_account_id: int,
    per_tenant: int,
    limit: int,
    enough: int = MAXIMUM,
    held: Sequence[tuple[int, int]] = (),
    after_tenant: int = 0,
    lane: Lane = Lane.ALL,
) -> list[ClaimedBatch]:
    """Lease up to `limit` due batches of the lane, at most about `per_tenant` of a tenant, urgent ones first.

    enough        so many messages of a tenant need no further batch
    held          (priority, tenant) of which the slot has enough already
    after_tenant  whose turn it was last: the round goes on behind it
    """
    with connection.cursor() as cursor:
        cursor.execute(
            CLAIM_SQL[lane],
            {
                "session": session_id,
                "account": gateway_account_id,
                # Look a little further than needed: the first ones may be in the hands of another slot.
                "reach": per_tenant * 3,
                "limit": limit,
                "enough": enough,
                "held_priorities": [priority for priority, _ in held],
                "held_tenants": [tenant_id for _, tenant_id in held],
                "after_tenant": after_tenant,
            },
        )
        return [ClaimedBatch(*row) for row in cursor.fetchall()]


def finish_batches(*, session_id: int, marks: Mapping[int, int], shard: int) -> None:
    """Give leases back: a batch whose mark is at its end is done, another is ready again from its mark.

    Only batches without a message in the air: who has the lease answers for what is below the mark. `marks` is how
    far the slot wrote. A mark beyond that comes from an intent whose commit got through although its caller saw an
    error: those messages were provably not written and go back to the queue.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_messagebatch SET session_id = NULL,"
            " state = CASE WHEN intent_upto >= message_count THEN 'done' ELSE 'ready' END"
            " WHERE id = ANY(%s) AND session_id = %s AND state = 'leased' RETURNING id, intent_upto",
            [sorted(marks), session_id],
        )
        beyond = [(pk, marks[pk], upto) for pk, upto in cursor.fetchall() if upto > marks[pk]]
        unwritten: list[Deferral] = []
        for batch_id, mark, upto in beyond:
            cursor.execute(
                f"SELECT id FROM {find_source(MESSAGES, ids_beside([batch_id]))}"  # noqa: S608 - names of ours
                " WHERE batch_id = %s AND position >= %s AND position < %s AND state = 'queued'",
                [batch_id, mark, upto],
            )
            unwritten += [Deferral(row[0], batch_id, 0.0, uses_retry=False) for row in cursor.fetchall()]
    if unwritten:
        consequences = Consequences(shard)
        defer_messages(unwritten, into=consequences)
        consequences.record()


def list_leases(session_id: int, lane: Lane = Lane.ALL) -> dict[int, int]:
    """Marks of the batches that the session has leased for a lane.

    Waits for claims under way, which hold the session's row shared: one whose caller lost its connection may still
    commit. A wait that takes too long is a DatabaseError; the caller is as unsure as before.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM messaging_dispatchersession WHERE id = %s FOR NO KEY UPDATE", [session_id])
        cursor.execute(
            "SELECT b.id, b.intent_upto FROM messaging_messagebatch b WHERE b.session_id = %s"  # noqa: S608
            " AND b.state = 'leased'"
            f" AND {lane.value}",
            [session_id],
        )
        return dict(cursor.fetchall())
