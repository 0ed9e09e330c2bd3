"""Runs that should be sending and are not, and why."""

from typing import NamedTuple

from django.db import connection

from messaging.due import DATABASE_IN_DOUBT, IN_MAINTENANCE, RUN_IS_DUE, TENANT_IS_OPEN
from messaging.models import SendRun
from messaging.scope import engine_scope

STALL_SECONDS = 60
MEANT = frozenset({"tenant_closed"})
"""Nothing to name in the log or to ring for: somebody wants it so."""
OWN_PAUSES = frozenset({"", "user", "checked"})


class Stall(NamedTuple):
    """Why nothing leaves. `reason`:

    tenant_closed  the customer's account is closed
    database_in_doubt  it was restored, or is another one: staff have to confirm it (`manage.py confirm_database`)
    account_off    the connection is switched off
    maintenance    the connection's maintenance window is open
    no_worker      no sender worker holds a slot of it
    link_held      the operator asks us to wait for longer than a moment
    link_down, link_connecting   the operator cannot be reached; `code` is what the last try said
    link_refused   the operator refuses the login (`code`); it is tried again
    link_stopped   refused too often (`code`): somebody has to correct the connection
    resting        its circuit breaker is open (`code`: breaker.Cause), and no other connection could take over
    no_answers     the link is up, and no answer comes
    paused         the system paused it; `code` is the run's pause reason
    """

    reason: str
    code: str = ""


class StalledRun(NamedTuple):
    run_id: int
    tenant_id: int
    stall: Stall


# What moved lately is read once, whatever the number of runs that wait. A connection with one good link is not without:
# the best of its live slots speaks for it.
_SQL = f"""
WITH waiting AS MATERIALIZED (
    SELECT r.id, r.tenant_id, {TENANT_IS_OPEN} AS is_open, b.gateway_account_id
    FROM messaging_sendrun r JOIN LATERAL (
        SELECT gateway_account_id FROM messaging_messagebatch WHERE run_id = r.id AND state <> 'done'
        AND intent_upto < message_count AND not_before <= clock_timestamp() - %(stall)s * interval '1 second'
        ORDER BY id LIMIT 1) b ON true
    WHERE {RUN_IS_DUE} AND (%(run)s IS NULL OR r.id = %(run)s)
    AND r.state_changed_at <= clock_timestamp() - %(stall)s * interval '1 second'
), moved_runs AS MATERIALIZED (
    SELECT DISTINCT o.id FROM messaging_sendrun o
    JOIN messaging_runtally t ON t.run_id = o.id AND t.state NOT IN ('queued', 'cancelled')
    WHERE o.state IN ('running', 'paused', 'cancelling')
    AND t.minute > clock_timestamp() - %(stall)s * interval '1 second' - interval '1 minute'
), moved AS MATERIALIZED (
    SELECT DISTINCT b.gateway_account_id FROM moved_runs o JOIN messaging_messagebatch b ON b.run_id = o.id
)
SELECT w.id, w.tenant_id, w.is_open, a.is_active, {IN_MAINTENANCE}, s.link_state, s.link_code,
    h.state = 'open', h.cause, {DATABASE_IN_DOUBT}
FROM waiting w JOIN gateways_gatewayaccount a ON a.id = w.gateway_account_id
LEFT JOIN gateways_accounthealth h ON h.gateway_account_id = a.id
LEFT JOIN LATERAL (
    SELECT link_state, link_code FROM messaging_dispatchersession
    WHERE gateway_account_id = a.id AND state = 'live' AND lease_until > clock_timestamp()
    ORDER BY array_position(ARRAY['up', '', 'held', 'connecting', 'down', 'refused', 'stopped'], link_state::text)
    LIMIT 1) s ON true
WHERE NOT w.is_open OR w.gateway_account_id NOT IN (SELECT gateway_account_id FROM moved)
ORDER BY w.id
"""  # noqa: S608 - constants only


def list_stalled_runs(run_id: int | None = None) -> list[StalledRun]:
    """Runs with messages due for STALL_SECONDS of which none has moved, nor any other on the same connection (W3).

    In platform scope. Roll-ups are by the minute, so a stall is seen up to a minute later.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SQL, {"stall": STALL_SECONDS, "run": run_id})
        return [StalledRun(row[0], row[1], _explain(*row[2:])) for row in cursor.fetchall()]


def _explain(
    is_tenant_open: bool,
    is_active: bool,
    is_in_maintenance: bool,
    link_state: str | None,
    code: str | None,
    is_resting: bool | None,
    cause: str | None,
    is_in_doubt: bool,
) -> Stall:
    if not is_tenant_open:
        return Stall("tenant_closed")
    if is_in_doubt:
        return Stall("database_in_doubt")
    if not is_active:
        return Stall("account_off")
    if is_in_maintenance:
        return Stall("maintenance")
    if link_state is None:
        return Stall("no_worker")
    if link_state in ("up", ""):
        return Stall("resting", cause or "") if is_resting else Stall("no_answers")
    return Stall(f"link_{link_state}", code or "")


def find_stall(run: SendRun) -> Stall | None:
    """Why this run stands still although it should not; None while it moves, waits for its turn, its hours or its user.

    The run as the caller may see it; looks at connections and slots, which belong to the platform, by itself.
    """
    if run.state == SendRun.State.PAUSED:
        return None if run.pause_reason in OWN_PAUSES else Stall("paused", run.pause_reason)
    if run.state != SendRun.State.RUNNING:
        return None
    with engine_scope(reason="why a run stands still"):
        return next((stalled.stall for stalled in list_stalled_runs(run.pk)), None)
