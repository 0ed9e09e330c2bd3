"""The end of an engine benchmark: what the checker says, and how the tables were written."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def settle_and_check(journal: Path | None) -> list[Any]:
    """Complete what is over, then every violation that the database and the simulator's journal show."""
    from accounts.scope import platform_scope
    from messaging.services.check import check_engine
    from messaging.tasks import sweep_runs

    sweep_runs()
    with platform_scope(reason="benchmark"):
        return list(check_engine(journal=journal))


def read_hot_share(table: str) -> float:
    """Updates of the table, or of its partitions, that stayed on their page and touched no index, as a share of all."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(
            "SELECT sum(n_tup_hot_upd)::float, sum(n_tup_upd)::float FROM pg_stat_user_tables"
            " WHERE relname = %(table)s OR relid IN"
            " (SELECT inhrelid FROM pg_inherits WHERE inhparent = %(table)s::regclass)",
            {"table": table},
        )
        hot, updates = cursor.fetchone()
    return round(hot / updates, 3) if updates else 0.0
