"""The lease of a sender slot: who may declare intent, by the database's clock."""

from collections.abc import Sequence, Set
from typing import NamedTuple

from django.conf import settings
from django.db import connection

from messaging.months import ids_beside
from smscore.status import MessageState

from .moves import Move, move_messages
from .partitions import MESSAGES, find_source
from .tallies import SHARD_SWEEPS

REASON_SENDER_LOST = "sender_lost"


def open_session(*, gateway_account_id: int, slot: int, worker: str) -> int | None:
    """Take the slot; None if a live session has it. An expired one is ended first (its sweep may be late)."""
    end_dead_sessions(gateway_account_id=gateway_account_id, slot=slot)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO messaging_dispatchersession"
            " (tenant_id, gateway_account_id, slot, worker, state, lease_until, started_at)"
            " SELECT a.tenant_id, a.id, %s, %s, 'live', clock_timestamp() + %s * interval '1 second', now()"
            " FROM gateways_gatewayaccount a WHERE a.id = %s AND a.is_active"
            " ON CONFLICT (gateway_account_id, slot) WHERE state = 'live' DO NOTHING RETURNING id",
            [slot, worker, settings.ENGINE_LEASE_SECONDS, gateway_account_id],
        )
        row = cursor.fetchone()
    return int(row[0]) if row else None


class Renewal(NamedTuple):
    """Of some sessions; those in neither are held and locked, by a claim under way for instance."""

    renewed: Set[int]
    lost: Set[int]


def renew_sessions(session_ids: Sequence[int], wait_seconds: float = 0.0) -> Renewal:
    """Extend leases. One that ran out is lost, even if nobody took it yet.

    `wait_seconds` is for locks; without it what is locked is left out, so that it keeps no other from being renewed.
    """
    ids = sorted(session_ids)
    with connection.cursor() as cursor:
        if wait_seconds:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{wait_seconds * 1000:.0f}ms"])
        cursor.execute(
            "UPDATE messaging_dispatchersession SET lease_until = clock_timestamp() + %s * interval '1 second'"  # noqa: S608
            " WHERE id IN (SELECT id FROM messaging_dispatchersession WHERE id = ANY(%s)"
            f" ORDER BY id FOR NO KEY UPDATE {'' if wait_seconds else 'SKIP LOCKED'})"
            " AND state = 'live' AND lease_until > clock_timestamp() RETURNING id",
            [settings.ENGINE_LEASE_SECONDS, ids],
        )
        renewed = {int(row[0]) for row in cursor.fetchall()}
        cursor.execute(
            "SELECT id FROM messaging_dispatchersession"
            " WHERE id = ANY(%s) AND state = 'live' AND lease_until > clock_timestamp()",
            [ids],
        )
        return Renewal(renewed, set(ids) - {int(row[0]) for row in cursor.fetchall()})


def record_link(session_id: int, link_state: str, code: str) -> bool:
    """What the slot's link is doing, for people who ask why nothing moves. False if the session is locked for now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH free AS (SELECT id FROM messaging_dispatchersession WHERE id = %s FOR NO KEY UPDATE SKIP LOCKED),"
            " told AS (UPDATE messaging_dispatchersession s SET link_state = %s, link_code = %s"
            " FROM free WHERE s.id = free.id AND s.state = 'live')"
            " SELECT count(*) FROM free",
            [session_id, link_state, code[:40]],
        )
        return bool(cursor.fetchone()[0])


def find_session_worker(gateway_account_id: int, slot: int) -> str:
    """Name of the worker that holds the slot now, "" if nobody does."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT worker FROM messaging_dispatchersession WHERE gateway_account_id = %s AND slot = %s"
            " AND state = 'live' AND lease_until > clock_timestamp()",
            [gateway_account_id, slot],
        )
        row = cursor.fetchone()
    return str(row[0]) if row else ""


def close_session(session_id: int) -> bool:
    """The slot's owner leaves in order. False if it had been declared dead."""
    return _end_session(session_id, "closed")


def end_dead_sessions(*, gateway_account_id: int | None = None, slot: int | None = None) -> int:
    """Declare expired sessions dead and hand their batches back (W3); returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM messaging_dispatchersession WHERE state = 'live' AND lease_until <= clock_timestamp()"
            " AND (%(account)s IS NULL OR gateway_account_id = %(account)s) AND (%(slot)s IS NULL OR slot = %(slot)s)"
            " ORDER BY id",
            {"account": gateway_account_id, "slot": slot},
        )
        ids = [row[0] for row in cursor.fetchall()]
    return sum(_end_session(pk, "dead") for pk in ids)


def end_session_of_dead_worker(*, gateway_account_id: int, slot: int, worker: str) -> bool:
    """For a caller that has proof that this worker is gone: no need to wait for the end of its lease. Another worker
    that has the slot by now keeps it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_dispatchersession SET lease_until = clock_timestamp()"
            " WHERE gateway_account_id = %s AND slot = %s AND worker = %s AND state = 'live' RETURNING id",
            [gateway_account_id, slot, worker],
        )
        row = cursor.fetchone()
    return row is not None and _end_session(row[0], "dead")


def _end_session(session_id: int, state: str) -> bool:
    """Conditional, so that owner and sweep cannot both do it. In the caller's transaction.

    Claims hold the session's row shared until they commit, so the update waits for them, and what they leased is seen.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_dispatchersession SET state = %s, ended_at = now()"
            " WHERE id = %s AND state = 'live' AND (%s OR lease_until <= clock_timestamp()) RETURNING id",
            [state, session_id, state == "closed"],
        )
        if cursor.fetchone() is None:
            return False
    _take_leases_back([session_id])
    return True


def take_orphans_back() -> int:
    """Batches leased to a session that is over, whatever left them behind (none are expected); returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT b.session_id FROM messaging_messagebatch b WHERE b.state = 'leased' AND NOT EXISTS"
            " (SELECT 1 FROM messaging_dispatchersession s WHERE s.id = b.session_id AND s.state = 'live')"
        )
        session_ids = [row[0] for row in cursor.fetchall()]
    return _take_leases_back(session_ids) if session_ids else 0


def _take_leases_back(session_ids: Sequence[int]) -> int:
    """Of ended sessions. What is below a batch's mark without an answer may be on the wire: unknown, never repeated.
    What is at or above the mark is certainly not: the batch is ready again from its mark."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM messaging_messagebatch WHERE session_id = ANY(%s) AND state = 'leased'"
            " ORDER BY id FOR UPDATE",
            [list(session_ids)],
        )
        batch_ids = [row[0] for row in cursor.fetchall()]
        move_unanswered_to_unknown(batch_ids)
        cursor.execute(
            "UPDATE messaging_messagebatch SET session_id = NULL,"
            " state = CASE WHEN intent_upto >= message_count THEN 'done' ELSE 'ready' END WHERE id = ANY(%s)",
            [batch_ids],
        )
    return len(batch_ids)


def move_unanswered_to_unknown(batch_ids: Sequence[int], *, reason: str = REASON_SENDER_LOST) -> int:
    """Messages below their batch's mark that still wait for an answer nobody will bring. Batches are locked."""
    if not batch_ids:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT m.id FROM messaging_messagebatch b JOIN {find_source(MESSAGES, ids_beside(batch_ids))} m"  # noqa: S608 - names of ours
            " ON m.batch_id = b.id AND m.position < b.intent_upto WHERE b.id = ANY(%s) AND m.state = 'queued'",
            [list(batch_ids)],
        )
        moves = [Move(row[0], "unknown", reason) for row in cursor.fetchall()]
    return move_messages(moves, usual=MessageState.SUBMITTING, shard=SHARD_SWEEPS).moved
