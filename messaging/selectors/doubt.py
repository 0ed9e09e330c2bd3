"""Whether this is the database that was confirmed (W4), and what is at stake while it is not. In platform scope."""

from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db import connection

from accounts.scope import platform_scope
from messaging.due import SYSTEM_IDENTIFIER, TIMELINE
from messaging.models import DatabaseIdentity

SAID, RESTORED, REPLACED = "said", "restored", "replaced"
OPEN_STATES = ["running", "paused", "cancelling"]
"""Of runs whose messages may have left in a time of which nothing is known: a paused one may have been resumed in it,
and who cancels one now does not know that."""


class Cluster(NamedTuple):
    """A history of a PostgreSQL cluster: initdb makes the identifier; a restore to a point in time and the promotion of
    a replica begin a new timeline. A crash changes neither."""

    system_identifier: int
    timeline: int

    def __str__(self) -> str:
        return f"{self.system_identifier}/{self.timeline}"


class Doubt(NamedTuple):
    """Why nothing is sent. `since` is None until the doubt about what was found is written down."""

    confirmed: Cluster
    found: Cluster
    since: datetime | None

    @property
    def cause(self) -> str:
        """said      nothing shows it: somebody says that the data were put back
        restored  a new timeline: restored to a point in time, or a replica was promoted
        replaced  another cluster: pg_upgrade, or loaded from a dump
        """
        if self.found == self.confirmed:
            return SAID
        return RESTORED if self.found.system_identifier == self.confirmed.system_identifier else REPLACED


class RunAtStake(NamedTuple):
    """A run that had begun before the doubt; `queued` messages of it may have been sent in the missing time."""

    run_id: int
    tenant: str
    state: str
    started_at: datetime
    queued: int


class Survey(NamedTuple):
    """What stands in the database. `ready_runs`: prepared and not started, or so it says; `new_runs`: started since."""

    last_activity_at: datetime | None
    runs: list[RunAtStake]
    ready_runs: int
    new_runs: int


class Identity(NamedTuple):
    """What is here, and what the row says was confirmed; None if nothing ever was."""

    found: Cluster
    confirmed: Cluster | None
    doubted_at: datetime | None
    doubted_cluster: str

    @property
    def doubt(self) -> Doubt | None:
        """None if senders may go by it. One that was never confirmed is in no doubt: nothing was sent by it."""
        if self.confirmed is None or (self.doubted_at is None and self.found == self.confirmed):
            return None
        since = self.doubted_at if self.doubted_cluster == str(self.found) else None
        return Doubt(self.confirmed, self.found, since)


def read_identity() -> Identity:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {SYSTEM_IDENTIFIER}, {TIMELINE}, i.system_identifier, i.timeline, i.doubted_at,"  # noqa: S608
            " coalesce(i.doubted_cluster, '') FROM (SELECT) here LEFT JOIN messaging_databaseidentity i ON i.id = 1"
        )
        system, timeline, confirmed_system, confirmed_timeline, *doubt = cursor.fetchone()
    confirmed = Cluster(confirmed_system, confirmed_timeline) if confirmed_system is not None else None
    return Identity(Cluster(system, timeline), confirmed, *doubt)


def find_doubt() -> Doubt | None:
    """None if senders may go by this database."""
    return read_identity().doubt


def is_history_missing(at: datetime) -> bool:
    """Whether what was done at that time may have been lost by the last restore or fail-over. In any scope."""
    with platform_scope(reason="was the database put back"):
        return DatabaseIdentity.objects.filter(lost_from__lte=at, lost_until__gte=at).exists()


def survey_doubt(since: datetime) -> Survey:
    """`since` is when the doubt was written down: what began later began in this history."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT r.id, o.name, r.state, r.started_at, t.queued
            FROM messaging_sendrun r JOIN accounts_tenant o ON o.id = r.tenant_id
            JOIN LATERAL (SELECT sum(entered - "left") AS queued FROM messaging_runtally
                WHERE run_id = r.id AND state = 'queued') t ON t.queued > 0
            WHERE r.state = ANY(%s) AND r.started_at < %s ORDER BY r.id
            """,
            [OPEN_STATES, since],
        )
        runs = [RunAtStake(*row) for row in cursor.fetchall()]
        cursor.execute(
            """
            SELECT greatest(
                    max(state_changed_at) FILTER (WHERE state_changed_at < %(since)s),
                    (SELECT max(at) FROM accounts_auditentry WHERE at < %(since)s),
                    (SELECT max(lease_until) - %(lease)s * interval '1 second' FROM messaging_dispatchersession
                        WHERE lease_until < %(since)s)),
                count(*) FILTER (WHERE state = 'ready'), count(*) FILTER (WHERE started_at >= %(since)s)
            FROM messaging_sendrun
            """,
            {"since": since, "lease": settings.ENGINE_LEASE_SECONDS},
        )
        last_activity_at, ready_runs, new_runs = cursor.fetchone()
    return Survey(last_activity_at, runs, ready_runs, new_runs)
