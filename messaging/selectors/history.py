"""Figures over many runs of a tenant, from the roll-ups: for lists and overviews."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import NamedTuple

from django.db.models import F, Q, Sum
from django.db.models.functions import TruncDate

from messaging.models import RunTally

from .runs import RunTotals, StateCount, sum_tallies

# A message counts as delivered up to seven days after it was given up (R6), and its run was over then.
RESULTS_AFTER = timedelta(days=8)


class DayCount(NamedTuple):
    day: date
    state: str
    messages: int


def list_totals(run_ids: Sequence[int]) -> dict[int, RunTotals]:
    """Totals of several runs in one query, by run id; a run without messages is left out."""
    found: dict[int, dict[str, StateCount]] = {}
    for run_id, state, count in sum_tallies(RunTally.objects.filter(run_id__in=run_ids), "run_id", "state"):
        found.setdefault(run_id, {})[state] = count
    return {run_id: RunTotals(by_state) for run_id, by_state in found.items()}


def sum_runs(tenant_id: int, *, since: datetime, origin_type: str = "campaign") -> RunTotals:
    """All messages of runs that started at or after `since`, by the state they are in now."""
    tallies = RunTally.objects.filter(
        _at_work_since(since),
        tenant_id=tenant_id,
        run__tenant_id=tenant_id,
        run__origin_type=origin_type,
        run__started_at__gte=since,
    )
    return RunTotals(dict(sum_tallies(tallies, "state")))


def list_days(
    tenant_id: int, *, since: datetime, zone: tzinfo, states: Sequence[str], origin_type: str = "campaign"
) -> list[DayCount]:
    """How many messages ended each day in these states, days in `zone`, oldest first. Days without any are left out.

    Counts are net: a message delivered after it was given up moves from one state's day to the other's.
    """
    rows = (
        RunTally.objects.filter(
            _at_work_since(since),
            tenant_id=tenant_id,
            run__tenant_id=tenant_id,
            run__origin_type=origin_type,
            run__started_at__isnull=False,
            minute__gte=since,
            state__in=states,
        )
        .annotate(day=TruncDate("minute", tzinfo=zone))
        .values_list("day", "state")
        .annotate(n=Sum(F("entered") - F("left")))
        .order_by("day", "state")
    )
    return [DayCount(day, state, n) for day, state, n in rows if n]


def _at_work_since(since: datetime) -> Q:
    """Runs whose figures can have moved since then, if they were started: roll-ups of the others are not read.

    A run may be made a year before it starts, and be paused for as long: when it was over is what counts.
    """
    return Q(run__completed_at=None) | Q(run__completed_at__gte=since - RESULTS_AFTER)
