"""Database work of the engine's own threads."""

import logging
from collections.abc import Callable
from typing import TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, connection

from messaging.scope import engine_scope

log = logging.getLogger(__name__)
T = TypeVar("T")
DEADLOCK_TRIES = 3
READ_ONLY = "25006"  # SQLSTATE of a database that is being restored, or of a replica
TOO_LARGE = "54"  # SQLSTATE class "program limit exceeded": an entry that no index takes, for instance


def in_one_transaction(reason: str, work: Callable[[], T]) -> T:
    """Run `work` in a transaction in platform scope; once more after a deadlock. Raises DatabaseError.

    A broken connection is thrown away, so that the next call gets a new one.
    """
    for attempt in range(1, DEADLOCK_TRIES + 1):
        try:
            with engine_scope(reason=reason):
                return work()
        except (OperationalError, InterfaceError) as error:
            if _is_deadlock(error) and attempt < DEADLOCK_TRIES:
                continue
            connection.close()
            raise
    raise AssertionError("unreachable")


def try_in_one_transaction(reason: str, work: Callable[[], T], default: T) -> T:
    """The same, but a database that is away is logged and answered with `default`: the caller tries again later."""
    try:
        return in_one_transaction(reason, work)
    except DatabaseError as error:
        log_database_error(reason, error)
        return default


def log_database_error(reason: str, error: Exception) -> None:
    log.warning("engine.database_error", extra={"reason": reason, "error": str(error).strip()[:300]})


def is_away(error: Exception) -> bool:
    """Whether it is the database that fails and not what was to be written: the same may work later."""
    is_operational = isinstance(error, OperationalError | InterfaceError)
    return (is_operational and not _find_code(error).startswith(TOO_LARGE)) or _find_code(error) == READ_ONLY


def _is_deadlock(error: Exception) -> bool:
    return _find_code(error) == "40P01"


def _find_code(error: Exception) -> str:
    return getattr(error.__cause__, "pgcode", None) or ""
