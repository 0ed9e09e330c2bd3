from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from accounts.scope import platform_scope

# The engine finds every row by a key, a few thousand at a time. Tables that fill and turn over within seconds have
# statistics that are always wrong ("no message is accepted"), and a plan made from them reads the whole table.
INDEX_PLANS = (
    "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),"
    " set_config('enable_mergejoin', 'off', true), set_config('jit', 'off', true)"
)


@contextmanager
def engine_scope(*, reason: str) -> Iterator[None]:
    """Platform scope in which PostgreSQL goes by indexes: one transaction of the engine's."""
    with platform_scope(reason=reason), connection.cursor() as cursor:
        cursor.execute(INDEX_PLANS)
        yield
