"""Whatever a gateway tells us by itself is stored as it came, before anybody says thank you (R1)."""

import base64
from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection

from gateways.types import DeliveryEvent, DeliveryState, GatewayEvent, InboundMessage

from .inbound import record_inbound


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


def store_events(events: Sequence[StoredEvent]) -> int:
    """Receipts into the inbox, messages from handsets to whom they belong; returns how many were stored: all.

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
    columns: tuple[list[object], ...] = tuple([] for _ in range(8))
    for account_id, raw, event in receipts:
        if isinstance(event, DeliveryEvent):
            row = (
                account_id,
                event.provider_message_id[:80],
                event.msisdn[:16],
                event.sender[:20],
                STATES[event.state],
                str(event.reason),
                event.code[:40],
                base64.b64encode(raw).decode(),
            )
        else:  # unreadable: kept and shown, moves nothing
            row = (account_id, "", "", "", "", "", "unreadable", base64.b64encode(raw).decode())
        for column, value in zip(columns, row, strict=True):
            column.append(value)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO messaging_receiptinbox (gateway_account_id, provider_message_id, msisdn, sender, state,"
            " reason, provider_code, raw, is_inferred, received_at, tries, due_at, settled_at)"
            " SELECT v.*, false, now(), 0, now() + %s * interval '1 second', CASE WHEN v.state = '' THEN now() END"
            " FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],"
            " %s::text[]) AS v(account, provider_id, msisdn, sender, state, reason, code, raw)",
            [FIRST_LOOK_SECONDS, *columns],
        )
