"""Whatever a gateway tells us by itself is stored as it came, before anybody says thank you (R1).

A receipt whose message is known and waits for just this is applied in the transaction that stores it, and nothing of it
is left to do. All others wait in the inbox for `match_receipts`.
"""

import base64
from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple

from django.db import connection
from django.db.backends.utils import CursorWrapper

from gateways.types import DeliveryEvent, DeliveryState, GatewayEvent, InboundMessage
from smscore.status import MessageState

from .arrays import int_array, text_array
from .charges import store_charges
from .inbound import lock_long_messages, record_inbound
from .moves import OF_THESE, bound, record_moved
from .partitions import REFERENCES, find_recent_source
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
FINAL = (DeliveryState.DELIVERED, DeliveryState.UNDELIVERED)
UNREADABLE = DeliveryEvent("", "", DeliveryState.UNKNOWN, code="unreadable")  # kept and shown, moves nothing

REUSE_DAYS = 7
# The newest holder of an id comes last. Providers reuse ids, so the update checks the number as well.
LOOK_UP_SQL = """
SELECT provider_message_id, message_id, of_parts FROM {references} r
WHERE gateway_account_id = %s AND provider_message_id = ANY(%s::text[]) AND created_at > now() - interval '7 days'
ORDER BY created_at, id
"""
# CASE: see `moves.UPDATE_SQL`.
APPLY_SQL = f"""
WITH moved AS (
    UPDATE messaging_message m SET state = v.state, reason = v.reason, provider_code = v.code, done_at = now()
    FROM unnest(%(ids)s::bigint[], %(msisdns)s::text[], %(states)s::text[], %(reasons)s::text[], %(codes)s::text[])
        AS v(id, msisdn, state, reason, code)
    WHERE m.id = v.id AND {OF_THESE}
        AND CASE WHEN m.state = 'accepted' AND (v.msisdn = '' OR m.msisdn = v.msisdn) THEN true ELSE false END
    RETURNING m.id, m.run_id, m.tenant_id, m.state, m.reason, m.operator, m.parts, m.price
)
SELECT array_agg(id), run_id, tenant_id, state, reason, operator, count(*), sum(parts), sum(price)
FROM moved GROUP BY 2, 3, 4, 5, 6
"""  # noqa: S608 - constants only
INSERT_SQL = """
INSERT INTO messaging_receiptinbox (gateway_account_id, provider_message_id, msisdn, sender, state, reason,
    provider_code, raw, token, is_inferred, received_at, tries, due_at, settled_at, matched_message_id)
SELECT %(account)s, provider_id, msisdn, sender, state, reason, code, decode(raw, 'base64'), nullif(token, 0), false,
    now(), 0, now() + %(first_look)s * interval '1 second',
    CASE WHEN state = '' OR message_id IS NOT NULL THEN now() END, message_id
FROM unnest(%(provider_ids)s::text[], %(msisdns)s::text[], %(senders)s::text[], %(states)s::text[],
    %(reasons)s::text[], %(codes)s::text[], %(raws)s::text[], %(tokens)s::bigint[], %(message_ids)s::bigint[])
    AS c(provider_id, msisdn, sender, state, reason, code, raw, token, message_id)
"""


def store_events(events: Sequence[StoredEvent]) -> int:
    """Receipts into the inbox and onto their messages, messages from handsets to whom they belong; returns how many
    were stored: all.

    In platform scope, inside the caller's transaction.
    """
    receipts: dict[int, list[StoredEvent]] = {}
    for stored in events:
        if not isinstance(stored.event, InboundMessage):
            receipts.setdefault(stored.gateway_account_id, []).append(stored)
    for account_id, group in receipts.items():
        _store_receipts(account_id, group)
        store_charges(account_id, (stored.event for stored in group))
    arrived = [(s.gateway_account_id, s.event) for s in events if isinstance(s.event, InboundMessage)]
    lock_long_messages(arrived)
    for account_id, message in arrived:
        record_inbound(gateway_account_id=account_id, message=message)
    return len(events)


def _store_receipts(account_id: int, receipts: Sequence[StoredEvent]) -> None:
    events = [s.event if isinstance(s.event, DeliveryEvent) else UNREADABLE for s in receipts]
    message_ids = _apply_at_once(account_id, events)
    with connection.cursor() as cursor:
        cursor.execute(
            INSERT_SQL,
            {
                "account": account_id,
                "first_look": FIRST_LOOK_SECONDS,
                "provider_ids": text_array(e.provider_message_id[:80] for e in events),
                "msisdns": text_array(e.msisdn[:16] for e in events),
                "senders": text_array(e.sender[:20] for e in events),
                "states": text_array(STATES[e.state] for e in events),
                "reasons": text_array(e.reason for e in events),
                "codes": text_array(e.code[:40] for e in events),
                "raws": text_array(base64.b64encode(s.raw).decode() for s in receipts),
                "tokens": int_array(e.token for e in events),
                "message_ids": int_array(message_ids),
            },
        )


def _apply_at_once(account_id: int, events: Sequence[DeliveryEvent]) -> list[int | None]:
    """For each receipt the message that it moved, or None: then it is `match_receipts`' work, because the answer is
    not written down yet, the id had another number since, the message has several parts or is not `accepted`."""
    final = {e.provider_message_id[:80]: e for e in events if e.state in FINAL}
    # Of two receipts for one id "delivered" counts (R2); the other one finds its message moved, and is looked at later.
    final.update({e.provider_message_id[:80]: e for e in events if e.state is DeliveryState.DELIVERED})
    with connection.cursor() as cursor:
        references = find_recent_source(REFERENCES, REUSE_DAYS)
        cursor.execute(LOOK_UP_SQL.format(references=references), [account_id, text_array(final)])
        holders = {provider_id: (message_id, of_parts) for provider_id, message_id, of_parts in cursor.fetchall()}
        news = {pk: final[provider_id] for provider_id, (pk, of_parts) in holders.items() if of_parts == 1}
        moved = _apply(sorted(news.items(), key=itemgetter(0)), cursor) if news else set()
    used = {id(event): pk for pk, event in news.items() if pk in moved}
    return [used.get(id(event)) for event in events]


def _apply(news: Sequence[tuple[int, DeliveryEvent]], cursor: CursorWrapper) -> set[int]:
    """Move messages by their receipts, with roll-ups; returns the ids of those that were where they should be."""
    events = [event for _, event in news]
    cursor.execute(
        APPLY_SQL,
        {
            "ids": int_array(pk for pk, _ in news),
            **bound([pk for pk, _ in news]),
            "msisdns": text_array(e.msisdn[:16] for e in events),
            "states": text_array(e.state for e in events),
            "reasons": text_array("" if e.state is DeliveryState.DELIVERED else e.reason for e in events),
            "codes": text_array(e.code[:40] for e in events),
        },
    )
    rows = cursor.fetchall()
    if rows:
        counted = [Counted(*row[1:]) for row in rows]
        record_moved(counted, before=MessageState.ACCEPTED, shard=SHARD_RECEIPTS)
    return {pk for row in rows for pk in row[0]}
