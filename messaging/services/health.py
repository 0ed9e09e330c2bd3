"""Figures of connections for people (gateways.models.health): from sender slots, and from a sweep."""

from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection

from gateways.models.health import SWEEP_SLOT

BUCKET_SECONDS = 300
RECEIPT_SAMPLE = 1000
_BUCKET = f"date_bin('{BUCKET_SECONDS} seconds', clock_timestamp(), 'epoch')"


class PulseFigures(NamedTuple):
    """What one slot counted since it last told: answers by kind, sampled times to an answer, events that came."""

    accepted: int = 0
    rejected: int = 0
    deferred: int = 0
    not_sent: int = 0
    unknown: int = 0
    answer_ms_sum: int = 0
    answer_ms_most: int = 0
    answer_samples: int = 0
    events: int = 0


class SlotPulse(NamedTuple):
    gateway_account_id: int
    slot: int
    link_state: str
    code: str
    figures: PulseFigures


def record_pulses(pulses: Sequence[SlotPulse]) -> None:
    """Add to the figures of these five minutes and keep each link's last word. In the caller's transaction."""
    _record_figures([pulse for pulse in pulses if any(pulse.figures)])
    _record_links(pulses)


def _record_figures(pulses: Sequence[SlotPulse]) -> None:
    if not pulses:
        return
    columns = [[p.gateway_account_id for p in pulses], [p.slot for p in pulses]]
    columns += [[p.figures[i] for p in pulses] for i in range(len(PulseFigures._fields))]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO gateways_connectionfigures AS f (tenant_id, gateway_account_id, bucket, slot, accepted_count,
                rejected_count, deferred_count, not_sent_count, unknown_count, answer_ms_sum, answer_ms_most,
                answer_samples, receipt_seconds_sum, receipt_samples, last_receipt_at, waiting_count)
            SELECT a.tenant_id, v.account, {_BUCKET}, v.slot, v.accepted, v.rejected, v.deferred, v.not_sent, v.unknown,
                v.ms, v.most, v.samples, 0, 0, CASE WHEN v.events > 0 THEN clock_timestamp() END, 0
            FROM unnest(%s::bigint[], %s::int[], %s::int[], %s::int[], %s::int[], %s::int[], %s::int[], %s::bigint[],
                %s::int[], %s::int[], %s::int[]) AS v(account, slot, accepted, rejected, deferred, not_sent, unknown,
                ms, most, samples, events)
            JOIN gateways_gatewayaccount a ON a.id = v.account
            ON CONFLICT (gateway_account_id, bucket, slot) DO UPDATE SET
                accepted_count = f.accepted_count + excluded.accepted_count,
                rejected_count = f.rejected_count + excluded.rejected_count,
                deferred_count = f.deferred_count + excluded.deferred_count,
                not_sent_count = f.not_sent_count + excluded.not_sent_count,
                unknown_count = f.unknown_count + excluded.unknown_count,
                answer_ms_sum = f.answer_ms_sum + excluded.answer_ms_sum,
                answer_ms_most = greatest(f.answer_ms_most, excluded.answer_ms_most),
                answer_samples = f.answer_samples + excluded.answer_samples,
                last_receipt_at = greatest(f.last_receipt_at, excluded.last_receipt_at)
            """,  # noqa: S608 - constants only
            columns,
        )


def _record_links(pulses: Sequence[SlotPulse]) -> None:
    if not pulses:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO gateways_linkstatus AS l (tenant_id, gateway_account_id, slot, state, code, since_at, seen_at)
            SELECT a.tenant_id, v.account, v.slot, v.state, v.code, clock_timestamp(), clock_timestamp()
            FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::text[]) AS v(account, slot, state, code)
            JOIN gateways_gatewayaccount a ON a.id = v.account
            ON CONFLICT (gateway_account_id, slot) DO UPDATE SET state = excluded.state, code = excluded.code,
                since_at = CASE WHEN l.state = excluded.state THEN l.since_at ELSE excluded.since_at END,
                seen_at = excluded.seen_at
            """,
            [
                [p.gateway_account_id for p in pulses],
                [p.slot for p in pulses],
                [p.link_state for p in pulses],
                [p.code[:80] for p in pulses],
            ],
        )


def record_queues() -> None:
    """What waits for each connection, and how long delivery reports take (of the newest ones). Platform scope."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH queue AS (
                SELECT b.gateway_account_id AS account, sum(b.message_count - b.intent_upto) AS waiting
                FROM messaging_sendrun r JOIN messaging_messagebatch b ON b.run_id = r.id AND b.state <> 'done'
                WHERE r.state IN ('running', 'paused') GROUP BY 1
            ), newest AS (
                SELECT gateway_account_id, matched_message_id, received_at FROM messaging_receiptinbox
                ORDER BY id DESC LIMIT %(sample)s
            ), receipts AS (
                SELECT n.gateway_account_id AS account, count(m.id) AS samples, max(n.received_at) AS last_at,
                    coalesce(sum(greatest(0, extract(epoch FROM n.received_at - m.accepted_at)))::bigint, 0) AS seconds
                FROM newest n JOIN messaging_message m ON m.id = n.matched_message_id AND m.accepted_at IS NOT NULL
                WHERE n.received_at > clock_timestamp() - %(seconds)s * interval '1 second' GROUP BY 1
            )
            INSERT INTO gateways_connectionfigures AS f (tenant_id, gateway_account_id, bucket, slot, accepted_count,
                rejected_count, deferred_count, not_sent_count, unknown_count, answer_ms_sum, answer_ms_most,
                answer_samples, receipt_seconds_sum, receipt_samples, last_receipt_at, waiting_count)
            SELECT a.tenant_id, a.id, {_BUCKET}, %(slot)s, 0, 0, 0, 0, 0, 0, 0, 0, coalesce(r.seconds, 0),
                coalesce(r.samples, 0), r.last_at, coalesce(q.waiting, 0)
            FROM gateways_gatewayaccount a
                LEFT JOIN queue q ON q.account = a.id LEFT JOIN receipts r ON r.account = a.id
            WHERE a.is_active OR q.waiting > 0
            ON CONFLICT (gateway_account_id, bucket, slot) DO UPDATE SET
                waiting_count = excluded.waiting_count,
                receipt_seconds_sum = CASE WHEN excluded.receipt_samples > 0 THEN excluded.receipt_seconds_sum
                    ELSE f.receipt_seconds_sum END,
                receipt_samples = CASE WHEN excluded.receipt_samples > 0 THEN excluded.receipt_samples
                    ELSE f.receipt_samples END,
                last_receipt_at = greatest(f.last_receipt_at, excluded.last_receipt_at)
            """,  # noqa: S608 - constants only
            {"sample": RECEIPT_SAMPLE, "seconds": BUCKET_SECONDS, "slot": SWEEP_SLOT},
        )


def count_waiting_messages(gateway_account_id: int) -> int:
    """Messages that were not written yet, and those whose end is not known: their receipts need the connection."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(b.message_count), 0) FROM messaging_messagebatch b JOIN messaging_sendrun r"
            " ON r.id = b.run_id WHERE b.gateway_account_id = %s AND r.state NOT IN ('completed', 'discarded')",
            [gateway_account_id],
        )
        return int(cursor.fetchone()[0])


def forget_old_figures(*, days: int = 90) -> int:
    """Nobody looks at five minutes of last season."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM gateways_connectionfigures WHERE bucket < clock_timestamp() - %s * interval '1 day'", [days]
        )
        return int(cursor.rowcount)
