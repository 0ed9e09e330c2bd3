"""Receipts find their messages: in bulk, in any order, as often as it takes (R2–R6).

A receipt counts for the newest message within seven days that was sent through the same connection to the same number
under that provider id (providers reuse ids). What finds nothing waits: its answer may not be written down yet (R3), or
the answer was lost, and then the one message to that number whose fate is unknown is it (`adoption`).
"""

import logging
from collections.abc import Sequence
from typing import NamedTuple

from django.db import OperationalError, connection, transaction

from smscore.status import RANK, MessageState

from .adoption import adopt_receipts
from .arrays import int_array
from .moves import Move, move_messages
from .partitions import REFERENCES, find_recent_source
from .tallies import SHARD_RECEIPTS

log = logging.getLogger(__name__)
MATCH_LIMIT = 2000
KEEP_DAYS = 7
PARTS_DAYS = 30  # the references of a long message's parts are no further apart
FINAL = ("delivered", "undelivered")
# Often while an answer may be on its way, then ever rarer.
RETRY_SQL = """
    CASE WHEN tries < 2 THEN interval '1 second'
         WHEN received_at > now() - interval '2 minutes' THEN interval '2 seconds'
         WHEN received_at > now() - interval '1 hour' THEN interval '1 minute'
         ELSE interval '1 hour' END
"""
# Before a receipt is given to a message of unknown fate, its own answer gets this many looks to show up.
ADOPT_AFTER_TRIES = 2
HOURLY_AFTER_TRIES = 112  # about so many looks are made in the first hour, by RETRY_SQL
ADOPT_TIMEOUT = "5s"


class Due(NamedTuple):
    """A receipt to look at, beside one of the references that it may be about, newest first, or none."""

    receipt_id: int
    state: str
    reason: str
    code: str
    tries: int
    msisdn: str
    message_id: int | None
    reference_id: int | None
    of_parts: int | None


class Match(NamedTuple):
    """A receipt and the message it is about; `message_id` None if there is none (yet)."""

    receipt_id: int
    state: str
    reason: str
    code: str
    tries: int
    message_id: int | None
    reference_id: int | None
    of_parts: int | None


MATCH_SQL = """
WITH due AS (
    SELECT id, gateway_account_id, provider_message_id, msisdn, state, reason, provider_code, tries
    FROM messaging_receiptinbox WHERE settled_at IS NULL AND due_at <= now()
    ORDER BY due_at, id LIMIT %s FOR UPDATE SKIP LOCKED
)
SELECT d.id, d.state, d.reason, d.provider_code, d.tries, d.msisdn, p.message_id, p.id, p.of_parts
FROM due d LEFT JOIN LATERAL (
    SELECT r.id, r.message_id, r.of_parts, r.created_at FROM {references} r
    WHERE r.gateway_account_id = d.gateway_account_id AND r.provider_message_id = d.provider_message_id
        AND r.created_at > now() - interval '7 days' OFFSET 0
) p ON true
ORDER BY d.id, p.created_at DESC, p.id DESC
"""


def match_receipts(*, limit: int = MATCH_LIMIT) -> int:
    """Match up to `limit` due receipts and apply them; returns how many were looked at.

    Several may run side by side. In platform scope, inside the caller's transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute(MATCH_SQL.format(references=find_recent_source(REFERENCES, KEEP_DAYS)), [limit])
        dues = [Due(*row) for row in cursor.fetchall()]
    if not dues:
        return 0
    matches = _choose(dues)
    found = [m for m in matches if m.message_id is not None]
    _apply(found)
    _settle(found)
    waiting = [m for m in matches if m.message_id is None]
    adopted = _try_to_adopt([m.receipt_id for m in waiting if _may_adopt(m.tries)])
    _postpone([m.receipt_id for m in waiting if m.receipt_id not in adopted])
    return len(matches)


def _may_adopt(tries: int) -> bool:
    """More rarely than matching: after 2, 4, 8 and 16 looks and with every eighth from there, which is at most eight
    minutes; each look from then on when they may be hourly."""
    is_power = tries & (tries - 1) == 0
    return tries >= ADOPT_AFTER_TRIES and (is_power or tries % 8 == 0 or tries >= HOURLY_AFTER_TRIES)


def _try_to_adopt(receipt_ids: Sequence[int]) -> set[int]:
    """It looks through all open runs: however long that would take, what was matched stands."""
    if not receipt_ids:
        return set()
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('statement_timeout')")
            (usual,) = cursor.fetchone()
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [ADOPT_TIMEOUT])
            adopted = adopt_receipts(receipt_ids)
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [usual])
            return adopted
    except OperationalError as error:
        if connection.connection is None or connection.connection.closed:
            raise
        log.warning("engine.receipts_not_adopted", extra={"count": len(receipt_ids), "error": str(error).strip()[:300]})
        return set()


def _choose(dues: Sequence[Due]) -> list[Match]:
    """For each receipt the newest message under its id that went to its number (providers reuse ids)."""
    # By their keys, not by a join: a join would visit every month's messages.
    with connection.cursor() as cursor:
        keys = int_array(sorted({due.message_id for due in dues if due.message_id is not None and due.msisdn}))
        cursor.execute("SELECT id, msisdn FROM messaging_message WHERE id = ANY(%s::bigint[])", [keys])
        numbers = dict(cursor.fetchall())
    chosen: dict[int, Match] = {}
    for due in dues:
        is_it = due.message_id is not None and (not due.msisdn or numbers.get(due.message_id) == due.msisdn)
        if due.receipt_id not in chosen:
            chosen[due.receipt_id] = Match(due.receipt_id, due.state, due.reason, due.code, due.tries, None, None, None)
        if is_it and chosen[due.receipt_id].message_id is None:
            chosen[due.receipt_id] = Match(*due[:5], *due[6:])
    return list(chosen.values())


def _apply(matches: Sequence[Match]) -> None:
    """One move per message: of several receipts in the same round the highest rank counts."""
    news: dict[int, Match] = {}
    long_ones = [m for m in matches if (m.of_parts or 1) > 1]
    for match in [*(m for m in matches if (m.of_parts or 1) == 1), *_fold_parts(long_ones)]:
        assert match.message_id is not None
        best = news.get(match.message_id)
        if best is None or _rank(match.state) > _rank(best.state):
            news[match.message_id] = match
    move_messages(
        [Move(pk, m.state, m.reason if m.state != "delivered" else "", m.code) for pk, m in news.items()],
        usual=MessageState.ACCEPTED,
        shard=SHARD_RECEIPTS,
    )


def _rank(state: str) -> int:
    return RANK[MessageState(state)]


def _fold_parts(matches: Sequence[Match]) -> list[Match]:
    """Long messages: a part's receipt is kept at its reference; the message is delivered when all parts are, and
    undelivered when one is. One part on its way says nothing of the others (S13)."""
    final = [m for m in matches if m.state in FINAL]
    news: list[Match] = []
    if not final:
        return news
    by_message = {m.message_id: m for m in sorted(final, key=lambda m: _rank(m.state), reverse=True)}
    with connection.cursor() as cursor:
        # Two matchers, each with the receipt of one part, would each see the other's part open: one after the other.
        cursor.execute(
            "SELECT 1 FROM messaging_message WHERE id = ANY(%s) ORDER BY id FOR UPDATE",
            [sorted(pk for pk in by_message if pk is not None)],
        )
        cursor.execute(
            "UPDATE messaging_providerreference r SET state = v.state"
            " FROM (SELECT id, min(state) AS state FROM unnest(%s::bigint[], %s::text[]) AS u(id, state) GROUP BY id) v"
            " WHERE r.id = v.id AND r.id = ANY(%s) AND r.state <> 'delivered'",
            [[m.reference_id for m in final], [m.state for m in final], [m.reference_id for m in final]],
        )
        cursor.execute(
            "SELECT message_id, bool_or(state = 'undelivered'),"  # noqa: S608 - names of ours
            # A part may be known twice: adopted by its receipt, and named by an answer that came late.
            " count(DISTINCT provider_message_id) FILTER (WHERE state = 'delivered') >= max(of_parts)"
            f" FROM {find_recent_source(REFERENCES, PARTS_DAYS)} r WHERE message_id = ANY(%s) AND of_parts > 1"
            " GROUP BY message_id",
            [sorted(pk for pk in by_message if pk is not None)],
        )
        for message_id, has_failed, is_whole in cursor.fetchall():
            if is_whole:
                news.append(by_message[message_id]._replace(state="delivered", reason=""))
            elif has_failed:
                news.append(by_message[message_id]._replace(state="undelivered"))
    return news


def _settle(matches: Sequence[Match]) -> None:
    ids = [m.receipt_id for m in matches]
    if ids:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE messaging_receiptinbox i SET settled_at = now(), matched_message_id = v.message_id"
                " FROM unnest(%s::bigint[], %s::bigint[]) AS v(id, message_id)"
                " WHERE i.id = v.id AND i.id = ANY(%s::bigint[])",
                [int_array(ids), int_array(m.message_id or 0 for m in matches), int_array(ids)],
            )


def _postpone(receipt_ids: Sequence[int]) -> None:
    """Look again later; after seven days it has waited long enough (R4) and stays as it is, unmatched."""
    if receipt_ids:
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE messaging_receiptinbox SET tries = least(tries + 1, 1000), due_at = now() + {RETRY_SQL},"  # noqa: S608 - names of ours
                " settled_at = CASE WHEN received_at < now() - %s * interval '1 day' THEN now() END"
                " WHERE id = ANY(%s)",
                [KEEP_DAYS, list(receipt_ids)],
            )
