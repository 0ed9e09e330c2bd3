"""Whatever a gateway tells us by itself is stored as it came, before anybody says thank you (R1).

A receipt whose message is known and waits for just this is applied in the same statement that stores it: nothing of it
is left to do. All others wait in the inbox for `match_receipts`.
"""

import base64
from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection

from gateways.types import DeliveryEvent, DeliveryState, GatewayEvent, InboundMessage
from smscore.status import MessageState

from .arrays import int_array, text_array
from .inbound import record_inbound
from .moves import record_moved
from .tallies import SHARD_RECEIPTS, Counted


class StoredEvent(NamedTuple):
    """A raw event and what the adapter reads in it."""

    gateway_account_id: int
    raw: bytes
    event: GatewayEvent


# Fast receipts come while their answers wait for the next flush: looking a moment later saves looking twice.
FIRST_LOOK_SECONDS = 0.25

# Words that are no final news: `accepted` still proves that the gateway has the message.
STATES = {
    DeliveryState.DELIVERED: "delivered",
    DeliveryState.UNDELIVERED: "undelivered",
    DeliveryState.ACCEPTED: "accepted",
    DeliveryState.UNKNOWN: "",
}
UNREADABLE = DeliveryEvent("", "", DeliveryState.UNKNOWN, code="unreadable")  # kept and shown, moves nothing

# `news` are receipts with the message that this provider id was given last; `moved` are those of them that the update
# really took: to that number, and waiting for just this. Only they are settled; whatever is different (another number
# had the id later, several parts, twice the same, not accepted yet) is `match_receipts`' work.
# Of two receipts for one message in one call "delivered" counts, which sorts first (R2); the other is matched later.
STORE_SQL = """
WITH found AS MATERIALIZED (
    SELECT c.*, p.message_id FROM unnest(%(accounts)s::bigint[], %(provider_ids)s::text[], %(msisdns)s::text[],
        %(senders)s::text[], %(states)s::text[], %(reasons)s::text[], %(codes)s::text[], %(raws)s::text[])
        WITH ORDINALITY AS c(account, provider_id, msisdn, sender, state, reason, code, raw, n)
    LEFT JOIN LATERAL (
        SELECT r.message_id, r.of_parts FROM messaging_providerreference r
        WHERE r.gateway_account_id = c.account AND r.provider_message_id = c.provider_id
            AND r.created_at > now() - interval '7 days'
        ORDER BY r.created_at DESC, r.id DESC LIMIT 1
    ) p ON p.of_parts = 1 AND c.state IN ('delivered', 'undelivered')
), news AS (
    SELECT DISTINCT ON (message_id) message_id, msisdn, state, reason, code, n
    FROM found WHERE message_id IS NOT NULL ORDER BY message_id, state
), moved AS (
    UPDATE messaging_message m SET state = n.state, provider_code = n.code, done_at = now(),
        reason = CASE WHEN n.state = 'delivered' THEN '' ELSE n.reason END
    FROM news n WHERE m.id = n.message_id
        AND CASE WHEN m.state = 'accepted' AND (n.msisdn = '' OR m.msisdn = n.msisdn) THEN true ELSE false END
    RETURNING n.n, m.id, m.run_id, m.tenant_id, m.state, m.reason, m.operator, m.parts, m.price
), stored AS (
    INSERT INTO messaging_receiptinbox (gateway_account_id, provider_message_id, msisdn, sender, state, reason,
        provider_code, raw, is_inferred, received_at, tries, due_at, settled_at, matched_message_id)
    SELECT account, provider_id, msisdn, sender, state, reason, code, decode(raw, 'base64'), false, now(), 0,
        now() + %(first_look)s * interval '1 second',
        CASE WHEN state = '' OR is_moved THEN now() END, CASE WHEN is_moved THEN message_id END
    FROM (SELECT *, n IN (SELECT n FROM moved) AS is_moved FROM found OFFSET 0) f
)
SELECT run_id, tenant_id, state, reason, operator, count(*), sum(parts), sum(price) FROM moved GROUP BY 1, 2, 3, 4, 5
"""


def store_events(events: Sequence[StoredEvent]) -> int:
    """Receipts into the inbox and onto their messages, messages from handsets to whom they belong; returns how many
    were stored: all.

    In platform scope, inside the caller's transaction.
    """
    receipts = [stored for stored in events if not isinstance(stored.event, InboundMessage)]
    if receipts:
        _store_receipts(receipts)
    for stored in events:
        if isinstance(stored.event, InboundMessage):
            record_inbound(gateway_account_id=stored.gateway_account_id, message=stored.event)
    return len(events)


def _store_receipts(receipts: Sequence[StoredEvent]) -> None:
    events = [s.event if isinstance(s.event, DeliveryEvent) else UNREADABLE for s in receipts]
    with connection.cursor() as cursor:
        cursor.execute(
            STORE_SQL,
            {
                "first_look": FIRST_LOOK_SECONDS,
                "accounts": int_array(s.gateway_account_id for s in receipts),
                "provider_ids": text_array(e.provider_message_id[:80] for e in events),
                "msisdns": text_array(e.msisdn[:16] for e in events),
                "senders": text_array(e.sender[:20] for e in events),
                "states": text_array(STATES[e.state] for e in events),
                "reasons": text_array(e.reason for e in events),
                "codes": text_array(e.code[:40] for e in events),
                "raws": text_array(base64.b64encode(s.raw).decode() for s in receipts),
            },
        )
        counted = [Counted(*row) for row in cursor.fetchall()]
    if counted:
        record_moved(counted, before=MessageState.ACCEPTED, shard=SHARD_RECEIPTS)
