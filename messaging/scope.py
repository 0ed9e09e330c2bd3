from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import connection

from accounts.scope import platform_scope

# The engine finds every row by a key, a few thousand at a time. Tables that fill and turn over within seconds have
# statistics that are always wrong ("no message is accepted", "the table is empty"), and a plan made from them reads the
# whole table, through an index if need be. So sequential scans are out, and statements that join a list of keys say
# `id = ANY(keys)` as well: every plan there is then reads those rows only, and joins them by hash.
INDEX_PLANS = {"enable_seqscan": "off", "enable_mergejoin": "off", "jit": "off"}

# A process that is stopped (or a machine that is gone without a word) in the middle of a transaction keeps its row
# locks until PostgreSQL gives its connection up. Others must not wait for it as long as for a lease (W3): the lock's
# holder is thrown out first, then who waits for it gives up and tries again. No statement of the engine takes long.
TIMEOUTS = {
    "idle_in_transaction_session_timeout": "5s",
    "lock_timeout": "10s",
    "statement_timeout": "60s",
}


def _set_locally(options: dict[str, str]) -> str:
    return "SELECT " + ", ".join(f"set_config('{name}', '{value}', true)" for name, value in options.items())


ALONE = _set_locally({**INDEX_PLANS, **TIMEOUTS})
PLATFORM = _set_locally({"app.tenant": "", "app.platform": "on", **INDEX_PLANS, **TIMEOUTS})
NESTED = _set_locally(INDEX_PLANS)  # how long the transaction around us may wait is not ours to say


@contextmanager
def engine_scope(*, reason: str) -> Iterator[None]:
    """Platform scope in which PostgreSQL goes by indexes and waits for nobody long: one transaction of the engine's."""
    is_nested = connection.in_atomic_block
    with platform_scope(reason=reason), connection.cursor() as cursor:
        cursor.execute(NESTED if is_nested else ALONE)
        yield


@contextmanager
def alone(name: str) -> Iterator[bool]:
    """Whether nobody else is at what goes by that name; nobody else will be until the end of the block."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [name])
        (is_alone,) = cursor.fetchone()
    try:
        yield bool(is_alone)
    finally:
        if is_alone:  # a connection that is lost meanwhile takes the lock with it
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [name])


def commit_alone(sql: str, params: Mapping[str, Any], *, reason: str) -> list[tuple[Any, ...]]:
    """One statement as a transaction of its own, in platform scope: settings, statement and commit go to the server
    together and come back together, one round trip instead of five. When this returns, the commit is durable.

    Inside somebody's transaction it is part of that one. Raises DatabaseError: nobody knows then whether it took
    effect.
    """
    if connection.in_atomic_block:
        with engine_scope(reason=reason), connection.cursor() as cursor:
            cursor.execute(sql, params)
            return list(cursor.fetchall())
    with connection.cursor() as cursor:
        cursor.execute(f"{PLATFORM}; {sql}", params)
        return list(cursor.fetchall())
