"""Whatever a gateway tells us by itself is stored as it came, before anybody says thank you (R1).

A receipt whose message is known and waits for just this is applied in the same statement that stores it: nothing of it
is left to do. All others wait in the inbox for `match_receipts`.
"""

import base64
from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection, transaction

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

# `came` to `found`: the same look-up as in `receipts.MATCH_SQL`. `is_direct` false: store only.
# Of two receipts for one message in one call "delivered" counts, which sorts first (R2).
STORE_SQL = """
WITH found AS MATERIALIZED (
    SELECT c.*, p.message_id FROM unnest(%(accounts)s::bigint[], %(provider_ids)s::text[], %(msisdns)s::text[],
        %(senders)s::text[], %(states)s::text[], %(reasons)s::text[], %(codes)s::text[], %(raws)s::text[])
        AS c(account, provider_id, msisdn, sender, state, reason, code, raw)
    LEFT JOIN LATERAL (
        SELECT r.message_id, r.of_parts, m.state FROM messaging_providerreference r
        JOIN messaging_message m ON m.id = r.message_id AND (c.msisdn = '' OR m.msisdn = c.msisdn)
        WHERE r.gateway_account_id = c.account AND r.provider_message_id = c.provider_id
            AND r.created_at > now() - interval '7 days'
        ORDER BY r.created_at DESC, r.id DESC LIMIT 1
    ) p ON %(is_direct)s AND p.of_parts = 1 AND p.state = 'accepted' AND c.state IN ('delivered', 'undelivered')
), stored AS (
    INSERT INTO messaging_receiptinbox (gateway_account_id, provider_message_id, msisdn, sender, state, reason,
        provider_code, raw, is_inferred, received_at, tries, due_at, settled_at, matched_message_id)
    SELECT account, provider_id, msisdn, sender, state, reason, code, decode(raw, 'base64'), false, now(), 0,
        now() + %(first_look)s * interval '1 second',
        CASE WHEN state = '' OR message_id IS NOT NULL THEN now() END, message_id
    FROM found
), news AS (
    SELECT DISTINCT ON (message_id) message_id, state, reason, code FROM found WHERE message_id IS NOT NULL
    ORDER BY message_id, state
), moved AS (
    UPDATE messaging_message m SET state = n.state, provider_code = n.code, done_at = now(),
        reason = CASE WHEN n.state = 'delivered' THEN '' ELSE n.reason END
    FROM news n WHERE m.id = n.message_id AND CASE WHEN m.state = 'accepted' THEN true ELSE false END
    RETURNING m.run_id, m.tenant_id, m.state, m.reason, m.operator, m.parts, m.price
)
SELECT run_id, tenant_id, state, reason, operator, count(*), sum(parts), sum(price), (SELECT count(*) FROM news)
FROM moved GROUP BY 1, 2, 3, 4, 5
"""


class _Overtaken(Exception):
    """Somebody moved one of the messages between our look and our update."""


def store_events(events: Sequence[StoredEvent]) -> int:
    """Receipts into the inbox and onto their messages, messages from handsets to whom they belong; returns how many
    were stored: all.

    In platform scope, inside the caller's transaction.
    """
    receipts = [stored for stored in events if not isinstance(stored.event, InboundMessage)]
    if receipts:
        try:
            with transaction.atomic():
                _store_receipts(receipts, is_direct=True)
        except _Overtaken:
            _store_receipts(receipts, is_direct=False)
    for stored in events:
        if isinstance(stored.event, InboundMessage):
            record_inbound(gateway_account_id=stored.gateway_account_id, message=stored.event)
    return len(events)


def _store_receipts(receipts: Sequence[StoredEvent], *, is_direct: bool) -> None:
    """Raises _Overtaken if a receipt was stored as settled but could not be applied; then nothing may be kept."""
    events = [s.event if isinstance(s.event, DeliveryEvent) else UNREADABLE for s in receipts]
    with connection.cursor() as cursor:
        cursor.execute(
            STORE_SQL,
            {
                "is_direct": is_direct,
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
        rows = cursor.fetchall()
    if not rows:
        return
    counted = [Counted(*row[:8]) for row in rows]
    if sum(row.messages for row in counted) != rows[0][8]:
        raise _Overtaken
    record_moved(counted, before=MessageState.ACCEPTED, shard=SHARD_RECEIPTS)
