"""Receipts whose answer was lost: the id is new to us, but the number is not (reliability.md, section 5).

Where the provider tells our own name of the message with its receipt, it is that message or none; else it is the one
message to that number that is in doubt.
"""

from collections.abc import Sequence
from functools import cache

from django.db import connection

from gateways.models import GatewayAccount
from gateways.registry import get_gateway_class, list_slugs
from messaging.months import ids_of_months

from .arrays import int_array
from .moves import NO_ID
from .partitions import MESSAGES, REFERENCES, find_recent_source, find_source

PARTS_DAYS = 30
Pair = tuple[int, int]  # receipt, message
# The months of the runs that may be meant: every month's messages would be looked through for nothing.
MONTHS_SQL = """
SELECT min(month), max(month) FROM messaging_sendrun WHERE state IN ('running', 'paused', 'cancelling')
"""
NAMED_SQL = "SELECT id, token FROM messaging_receiptinbox WHERE id = ANY(%s) AND token IS NOT NULL"
# Its run may be over: what was given up as unconfirmed may still be told delivered for seven days (R6).
BY_NAME_SQL = """
SELECT i.id, m.id FROM messaging_receiptinbox i
JOIN messaging_message m ON m.id = i.token AND m.id = ANY(%(tokens)s::bigint[]) AND m.msisdn = i.msisdn
    AND m.state IN ('unknown', 'accepted', 'unconfirmed')
JOIN messaging_messagebatch b ON b.id = m.batch_id AND b.gateway_account_id = i.gateway_account_id
WHERE i.id = ANY(%(receipts)s) AND i.provider_message_id <> ''
"""
# The only message to that number through that connection under that sender that a receipt may still come for, and its
# fate is unknown, or it was accepted without an id. One in the air, whose answer is not written down yet, may be meant
# as well: it is no candidate, but keeps the others from being one. Such messages keep their run open, so only open runs
# are looked through, by (run, number).
BY_NUMBER_SQL = """
SELECT receipt_id, message_id FROM (
    SELECT i.id AS receipt_id, m.id AS message_id, m.state, count(*) OVER (PARTITION BY i.id) AS open_count
    FROM messaging_receiptinbox i
    JOIN messaging_sendrun r ON r.state IN ('running', 'paused', 'cancelling')
        AND (i.sender = '' OR r.sender = i.sender)
    JOIN {messages} m ON m.run_id = r.id AND m.msisdn = i.msisdn AND m.state IN ('unknown', 'accepted', 'queued')
    JOIN messaging_messagebatch b ON b.id = m.batch_id AND b.gateway_account_id = i.gateway_account_id
        AND (m.state <> 'queued' OR (b.state = 'leased' AND m.position < b.intent_upto))
    WHERE i.id = ANY(%s) AND i.token IS NULL AND i.msisdn <> '' AND i.provider_message_id <> ''
) c WHERE open_count = 1 AND state <> 'queued'
"""
SENT_SQL = """
SELECT m.id, m.text, m.encoding, b.gateway_account_id FROM messaging_message m
JOIN messaging_messagebatch b ON b.id = m.batch_id WHERE m.id = ANY(%s::bigint[])
"""
# Matchers work side by side. Two of them with the receipts of one message would each count its parts without the
# other's: one has it, the other looks again. (It does not wait: messages of its own are locked already.)
LOCK_SQL = "SELECT id FROM messaging_message WHERE id = ANY(%s::bigint[]) ORDER BY id FOR UPDATE SKIP LOCKED"
ADOPT_SQL = """
WITH candidates AS (
    SELECT i.id AS receipt_id, i.gateway_account_id, i.provider_message_id, m.id AS message_id, m.tenant_id,
        m.state, m.provider_code, min(i.id) OVER (PARTITION BY m.id, i.provider_message_id) AS first_told,
        v.parts,
        (SELECT count(*) FROM {references} p WHERE p.message_id = m.id AND p.of_parts > 1) AS known
    FROM unnest(%(receipts)s::bigint[], %(messages)s::bigint[], %(parts)s::bigint[]) AS v(receipt_id, message_id, parts)
    JOIN messaging_receiptinbox i ON i.id = v.receipt_id AND i.id = ANY(%(receipts)s::bigint[])
    JOIN messaging_message m ON m.id = v.message_id AND m.id = ANY(%(messages)s::bigint[])
    -- Another matcher may have given it this id since: the next look finds it.
    WHERE NOT EXISTS (SELECT 1 FROM {references} p WHERE p.gateway_account_id = i.gateway_account_id
        AND p.provider_message_id = i.provider_message_id AND p.message_id = m.id)
), adopted AS (
    -- Several receipts may tell of one part (on its way, then delivered; doubled): an id is one part.
    SELECT c.*, dense_rank() OVER (PARTITION BY c.message_id ORDER BY c.first_told) AS turn
    FROM candidates c
    WHERE c.state IN ('unknown', 'unconfirmed') OR (c.state = 'accepted' AND (c.provider_code = %(no_id)s
        -- A part's receipt has told that it was taken; the ids of the other parts are still not known.
        OR c.parts > (SELECT count(*) FROM {references} p
            WHERE p.message_id = c.message_id AND p.of_parts > 1 AND p.of_parts = c.parts HAVING count(*) > 0)))
), referenced AS (
    INSERT INTO messaging_providerreference
        (gateway_account_id, provider_message_id, message_id, part, of_parts, state, tenant_id, created_at)
    SELECT DISTINCT ON (message_id, turn)
        gateway_account_id, provider_message_id, message_id, least(known + turn, parts), parts, '', tenant_id, now()
    FROM adopted WHERE known + turn <= parts
    RETURNING message_id
)
UPDATE messaging_receiptinbox i SET is_inferred = true, due_at = now()
FROM adopted a
WHERE i.id = a.receipt_id AND i.id = ANY(%(receipts)s::bigint[])
    AND a.known + a.turn <= a.parts AND a.message_id IN (SELECT message_id FROM referenced)
RETURNING i.id
"""


def adopt_receipts(receipt_ids: Sequence[int]) -> set[int]:
    """Give waiting receipts the one message they can be about; returns those that found one.

    Their ids become references of it, so that the next round of matching applies them, and later receipts for the
    same id find the way by themselves.
    """
    ids = sorted(receipt_ids)
    pairs = _lock([*_find_by_name(ids), *_find_by_number(ids)]) if ids else []
    if not pairs:
        return set()
    parts = _count_parts(sorted({message_id for _, message_id in pairs}))
    with connection.cursor() as cursor:
        cursor.execute(
            ADOPT_SQL.format(references=find_recent_source(REFERENCES, PARTS_DAYS)),
            {
                "receipts": int_array(receipt_id for receipt_id, _ in pairs),
                "messages": int_array(message_id for _, message_id in pairs),
                "parts": int_array(parts[message_id] for _, message_id in pairs),
                "no_id": NO_ID,
            },
        )
        return {int(row[0]) for row in cursor.fetchall()}


def _find_by_name(receipt_ids: list[int]) -> list[Pair]:
    with connection.cursor() as cursor:
        cursor.execute(NAMED_SQL, [receipt_ids])
        named = dict(cursor.fetchall())
        if not named:
            return []
        cursor.execute(BY_NAME_SQL, {"receipts": sorted(named), "tokens": int_array(sorted(set(named.values())))})
        return list(cursor.fetchall())


def _find_by_number(receipt_ids: list[int]) -> list[Pair]:
    with connection.cursor() as cursor:
        cursor.execute(MONTHS_SQL)
        months = cursor.fetchone()
        if months is None or months[0] is None:
            return []
        messages = find_source(MESSAGES, ids_of_months(*months))
        cursor.execute(BY_NUMBER_SQL.format(messages=messages), [receipt_ids])
        return list(cursor.fetchall())


def _lock(pairs: Sequence[Pair]) -> list[Pair]:
    with connection.cursor() as cursor:
        cursor.execute(LOCK_SQL, [int_array(sorted({message_id for _, message_id in pairs}))])
        locked = {row[0] for row in cursor.fetchall()}
    return [pair for pair in pairs if pair[1] in locked]


def _count_parts(message_ids: list[int]) -> dict[int, int]:
    """Message → how many ids its receipts may name: the pieces in which it travels, whatever is billed for it."""
    with connection.cursor() as cursor:
        cursor.execute(SENT_SQL, [message_ids])
        rows = cursor.fetchall()
    accounts = GatewayAccount.objects.filter(adapter__in=_list_counting_parts()).in_bulk({row[3] for row in rows})
    return {
        pk: max(1, accounts[account_id].count_sent_parts(text, encoding)) if account_id in accounts else 1
        for pk, text, encoding, account_id in rows
    }


@cache
def _list_counting_parts() -> list[str]:
    """Adapters whose provider sends a receipt for every part of a long message; the others send one a message."""
    return [slug for slug in list_slugs() if get_gateway_class(slug).capabilities.receipts_per_part]
