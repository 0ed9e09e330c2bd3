"""Months in ids: how tables that grow with traffic are cut, so that what is old leaves by dropping a table.

Ids of messages, batches, provider references and receipts are `month * MONTH_ROOM + n`, month as YYYYMM. PostgreSQL
keeps messages, references and receipts in one partition per month of ids, so whoever knows an id, or a run, knows the
partition, and so does the planner, if the statement says so: `id = ANY(keys)`, or the partition's name
(`services.partitions.find_source`). One that says neither visits every month. Ids stay below 2^53: safe in JSON and in
browsers.

**A message's month is its run's** (`SendRun.month`, fixed when the run is made), never that of the day on which it is
written. So all messages of a run are in one partition, and the unique keys (run, number) and (batch, position), which
PostgreSQL enforces per partition only, hold for the whole run (S1). A batch carries its run's month as well.
References and receipts carry the month in which they are written, by a default of the database.

Month 0 is everything from before there were months.
"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

MONTH_ROOM = 10**10


class IdRange(NamedTuple):
    """Ids from `low` up to but not including `high`; for `id >= %(low)s AND id < %(high)s`."""

    low: int
    high: int


def current_month() -> int:
    """YYYYMM, in UTC."""
    return month_of(datetime.now(UTC))


def month_of(moment: datetime) -> int:
    utc = moment.astimezone(UTC)
    return utc.year * 100 + utc.month


def add_months(month: int, count: int) -> int:
    """202611 + 2 = 202701; `count` may be negative."""
    years, rest = divmod(month // 100 * 12 + month % 100 - 1 + count, 12)
    return years * 100 + rest + 1


def start_of(month: int) -> datetime:
    return datetime(month // 100, month % 100, 1, tzinfo=UTC)


def ids_of_months(first: int, last: int) -> IdRange:
    return IdRange(first * MONTH_ROOM, (last + 1) * MONTH_ROOM)


def recent_ids(days: int) -> IdRange:
    """Ids that references and receipts written in these last days can have."""
    # A day more on both sides, as clocks of machines differ: this only says which partitions to look at.
    now = datetime.now(UTC)
    return ids_of_months(month_of(now - timedelta(days=days + 1)), month_of(now + timedelta(days=1)))


def ids_beside(ids: Collection[int]) -> IdRange:
    """All ids of the months of these: where a batch's messages are, by the batch's id. Nothing for no ids."""
    return ids_of_months(min(ids) // MONTH_ROOM, max(ids) // MONTH_ROOM) if ids else IdRange(0, 0)
