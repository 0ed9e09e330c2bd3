"""The end of a run: cancelled rest, deadline, expiry, and `completed` when every message's story is over."""

from django.conf import settings
from django.db import connection

from messaging.months import ids_beside
from smscore.status import TERMINAL_STATES, MessageState

from .moves import Move, move_messages
from .partitions import MESSAGES, find_source, partition_name
from .sessions import move_unanswered_to_unknown
from .tallies import SHARD_SWEEPS

REASON_DEADLINE = "deadline"
REASON_NO_RECEIPT = "no_receipt"
CHUNK = 5000


def cancel_unsent(run_id: int) -> int:
    """Cancelled runs: what no slot has declared intent for becomes cancelled; returns how many messages."""
    return _withdraw_unsent(run_id, "cancelling", "cancelled", "")


def fail_overdue(run_id: int) -> int:
    """Runs past their deadline: what was never taken becomes failed (S5); returns how many messages."""
    return _withdraw_unsent(run_id, "running", "failed", REASON_DEADLINE)


def _withdraw_unsent(run_id: int, run_state: str, state: str, reason: str) -> int:
    """Batches nobody leases; a leased one comes back as soon as its slot's next intent is refused."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT b.id, b.intent_upto FROM messaging_messagebatch b JOIN messaging_sendrun r ON r.id = b.run_id"
            " WHERE b.run_id = %s AND b.state = 'ready' AND r.state = %s"
            " AND (r.state = 'cancelling' OR r.deadline_at <= clock_timestamp())"
            " ORDER BY b.id LIMIT 20 FOR UPDATE OF b SKIP LOCKED",
            [run_id, run_state],
        )
        ids = [row[0] for row in cursor.fetchall()]
        if not ids:
            return 0
        cursor.execute(
            "SELECT m.id FROM messaging_messagebatch b"  # noqa: S608 - names of ours
            f" JOIN {find_source(MESSAGES, ids_beside(ids))} m ON m.batch_id = b.id AND m.position >= b.intent_upto"
            " WHERE b.id = ANY(%s) AND m.state = 'queued'",
            [ids],
        )
        moves = [Move(row[0], state, reason) for row in cursor.fetchall()]
        moved = move_messages(moves, usual=MessageState.QUEUED, shard=SHARD_SWEEPS).moved
        cursor.execute("UPDATE messaging_messagebatch SET state = 'done' WHERE id = ANY(%s)", [ids])
    return moved


def expire_messages(run_id: int) -> int:
    """S5: accepted without a final receipt becomes expired, unknown without evidence unconfirmed.

    In no order: asked for the first ones by their key, PostgreSQL may walk through the whole month to find them.
    """
    messages = _messages_of(run_id)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT m.id, m.state FROM {messages} m JOIN messaging_sendrun r ON r.id = m.run_id"  # noqa: S608 - names of ours
            " WHERE m.run_id = %s AND (m.state = 'unknown' AND m.submitted_at < now() - %s * interval '1 second'"
            " OR m.state = 'accepted' AND m.accepted_at < now() - (r.validity_seconds + %s) * interval '1 second')"
            " LIMIT %s",
            [run_id, settings.ENGINE_UNKNOWN_SECONDS, settings.ENGINE_EXPIRY_GRACE_SECONDS, CHUNK],
        )
        rows = cursor.fetchall()
    unknown = [Move(pk, "unconfirmed", REASON_NO_RECEIPT) for pk, state in rows if state == "unknown"]
    accepted = [Move(pk, "expired", REASON_NO_RECEIPT) for pk, state in rows if state == "accepted"]
    moved = move_messages(unknown, usual=MessageState.UNKNOWN, shard=SHARD_SWEEPS).moved
    return moved + move_messages(accepted, usual=MessageState.ACCEPTED, shard=SHARD_SWEEPS).moved


def _messages_of(run_id: int) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT month FROM messaging_sendrun WHERE id = %s", [run_id])
        (month,) = cursor.fetchone()
    return partition_name(MESSAGES, month)


def heal_forgotten(run_id: int) -> int:
    """Queued messages of batches that are done: nobody would ever send or answer them. None are expected; whatever
    left them behind, below the mark they may be on the wire, so they become unknown and are never repeated."""
    messages = _messages_of(run_id)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM messaging_messagebatch b WHERE run_id = %s AND state = 'done' AND EXISTS"  # noqa: S608 - names of ours
            f" (SELECT 1 FROM {messages} m WHERE m.batch_id = b.id AND m.state = 'queued')"
            " ORDER BY id FOR UPDATE",
            [run_id],
        )
        ids = [row[0] for row in cursor.fetchall()]
        cursor.execute("UPDATE messaging_messagebatch SET intent_upto = message_count WHERE id = ANY(%s)", [ids])
    return move_unanswered_to_unknown(ids) if ids else 0


def complete_run(run_id: int) -> bool:
    """Move a run to completed if all its messages are terminal and as many as were frozen at its start (S4)."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE messaging_sendrun r SET state = 'completed', completed_at = now(), state_changed_at = now()
            WHERE r.id = %s AND r.state IN ('running', 'paused', 'cancelling') AND r.message_count = (
                SELECT coalesce(sum(t.entered - t."left"), 0) FROM messaging_runtally t
                WHERE t.run_id = r.id AND t.state = ANY(%s))
            AND NOT EXISTS (SELECT 1 FROM messaging_messagebatch b WHERE b.run_id = r.id AND b.state <> 'done')
            """,
            [run_id, [str(state) for state in TERMINAL_STATES]],
        )
        return bool(cursor.rowcount == 1)
