"""A campaign's report: figures from the run's roll-ups, so it costs the same for fifty recipients and a million."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache

from django.utils import timezone

from messaging.models import SendRun
from messaging.selectors import (
    MinuteCount,
    RunTotals,
    get_run_totals,
    list_operators,
    list_reasons,
    list_run_minutes,
)
from messaging.selectors.history import sum_runs
from smscore.status import GROUP_OF, STATE_GROUPS, MessageState, StateGroup

from .opt_outs import count_opt_outs

AVERAGE_OVER = timedelta(days=30)
AVERAGE_AGE = timedelta(minutes=5)
RATE_WINDOW = timedelta(minutes=1)
NICE_MINUTES = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440)
POINTS_AT_MOST = 48
FEWEST_POINTS = 8
TAIL_SHARE = 0.02  # of results may come after the end of the chart: stragglers would flatten it


@dataclass(frozen=True, slots=True)
class OperatorRow:
    operator: str
    message_count: int
    delivery_rate: float | None


@dataclass(frozen=True, slots=True)
class ReasonRow:
    state: str
    reason: str
    message_count: int


@dataclass(frozen=True, slots=True)
class TimeLine:
    """Results by time: `starts` are local times of the points, `later_count` results came after the last one."""

    starts: list[datetime] = field(default_factory=list)
    delivered: list[int] = field(default_factory=list)
    undelivered: list[int] = field(default_factory=list)
    later_count: int = 0
    minutes_per_point: int = 1


@dataclass(frozen=True, slots=True)
class CampaignFigures:
    """Progress of a run now. Counts are messages; rates are shares between 0 and 1, None where nothing is known yet."""

    run: SendRun
    totals: RunTotals
    messages_per_minute: int  # 0 unless sending now
    seconds_left: int | None

    def count(self, group: StateGroup) -> int:
        return self.totals.get_group(group).messages

    @property
    def total_count(self) -> int:
        return self.run.message_count

    @property
    def sent_count(self) -> int:
        """Handed to an operator, whatever came of it."""
        return sum(self.count(g) for g in (StateGroup.DELIVERED, StateGroup.UNDELIVERED, StateGroup.WAITING))

    @property
    def undelivered_count(self) -> int:
        return self.count(StateGroup.UNDELIVERED)

    @property
    def waiting_count(self) -> int:
        return self.count(StateGroup.WAITING)

    @property
    def queued_count(self) -> int:
        return self.count(StateGroup.QUEUED)

    @property
    def not_sent_count(self) -> int:
        return self.count(StateGroup.NOT_SENT)

    @property
    def delivery_rate(self) -> float | None:
        return delivery_rate(self.totals)

    @property
    def used_credits(self):  # type: ignore[no-untyped-def]
        """Credits of what was taken by an operator; what was not sent comes back."""
        return self.totals.sent.credits

    @property
    def sent_parts(self) -> int:
        return self.totals.sent.parts

    @property
    def is_live(self) -> bool:
        return self.run.state != SendRun.State.COMPLETED


def delivery_rate(totals: RunTotals) -> float | None:
    """Delivered of those whose result is known."""
    delivered = totals.get_group(StateGroup.DELIVERED).messages
    known = delivered + totals.get_group(StateGroup.UNDELIVERED).messages
    return delivered / known if known else None


def get_figures(run: SendRun, minutes: list[MinuteCount] | None = None) -> CampaignFigures:
    """Totals of a run and, while it is sending, its rate (messages a minute) and the seconds left."""
    totals = get_run_totals(run)
    per_minute, seconds_left = 0, None
    queued = totals.get_group(StateGroup.QUEUED).messages
    if run.state == SendRun.State.RUNNING and queued:
        per_minute = _measure_rate(run, list_run_minutes(run) if minutes is None else minutes)
        if per_minute:
            seconds_left = round(queued / per_minute * 60)
    return CampaignFigures(run, totals, per_minute, seconds_left)


def get_average_rate(run: SendRun) -> float | None:
    """The tenant's delivery rate over the last thirty days, this run included; up to five minutes old.

    Every open report asks for it every two seconds, and it sums a month.
    """
    return _sum_average(run.tenant_id, int(timezone.now().timestamp() // AVERAGE_AGE.total_seconds()))


@lru_cache(maxsize=4096)
def _sum_average(tenant_id: int, period: int) -> float | None:
    return delivery_rate(sum_runs(tenant_id, since=timezone.now() - AVERAGE_OVER))


def list_reason_rows(run: SendRun, totals: RunTotals) -> list[ReasonRow]:
    """Why messages did not arrive, most frequent first. A state that needs no reason has a row of its own."""
    bad = STATE_GROUPS[StateGroup.UNDELIVERED] | STATE_GROUPS[StateGroup.NOT_SENT]
    rows = [ReasonRow(*row) for row in list_reasons(run) if row.state in bad]
    explained = Counter[str]()
    for row in rows:
        explained[row.state] += row.message_count
    for state in bad:
        rest = totals.get(state).messages - explained[state]
        if rest > 0:
            rows.append(ReasonRow(str(state), "", rest))
    return sorted(rows, key=lambda row: (-row.message_count, row.reason))


def list_operator_rows(run: SendRun) -> list[OperatorRow]:
    """Operators by number of messages; the rate counts messages whose result is known."""
    total, delivered, known = Counter[str](), Counter[str](), Counter[str]()
    for operator, state, messages in list_operators(run):
        total[operator] += messages
        group = GROUP_OF[MessageState(state)]
        if group in (StateGroup.DELIVERED, StateGroup.UNDELIVERED):
            known[operator] += messages
        if group == StateGroup.DELIVERED:
            delivered[operator] += messages
    return [
        OperatorRow(name, count, delivered[name] / known[name] if known[name] else None)
        for name, count in total.most_common()
    ]


def build_time_line(minutes: list[MinuteCount], zone: tzinfo) -> TimeLine:
    """Delivered and not delivered over time, in points of a round number of minutes."""
    delivered, undelivered = Counter[datetime](), Counter[datetime]()
    for minute, state, messages in minutes:
        group = GROUP_OF[MessageState(state)]
        if group == StateGroup.DELIVERED:
            delivered[minute] += messages
        elif group == StateGroup.UNDELIVERED:
            undelivered[minute] += messages
    results = sorted(delivered.keys() | undelivered.keys())
    if not results:
        return TimeLine()
    last = _find_last(results, delivered + undelivered)
    span = int((last - results[0]).total_seconds() // 60) + 1
    step = next((m for m in NICE_MINUTES if span / m <= POINTS_AT_MOST), NICE_MINUTES[-1])
    first = _floor(results[0].astimezone(zone), step)
    points = int((last - first).total_seconds() // 60) // step + 1
    if points < FEWEST_POINTS:
        # Room on the left: before the first result nothing arrived for sure, what comes next nobody knows.
        first -= timedelta(minutes=step * (FEWEST_POINTS - points))
        points = FEWEST_POINTS
    sums = ([0] * points, [0] * points)
    later = 0
    for counter, values in zip((delivered, undelivered), sums, strict=True):
        for minute, messages in counter.items():
            point = int((minute - first).total_seconds() // 60) // step
            if point < points:
                values[point] += messages
            else:
                later += messages
    starts = [first + timedelta(minutes=step * n) for n in range(points)]
    return TimeLine(starts, *sums, later_count=later, minutes_per_point=step)


def _find_last(results: list[datetime], counts: Counter[datetime]) -> datetime:
    """The last minute to draw: all of them, unless a few stragglers would more than double the chart's length."""
    wanted, seen, last = sum(counts.values()) * (1 - TAIL_SHARE), 0, results[-1]
    for minute in results:
        seen += counts[minute]
        if seen >= wanted:
            last = minute
            break
    whole, most = results[-1] - results[0], last - results[0]
    return last if whole > max(2 * most, timedelta(minutes=POINTS_AT_MOST)) else results[-1]


def _floor(moment: datetime, step: int) -> datetime:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    passed = int((moment - midnight).total_seconds() // 60)
    return midnight + timedelta(minutes=passed - passed % step)


def _measure_rate(run: SendRun, minutes: list[MinuteCount]) -> int:
    """Messages a minute: what was taken since the beginning of the last full minute, by the time since then."""
    now = timezone.now()
    since = now.replace(second=0, microsecond=0) - RATE_WINDOW
    begin = max(since, run.started_at or since)
    taken = sum(row.messages for row in minutes if row.minute >= since and row.state in ("accepted", "rejected"))
    seconds = (now - begin).total_seconds()
    return round(taken / seconds * 60) if seconds >= 1 else 0


__all__ = [
    "CampaignFigures",
    "OperatorRow",
    "ReasonRow",
    "TimeLine",
    "build_time_line",
    "count_opt_outs",
    "delivery_rate",
    "get_average_rate",
    "get_figures",
    "list_operator_rows",
    "list_reason_rows",
]
