"""Roll-ups: written with every move of messages, in the same transaction (see `RunTally`)."""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from django.db import connection

# Writers that may work on one run at the same time, each on rows of its own.
SHARD_WRITING = 0
SHARD_SWEEPS = 1
SHARD_RECEIPTS = 2
SHARD_SLOTS = 100
"""Sender slot n writes to shard SHARD_SLOTS + n."""


class Counted(NamedTuple):
    """Some messages of a run that look alike."""

    run_id: int
    tenant_id: int
    state: str
    reason: str
    operator: str
    messages: int
    parts: int
    credits: Decimal


def record_tallies(*, entered: Iterable[Counted] = (), left: Iterable[Counted] = (), shard: int) -> None:
    """Add what entered and what left states to the roll-ups of this minute (database clock)."""
    sums: dict[tuple[int, int, str, str, str], list[int | Decimal]] = {}
    for offset, group in ((0, entered), (1, left)):
        for row in group:
            cell = sums.setdefault(row[:5], [0, 0, 0, 0, Decimal(0), Decimal(0)])
            cell[offset] += row.messages
            cell[2 + offset] += row.parts
            cell[4 + offset] += row.credits
    if not sums:
        return
    keys = sorted(sums)
    columns = [[key[i] for key in keys] for i in range(5)] + [[sums[key][i] for key in keys] for i in range(6)]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO messaging_runtally AS t (run_id, tenant_id, state, reason, operator,
                entered, "left", entered_parts, left_parts, entered_credits, left_credits, minute, shard)
            SELECT v.*, date_trunc('minute', clock_timestamp()), %s
            FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[],
                %s::int[], %s::int[], %s::int[], %s::int[], %s::numeric[], %s::numeric[]) v
            ON CONFLICT (run_id, minute, state, reason, operator, shard) DO UPDATE SET
                entered = t.entered + excluded.entered, "left" = t."left" + excluded."left",
                entered_parts = t.entered_parts + excluded.entered_parts,
                left_parts = t.left_parts + excluded.left_parts,
                entered_credits = t.entered_credits + excluded.entered_credits,
                left_credits = t.left_credits + excluded.left_credits
            """,
            [shard, *columns],
        )
