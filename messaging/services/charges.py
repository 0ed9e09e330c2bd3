"""What providers say that messages cost, kept as they say it and compared with ours a moment later.

Kept once per provider's id, however often the receipt comes; found by the same references as receipts. Sums go into the
connection's month (`gateways.AccountMonth`).
"""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Final

from django.db import connection

from gateways.types import DeliveryEvent, DeliveryState, GatewayEvent

from .arrays import text_array
from .partitions import REFERENCES, find_recent_source

FINAL: Final = frozenset({DeliveryState.DELIVERED, DeliveryState.UNDELIVERED})
SETTLE_LIMIT: Final = 2000
KEEP_DAYS: Final = 7
MOST_PARTS: Final = 255
MOST_PRICE: Final = Decimal(100_000)

STORE_SQL = """
INSERT INTO gateways_providercharge (gateway_account_id, provider_message_id, msisdn, parts, price)
SELECT %s, v.id, v.msisdn, nullif(v.parts, 0), nullif(v.price, '')::numeric
FROM unnest(%s::text[], %s::text[], %s::int[], %s::text[]) AS v(id, msisdn, parts, price)
ON CONFLICT (gateway_account_id, provider_message_id, msisdn) DO NOTHING
"""
# A long message whose parts have ids of their own is charged part by part: each id takes one of our parts, the last one
# all that are left (there may be none: they cut it into more). Who does not say how many parts agrees, and who
# does not say what they cost has our price.
SETTLE_SQL = """
WITH due AS MATERIALIZED (
    SELECT id, gateway_account_id, provider_message_id, msisdn, parts, price FROM gateways_providercharge
    WHERE message_id IS NULL AND due_at <= clock_timestamp() AND created_at > now() - %(days)s * interval '1 day'
    ORDER BY due_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), found AS (
    SELECT DISTINCT ON (d.id) d.id, d.gateway_account_id AS account_id, p.message_id,
        p.part <= 1 AS is_first, coalesce(d.parts, CASE WHEN p.of_parts > 1 THEN 1 ELSE m.parts END) AS their_parts,
        CASE WHEN p.part < p.of_parts THEN (p.part <= m.parts)::int ELSE greatest(m.parts - p.of_parts + 1, 0) END
            AS our_parts, coalesce(t.cost_per_part, 0) AS cost, d.price,
        date_trunc('month', coalesce(m.accepted_at, now()) AT TIME ZONE 'UTC')::date AS month
    FROM due d JOIN {references} p ON p.gateway_account_id = d.gateway_account_id
        AND p.provider_message_id = d.provider_message_id AND p.created_at > now() - %(days)s * interval '1 day'
    JOIN messaging_message m ON m.id = p.message_id AND (d.msisdn = '' OR m.msisdn = d.msisdn)
    JOIN messaging_messagebatch b ON b.id = m.batch_id
    LEFT JOIN messaging_routestep s ON s.id = b.route_step_id
    LEFT JOIN gateways_routetarget t ON t.rule_id = s.rule_id AND t.gateway_account_id = d.gateway_account_id
    ORDER BY d.id, p.created_at DESC, p.id DESC
), marked AS (
    UPDATE gateways_providercharge c SET message_id = f.message_id,
        due_at = CASE WHEN f.id IS NULL THEN now() + interval '10 minutes' ELSE c.due_at END
    FROM due d LEFT JOIN found f ON f.id = d.id WHERE c.id = d.id
), added AS (
    INSERT INTO gateways_accountmonth AS a
        (tenant_id, gateway_account_id, month, messages, our_parts, their_parts, our_cost, their_cost)
    SELECT g.tenant_id, g.id, f.month, count(*) FILTER (WHERE f.is_first), sum(f.our_parts), sum(f.their_parts),
        sum(f.our_parts * f.cost), sum(coalesce(f.price, f.their_parts * f.cost))
    FROM found f JOIN gateways_gatewayaccount g ON g.id = f.account_id GROUP BY 1, 2, 3
    ON CONFLICT (gateway_account_id, month) DO UPDATE SET messages = a.messages + excluded.messages,
        our_parts = a.our_parts + excluded.our_parts, their_parts = a.their_parts + excluded.their_parts,
        our_cost = a.our_cost + excluded.our_cost, their_cost = a.their_cost + excluded.their_cost
)
SELECT count(*) FROM due
"""


def store_charges(gateway_account_id: int, events: Iterable[GatewayEvent]) -> None:
    """Keep what receipts that end a message say about parts and price: earlier ones may name none, or another one.
    Nothing to do for those that say nothing. In platform scope."""
    said = [
        (event, _read_price(event.price))
        for event in events
        if isinstance(event, DeliveryEvent)
        and event.state in FINAL
        and event.provider_message_id
        and (event.billed_parts or event.price)
    ]
    if not said:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            STORE_SQL,
            [
                gateway_account_id,
                text_array(event.provider_message_id[:80] for event, _ in said),
                text_array(event.msisdn[:16] for event, _ in said),
                [event.billed_parts if 0 < event.billed_parts <= MOST_PARTS else 0 for event, _ in said],
                text_array(price for _, price in said),
            ],
        )


def settle_charges() -> int:
    """Compare what is due; returns how many were looked at. In platform scope, inside the caller's transaction."""
    with connection.cursor() as cursor:
        statement = SETTLE_SQL.format(references=find_recent_source(REFERENCES, KEEP_DAYS))
        cursor.execute(statement, {"days": KEEP_DAYS, "limit": SETTLE_LIMIT})
        row: tuple[int] = cursor.fetchone()
    return row[0]


def _read_price(text: str) -> str:
    """Some providers give costs as negative numbers; what is no price at all is left out."""
    try:
        price = abs(Decimal(text))
    except InvalidOperation:
        return ""
    return f"{price:.5f}" if price.is_finite() and price < MOST_PRICE else ""
