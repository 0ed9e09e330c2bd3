from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from accounts.scope import platform_scope

# The engine finds every row by a key, a few thousand at a time. Tables that fill and turn over within seconds have
# statistics that are always wrong ("no message is accepted", "the table is empty"), and a plan made from them reads the
# whole table, through an index if need be. So sequential scans are out, and statements that join a list of keys say
# `id = ANY(keys)` as well: every plan there is then reads those rows only, and joins them by hash.
INDEX_PLANS = (
    "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_mergejoin', 'off', true),"
    " set_config('jit', 'off', true)"
)


@contextmanager
def engine_scope(*, reason: str) -> Iterator[None]:
    """Platform scope in which PostgreSQL goes by indexes: one transaction of the engine's."""
    with platform_scope(reason=reason), connection.cursor() as cursor:
        cursor.execute(INDEX_PLANS)
        yield
