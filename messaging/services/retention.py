"""What is old leaves: whole months of messages, provider references and receipts, by dropping their partitions.

Runs, roll-ups and the ledger stay, so every report keeps its figures; a run whose messages went says when
(`messages_dropped_at`). A month of messages is kept as long as one of its runs is not over, and its time counts from
the end of the last of them.

What was asked of providers and what they charged leaves row by row, once nothing can come of it any more.
"""

from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db import connection
from django.utils import timezone

from messaging.months import add_months, start_of

from .partitions import MESSAGES, RECEIPTS, REFERENCES, Partition, list_partitions

# Detaching waits until nobody reads or writes the whole table, and everybody else waits behind it. Better tried again.
DROP_LOCK_TIMEOUT = "500ms"
# A provider's id means the same message for seven days; afterwards it may come again, and is a new one.
SPENT_DAYS = 8
SPENT = {
    "gateways_receiptjob": "closed_at < now() - %(days)s * interval '1 day'"
    " OR created_at < now() - %(longest)s * interval '1 day'",  # nobody asks: its connection is off
    "gateways_providercharge": "true",
}
# Ids rise with time: those before the first young one are all that is read.
FORGET_SQL = """
DELETE FROM {table} WHERE id IN (
    SELECT id FROM {table} WHERE id < coalesce((SELECT id FROM {table}
        WHERE created_at > now() - %(days)s * interval '1 day' ORDER BY id LIMIT 1), 9223372036854775807)
    AND ({is_spent}) ORDER BY id LIMIT %(limit)s
)
"""
FORGET_LIMIT = 10_000
WRITTEN_AT = {REFERENCES: "created_at", RECEIPTS: "received_at"}


class Tenure(NamedTuple):
    """How long a partition stays: until `drops_at`, but not while `open_runs` (ids, the first ten) are not over."""

    partition: Partition
    drops_at: datetime
    open_runs: tuple[int, ...] = ()

    @property
    def is_over(self) -> bool:
        return self.drops_at <= timezone.now() and not self.open_runs

    @property
    def is_overdue(self) -> bool:
        """Its time is over, but its runs are not."""
        return self.drops_at <= timezone.now() and bool(self.open_runs)


def list_tenures() -> list[Tenure]:
    """Of all partitions, oldest month first. In platform scope."""
    return [
        _message_tenure(partition) if partition.table == MESSAGES else _receipt_tenure(partition)
        for partition in list_partitions()
    ]


def _message_tenure(partition: Partition) -> Tenure:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT greatest(%s, max(coalesce(completed_at, state_changed_at)) FILTER (WHERE is_over))
                + make_interval(months => %s), (array_agg(id ORDER BY id) FILTER (WHERE NOT is_over))[:10]
            FROM (SELECT *, state IN ('completed', 'discarded') AS is_over FROM messaging_sendrun WHERE month = %s) r
            """,
            [_end_of(partition.month), settings.MESSAGE_RETENTION_MONTHS, partition.month],
        )
        drops_at, open_runs = cursor.fetchone()
    return Tenure(partition, drops_at or timezone.now(), tuple(open_runs or ()))


def _receipt_tenure(partition: Partition) -> Tenure:
    # Month 0 has no name to tell its end by, but its newest row does.
    written_at = WRITTEN_AT[partition.table]
    newest = f"SELECT {written_at} FROM {partition.name} ORDER BY id DESC LIMIT 1"  # noqa: S608 - names of ours
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT greatest(%s, ({newest})) + make_interval(days => %s)",
            [_end_of(partition.month), settings.RECEIPT_RETENTION_DAYS],
        )
        (drops_at,) = cursor.fetchone()
    return Tenure(partition, drops_at or timezone.now())


def _end_of(month: int) -> datetime | None:
    return start_of(add_months(month, 1)) if month else None


def drop_partition(partition: Partition) -> None:
    """Drop it with what belongs to it, in the caller's transaction. In platform scope.

    Raises django.db.OperationalError if somebody is at the table: nothing has changed then, to be tried again.
    """
    with connection.cursor() as cursor:
        if partition.table == MESSAGES:
            cursor.execute(
                "DELETE FROM messaging_messagebatch b USING messaging_sendrun r WHERE r.month = %s AND b.run_id = r.id",
                [partition.month],
            )
            cursor.execute(
                "UPDATE messaging_sendrun SET messages_dropped_at = now()"
                " WHERE month = %s AND messages_dropped_at IS NULL",
                [partition.month],
            )
        # Last, and for a moment only: up to the commit nobody else gets at any month.
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [DROP_LOCK_TIMEOUT])
        cursor.execute(f"ALTER TABLE {partition.table} DETACH PARTITION {partition.name}")
        cursor.execute(f"DROP TABLE {partition.name}")


def forget_spent(*, limit: int = FORGET_LIMIT) -> int:
    """Delete questions to providers, and their charges, of which nothing can come any more: at most `limit` of each.

    Returns how many. In platform scope.
    """
    forgotten = 0
    with connection.cursor() as cursor:
        for table, is_spent in SPENT.items():
            cursor.execute(
                FORGET_SQL.format(table=table, is_spent=is_spent),
                {"days": SPENT_DAYS, "longest": settings.RECEIPT_RETENTION_DAYS, "limit": limit},
            )
            forgotten += cursor.rowcount
    return forgotten
