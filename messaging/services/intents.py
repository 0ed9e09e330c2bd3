"""Intent: the durable word that messages are about to be written to the wire (S2). The fence of the whole engine.

One statement raises the marks of a stride's batches, if and only if the slot's lease holds, the connection is on, the
run runs, and its hours allow it, all by the database's clock; and it reads the messages below the new marks with the
suppression list as it is at that moment (S7). Only what it returns, and only after its commit, may be written.
"""

from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection

from gateways.types import OutboundMessage
from messaging.due import ACCOUNT_MAY_SEND, RUN_MAY_SEND
from messaging.months import ids_beside
from smscore.status import MessageState

from .moves import Move, move_messages
from .partitions import MESSAGES, find_source

REASON_SUPPRESSED = "suppressed"


class Stride(NamedTuple):
    """Positions [mark, upto) of a leased batch."""

    batch_id: int
    mark: int
    upto: int


class Intent(NamedTuple):
    """What may be written now, by batch; `marked` are the batches whose mark rose, `suppressed` counts the blocked."""

    messages: dict[int, list[OutboundMessage]]
    marked: set[int]
    suppressed: int


OUTBOUND = """
    m.id, m.msisdn, k.sender, m.text, m.encoding, m.parts, k.validity_seconds, (m.id %% 65536)::int, k.content_class,
    EXISTS (SELECT 1 FROM optout_suppressionentry x
        WHERE x.tenant_id = k.tenant_id AND x.msisdn = m.msisdn AND x.is_active)
    OR EXISTS (SELECT 1 FROM optout_suppressionentry x
        WHERE x.tenant_id IS NULL AND x.msisdn = m.msisdn AND x.is_active)
"""
"""An `OutboundMessage` in the order of its fields, and whether its number is on the suppression list. `m` is the
message, `k` its marked batch with its tenant and what its run says of all its messages."""
INTENT_SQL = f"""
WITH marked AS (
    UPDATE messaging_messagebatch b SET intent_upto = w.upto
    FROM unnest(%(ids)s::bigint[], %(marks)s::int[], %(uptos)s::int[]) AS w(id, mark, upto),
        messaging_sendrun r, messaging_dispatchersession s
    WHERE b.id = w.id AND b.state = 'leased' AND b.session_id = %(session)s AND b.intent_upto = w.mark
        AND s.id = %(session)s AND s.state = 'live' AND s.lease_until > clock_timestamp()
        AND r.id = b.run_id AND {RUN_MAY_SEND} AND {ACCOUNT_MAY_SEND}
    RETURNING b.id, b.tenant_id, w.mark, w.upto, r.sender, r.validity_seconds, r.content_class
)
SELECT k.id, {OUTBOUND}
FROM marked k LEFT JOIN {{messages}} m
    ON m.batch_id = k.id AND m.batch_id = ANY(%(ids)s)
    AND m.position >= k.mark AND m.position < k.upto AND m.state = 'queued'
ORDER BY k.id, m.position
"""  # noqa: S608 - constants only


def declare_intent(*, session_id: int, strides: Sequence[Stride], shard: int) -> Intent:
    """Raise the marks and return what may be written once the caller's transaction has committed."""
    messages_of_months = find_source(MESSAGES, ids_beside([s.batch_id for s in strides]))
    with connection.cursor() as cursor:
        cursor.execute(
            INTENT_SQL.format(messages=messages_of_months),
            {
                "session": session_id,
                "ids": [s.batch_id for s in strides],
                "marks": [s.mark for s in strides],
                "uptos": [s.upto for s in strides],
            },
        )
        messages: dict[int, list[OutboundMessage]] = {}
        suppressed: list[Move] = []
        marked: set[int] = set()
        make = OutboundMessage._make
        for row in cursor:  # one by one: a stride fetched in one call keeps the interpreter from everybody for 10 ms
            marked.add(row[0])
            if row[1] is None:
                messages.setdefault(row[0], [])
            elif row[10]:
                suppressed.append(Move(row[1], "suppressed", REASON_SUPPRESSED))
            else:
                messages.setdefault(row[0], []).append(make(row[1:10]))
    if suppressed:
        move_messages(suppressed, usual=MessageState.CLAIMED, shard=shard)
    return Intent(messages, marked, len(suppressed))
