"""What the engine's promises rest on: a database that keeps what it has committed, and that knows tenants."""

from typing import Any

from django.conf import settings
from django.core.checks import Error, Tags, register
from django.db import connection


class UnsafeDatabase(RuntimeError):
    """The database may forget commits, or its role sees through row-level security: nothing is sent."""


def find_database_faults() -> list[str]:
    """Why nothing should be sent with this database; empty if all is well. Tests may run without fsync."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('synchronous_commit'), current_setting('fsync'),"
            " (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user)"
        )
        synchronous_commit, fsync, sees_everything = cursor.fetchone()
    faults = []
    if settings.PEYK_ENV != "test":
        if synchronous_commit not in ("on", "remote_apply"):
            faults.append(f"synchronous_commit is {synchronous_commit}: a crash would send messages twice")
        if fsync != "on":
            faults.append("fsync is off: a crash would lose messages and credits")
    if sees_everything:
        faults.append("the role is a superuser or has BYPASSRLS: tenants are not kept apart")
    return faults


def refuse_unsafe_database() -> None:
    """Raises UnsafeDatabase."""
    faults = find_database_faults()
    if faults:
        raise UnsafeDatabase("; ".join(faults))


@register()
def check_retention(**_: Any) -> list[Error]:
    """Receipts are matched for seven days, and messages change by them as long."""
    faults = []
    if settings.MESSAGE_RETENTION_MONTHS < 1:
        faults.append(Error("MESSAGE_RETENTION_MONTHS must be 1 or more", id="messaging.E002"))
    if settings.RECEIPT_RETENTION_DAYS < 8:
        faults.append(Error("RECEIPT_RETENTION_DAYS must be 8 or more", id="messaging.E003"))
    return faults


@register(Tags.database)
def check_database(databases: Any = None, **_: Any) -> list[Error]:
    """For `manage.py check --database default` and `migrate`."""
    if not databases or "default" not in databases:
        return []
    return [Error(fault, id="messaging.E001") for fault in find_database_faults()]
