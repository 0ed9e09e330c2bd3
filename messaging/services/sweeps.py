"""What time does to runs, and whatever a lost nudge left behind. Each function is one short transaction's work."""

from collections.abc import Sequence
from typing import NamedTuple

from django.conf import settings
from django.db import connection

from messaging.due import RUN_MAY_SEND

from .runs import pause_send_run

FIRST_ANSWERS = 200
REFUSED_SHARE = 0.2
FEWEST_ANSWERS = 50
SENT_STATES = ["accepted", "delivered", "undelivered", "expired", "rejected", "unknown"]


class OpenRun(NamedTuple):
    """A run that may need the sweep's hand, by its roll-ups.

    is_overdue         past its deadline
    may_have_expired   so old that messages may have passed their timers
    has_first_answers  so many answers are in that its refusals can be judged; they were not yet
    """

    run_id: int
    tenant_id: int
    state: str
    is_overdue: bool
    may_have_expired: bool
    open_count: int
    queued_count: int
    has_open_batches: bool
    has_first_answers: bool
    is_sent_out: bool

    @property
    def is_over(self) -> bool:
        return self.open_count <= 0 and not self.has_open_batches


def list_open_runs() -> list[OpenRun]:
    """Runs that were started and are not completed. One reading of their roll-ups: most need nothing further."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT r.id, r.tenant_id, r.state, r.state = 'running' AND r.deadline_at <= clock_timestamp(),
                r.started_at < now() - least(%s, r.validity_seconds + %s) * interval '1 second',
                r.message_count - coalesce(t.terminal, 0), coalesce(t.queued, 0),
                EXISTS (SELECT 1 FROM messaging_messagebatch b WHERE b.run_id = r.id AND b.state <> 'done'),
                r.state = 'running' AND NOT r.refusals_checked AND r.message_count >= %s
                    AND coalesce(t.answered, 0) >= least(r.message_count, %s),
                r.is_sent_out
            FROM messaging_sendrun r LEFT JOIN LATERAL (
                SELECT sum(entered - "left") FILTER (WHERE state NOT IN ('queued', 'accepted', 'unknown')) AS terminal,
                    sum(entered - "left") FILTER (WHERE state = 'queued') AS queued,
                    sum(entered - "left") FILTER (WHERE state = ANY(%s)) AS answered
                FROM messaging_runtally WHERE run_id = r.id) t ON true
            WHERE r.state IN ('running', 'paused', 'cancelling') ORDER BY r.id
            """,
            [
                settings.ENGINE_UNKNOWN_SECONDS,
                settings.ENGINE_EXPIRY_GRACE_SECONDS,
                FEWEST_ANSWERS,
                FIRST_ANSWERS,
                SENT_STATES,
            ],
        )
        return [OpenRun(*row) for row in cursor.fetchall()]


def mark_sent_out(runs: Sequence[OpenRun]) -> None:
    """Claims pass by runs that have no batch left, and no others: one that a deferral made meanwhile is found the next
    time."""
    wrong = [run.run_id for run in runs if run.is_sent_out == run.has_open_batches]
    if wrong:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE messaging_sendrun r SET is_sent_out = NOT is_sent_out WHERE id = ANY(%s) AND is_sent_out ="
                " EXISTS (SELECT 1 FROM messaging_messagebatch b WHERE b.run_id = r.id AND b.state <> 'done')",
                [wrong],
            )


def list_due_accounts(run_id: int | None = None) -> list[tuple[int, int]]:
    """(gateway account, slots in use) with batches that could leave now, of one run or of all."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.id, least(a.slots, a.rate_per_second)"  # noqa: S608
            " FROM gateways_gatewayaccount a WHERE a.is_active AND EXISTS ("
            "SELECT 1 FROM messaging_sendrun r JOIN messaging_messagebatch b ON b.run_id = r.id AND b.state = 'ready'"
            " AND b.gateway_account_id = a.id AND b.not_before <= clock_timestamp()"
            f" WHERE (%(run)s IS NULL OR r.id = %(run)s) AND {RUN_MAY_SEND}) ORDER BY a.id",
            {"run": run_id},
        )
        return list(cursor.fetchall())


def list_active_accounts() -> list[tuple[int, int]]:
    """(gateway account, slots in use) that should be bound, with or without work: receipts come by themselves."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, least(slots, rate_per_second) FROM gateways_gatewayaccount WHERE is_active ORDER BY id"
        )
        return list(cursor.fetchall())


def pause_refused_run(run_id: int) -> bool:
    """Pause a run whose first answers are one fifth refusals or more; looked at once, when 200 are in."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT r.tenant_id, least(r.message_count, %s),
                coalesce(sum(t.entered - t."left") FILTER (WHERE t.state = ANY(%s)), 0),
                coalesce(sum(t.entered - t."left") FILTER (WHERE t.state = 'rejected'), 0)
            FROM messaging_sendrun r LEFT JOIN messaging_runtally t ON t.run_id = r.id
            WHERE r.id = %s AND r.state = 'running' AND NOT r.refusals_checked GROUP BY r.id
            """,
            [FIRST_ANSWERS, SENT_STATES, run_id],
        )
        row = cursor.fetchone()
        if row is None or row[2] < row[1] or row[1] < FEWEST_ANSWERS:
            return False
        cursor.execute("UPDATE messaging_sendrun SET refusals_checked = true WHERE id = %s", [run_id])
    tenant_id, _, answered, refused = row
    if refused < REFUSED_SHARE * answered:
        return False
    return pause_send_run(run_id=run_id, tenant_id=tenant_id, reason="refusals")
