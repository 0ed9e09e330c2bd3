"""After a restore or a fail-over nothing is sent until somebody has said what is missing (W4, `docs/adr/0009`).

The fence is in the statements that claim and declare intent (`messaging.due.DATABASE_IN_DOUBT`): no process has to
notice anything for them to return nothing. What is here keeps the row that they ask.
"""

from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from accounts.models import User
from accounts.services import record_audit
from messaging.due import SYSTEM_IDENTIFIER, TIMELINE
from messaging.models import DatabaseIdentity
from messaging.months import MONTH_ROOM
from messaging.selectors.doubt import OPEN_STATES, Doubt, find_doubt, read_identity

from .sessions import move_unanswered_to_unknown

REASON_RESTORED = "restored"
CHUNK = 20
IDS = 100_000_000  # more than an hour of traffic; the numbers go to a hundred times as many and begin anew


class NotInDoubt(RuntimeError):
    """Senders go by this database already."""


class Confirmation(NamedTuple):
    """What was done: messages that may have been sent, now `unknown`, of how many runs."""

    messages: int
    runs: int


def recognise_database() -> Doubt | None:
    """None if senders may go by this database. A database that was never asked before confirms itself; a doubt is
    written down with its time. In platform scope, in the caller's transaction."""
    identity = read_identity()
    if identity.confirmed is None:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO messaging_databaseidentity (id, system_identifier, timeline, confirmed_at)"  # noqa: S608
                f" VALUES (1, {SYSTEM_IDENTIFIER}, {TIMELINE}, clock_timestamp()) ON CONFLICT DO NOTHING"
            )
        return None
    doubt = identity.doubt
    if doubt is None or doubt.since is not None:
        return doubt
    _write_doubt(str(doubt.found))
    return find_doubt()


def _write_doubt(found: str) -> None:
    """Two at once write it once: the later one would put runs at stake that began in between."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_databaseidentity SET doubted_at = clock_timestamp(), doubted_cluster = %s"
            " WHERE doubted_at IS NULL OR doubted_cluster <> %s",
            [found, found],
        )


def doubt_database(*, actor: User) -> None:
    """Somebody says that the data were put back in a way that leaves no trace (a copied folder, a snapshot of the
    disk): nothing is sent until it is confirmed. Harmless if it is in doubt already."""
    recognise_database()
    _write_doubt(str(read_identity().found))
    _record("database.doubted", actor)


def confirm_database(*, actor: User, since: datetime | None) -> Confirmation:
    """Let senders go by this database from now on. In one transaction, the caller's, in platform scope.

    since  from when on history may be missing. Every message that is queued in a run that had begun before the doubt
           may have been sent in that time: it becomes `unknown` and is never sent again. None: nothing is missing

    Raises NotInDoubt.
    """
    doubt = recognise_database()
    identity = DatabaseIdentity.objects.select_for_update().get()  # two at once: the second finds it confirmed
    if doubt is None or identity.doubted_at is None:
        raise NotInDoubt
    done = Confirmation(0, 0)
    if since is not None:
        done = _give_up_queued(identity.doubted_at)
        _pass_over_ids()
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE messaging_databaseidentity SET system_identifier = {SYSTEM_IDENTIFIER}, timeline = {TIMELINE},"  # noqa: S608
            " confirmed_at = clock_timestamp(), doubted_at = NULL, doubted_cluster = '',"
            " lost_from = %s, lost_until = %s",
            [since, identity.doubted_at if since is not None else None],
        )
    missing = since.isoformat() if since is not None else ""
    _record("database.confirmed", actor, since=missing, previous=str(doubt.confirmed), **done._asdict())
    return done


def _give_up_queued(doubted_at: datetime) -> Confirmation:
    """Marks go to the end of their batches, as if all of it had been declared: on the wire, for all that is known."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT b.id, b.run_id FROM messaging_messagebatch b JOIN messaging_sendrun r ON r.id = b.run_id"
            " WHERE b.state <> 'done' AND r.state = ANY(%s) AND r.started_at < %s ORDER BY b.id FOR UPDATE OF b",
            [OPEN_STATES, doubted_at],
        )
        batches = cursor.fetchall()
        ids, moved = [batch_id for batch_id, _ in batches], 0
        for start in range(0, len(ids), CHUNK):
            chunk = ids[start : start + CHUNK]
            cursor.execute(
                "UPDATE messaging_messagebatch SET intent_upto = message_count, state = 'done', session_id = NULL"
                " WHERE id = ANY(%s)",
                [chunk],
            )
            moved += move_unanswered_to_unknown(chunk, reason=REASON_RESTORED)
    return Confirmation(moved, len({run_id for _, run_id in batches}))


def _pass_over_ids() -> None:
    """Providers know messages by our ids: those of the messages that are gone are not given to others."""
    with connection.cursor() as cursor:
        for number in ("messaging_message_number", "messaging_messagebatch_number"):
            cursor.execute(f"SELECT setval('{number}', (nextval('{number}') + %s) %% %s + 1)", [IDS, MONTH_ROOM - 1])


def _record(action: str, actor: User, **data: Any) -> None:
    cluster = str(DatabaseIdentity.objects.get())
    record_audit(tenant=None, actor=actor, action=action, target=cluster, data=data)
