"""Partitions of the tables that grow with traffic, one per month of ids (see `messaging.months`): made ahead of time.

A partition is a table like its parent with storage options, unique keys and row-level security of its own: PostgreSQL
neither inherits the policies nor knows a unique key without the column that it cuts by. There is no default partition:
a row that lands there would keep its month from ever being attached.
"""

from typing import Final, NamedTuple

from django.db import connection

from accounts.rls import list_security_statements
from messaging.months import MONTH_ROOM, IdRange, add_months, current_month, ids_of_months, recent_ids

MONTHS_AHEAD: Final = 2
LOCK_KEY: Final = 0x7065796B_6D6F6E  # "peykmon": one maker of partitions at a time
MONTH_ZERO_NAME: Final = "legacy"


class Family(NamedTuple):
    """How the partitions of a table are made.

    security  kind of policies, as in `accounts.rls`
    storage   for WITH (...)
    uniques   (name, columns) of keys that hold inside a partition
    """

    security: str
    storage: str = ""
    uniques: tuple[tuple[str, str], ...] = ()


MESSAGES: Final = "messaging_message"
REFERENCES: Final = "messaging_providerreference"
RECEIPTS: Final = "messaging_receiptinbox"
FAMILIES: Final = {
    # A flush updates every row of a page at once: all of them need a second place there to stay HOT, and the next
    # flush finds the first ones pruned.
    MESSAGES: Family("tenant", "fillfactor = 45", (("once", "run_id, msisdn"), ("position", "batch_id, position"))),
    REFERENCES: Family("tenant"),
    RECEIPTS: Family("platform"),
}


def partition_name(table: str, month: int) -> str:
    return f"{table}_{month or MONTH_ZERO_NAME}"


def find_source(table: str, ids: IdRange) -> str:
    """What to read from to find rows with these ids by another key: the month's partition, or for several months the
    table.

    Bounds on `id` would choose the partitions as well, but they also offer the planner a way through the primary key:
    all rows of the month. With statistics of a minute ago, or none, it takes that for the better one.
    """
    first, last = ids.low // MONTH_ROOM, ids.high // MONTH_ROOM - 1
    return partition_name(table, first) if first == last else table


def find_recent_source(table: str, days: int) -> str:
    """The same for references or receipts written in these last days: one month, or on its first days two."""
    ids = recent_ids(days)
    first, last = ids.low // MONTH_ROOM, ids.high // MONTH_ROOM - 1
    if first == last:
        return partition_name(table, first)
    months = [month for ahead in range(4) if (month := add_months(first, ahead)) <= last]
    with connection.cursor() as cursor:  # the first months of an installation have none before them
        cursor.execute(
            "SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(name) IS NOT NULL",
            [[partition_name(table, month) for month in months]],
        )
        names = [row[0] for row in cursor.fetchall()]
    return "(" + " UNION ALL ".join(f"SELECT * FROM {name}" for name in names) + ")"  # noqa: S608 - names of ours


def create_months_ahead() -> list[str]:
    """Partitions of this month and the next two, as far as they are missing; returns the names of the new ones."""
    today = current_month()
    return [name for ahead in range(MONTHS_AHEAD + 1) for name in create_month(add_months(today, ahead))]


def create_month(month: int) -> list[str]:
    """Make sure that a month's rows have where to go; returns the partitions that were missing.

    Asks the catalogue only, once it is there. Attaching keeps nobody from reading and writing the other months (SHARE
    UPDATE EXCLUSIVE, where CREATE TABLE ... PARTITION OF would take ACCESS EXCLUSIVE).
    """
    missing = _list_missing(month)
    if missing:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK_KEY])
        missing = _list_missing(month)  # somebody may have made them while we waited
        for table in missing:
            _create_partition(table, month)
    return [partition_name(table, month) for table in missing]


def _list_missing(month: int) -> list[str]:
    tables = list(FAMILIES)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT parent FROM unnest(%s::text[], %s::text[]) AS wanted(parent, name) WHERE to_regclass(name) IS NULL",
            [tables, [partition_name(table, month) for table in tables]],
        )
        return [row[0] for row in cursor.fetchall()]


def _create_partition(table: str, month: int) -> None:
    name, family = partition_name(table, month), FAMILIES[table]
    storage = f" WITH ({family.storage})" if family.storage else ""
    bounds = ids_of_months(month, month)
    statements = [
        f"CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES){storage}",
        *(f"ALTER TABLE {name} ADD CONSTRAINT {name}_{key} UNIQUE ({columns})" for key, columns in family.uniques),
        *list_security_statements(name, family.security),
        f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({bounds.low}) TO ({bounds.high})",
    ]
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


class Partition(NamedTuple):
    """A partition as the catalogue shows it. `rows` is PostgreSQL's estimate, -1 if it never looked."""

    table: str
    name: str
    month: int
    rows: int
    size_bytes: int


def list_partitions() -> list[Partition]:
    """Of all tables that have any, oldest month first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT parent.relname, part.relname, part.reltuples::bigint, pg_total_relation_size(part.oid)"
            " FROM pg_inherits i JOIN pg_class parent ON parent.oid = i.inhparent AND parent.relkind = 'p'"
            " JOIN pg_class part ON part.oid = i.inhrelid WHERE parent.relname = ANY(%s)",
            [list(FAMILIES)],
        )
        rows = cursor.fetchall()
    found = [Partition(table, name, _month_in(name), count, size) for table, name, count, size in rows]
    return sorted(found, key=lambda partition: (partition.month, partition.table))


def _month_in(name: str) -> int:
    suffix = name.rpartition("_")[2]
    return 0 if suffix == MONTH_ZERO_NAME else int(suffix)
