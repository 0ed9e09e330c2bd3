"""Figures of a run, from its roll-ups: never by counting messages."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import F, QuerySet, Sum
from django.db.models.functions import Greatest, Least

from messaging.models import MessageBatch, RunTally, SendRun
from smscore.status import GROUP_OF, TERMINAL_STATES, MessageState, StateGroup


class StateCount(NamedTuple):
    """Messages that look alike, their parts and their credits."""

    messages: int = 0
    parts: int = 0
    credits: Decimal = Decimal(0)

    def plus(self, other: "StateCount") -> "StateCount":
        return StateCount(self.messages + other.messages, self.parts + other.parts, self.credits + other.credits)


@dataclass(frozen=True, slots=True)
class RunTotals:
    """A run's messages by state. `submitting_count` of the queued ones are on their way in sender slots now."""

    by_state: dict[str, StateCount] = field(default_factory=dict)
    submitting_count: int = 0

    def get(self, *states: str) -> StateCount:
        total = StateCount()
        for state in states:
            total = total.plus(self.by_state.get(state, StateCount()))
        return total

    def get_group(self, group: StateGroup) -> StateCount:
        return self.get(*(state for state in self.by_state if GROUP_OF[MessageState(state)] == group))

    @property
    def total(self) -> StateCount:
        return self.get(*self.by_state)

    @property
    def open_count(self) -> int:
        """Messages whose story is not over."""
        return sum(c.messages for s, c in self.by_state.items() if s not in TERMINAL_STATES)

    @property
    def sent(self) -> StateCount:
        """Taken by a gateway, whatever came of them."""
        return self.get("accepted", "delivered", "undelivered", "expired")


class MinuteCount(NamedTuple):
    minute: datetime
    state: str
    messages: int


class ReasonCount(NamedTuple):
    state: str
    reason: str
    messages: int


class OperatorCount(NamedTuple):
    operator: str
    state: str
    messages: int


def get_run(run_id: int) -> SendRun:
    """Raises SendRun.DoesNotExist, also for runs out of scope."""
    return SendRun.objects.get(pk=run_id)


def get_run_totals(run: SendRun) -> RunTotals:
    """Now in each state; states without messages are left out."""
    by_state = dict(sum_tallies(RunTally.objects.filter(run_id=run.pk), "state"))
    queued = by_state.get("queued", StateCount()).messages
    return RunTotals(by_state, min(queued, _count_submitting(run, queued)) if queued else 0)


def sum_tallies(tallies: QuerySet[RunTally], *keys: str) -> list[tuple[Any, ...]]:
    """(*keys, StateCount) of the messages that are there now; keys without any are left out."""
    sums = tallies.values_list(*keys).annotate(
        messages=Sum(F("entered") - F("left")),
        parts=Sum(F("entered_parts") - F("left_parts")),
        credits=Sum(F("entered_credits") - F("left_credits")),
    )
    return [(*key, StateCount(messages, parts, credits)) for *key, messages, parts, credits in sums if messages]


def _count_submitting(run: SendRun, queued: int) -> int:
    """Upper estimate of messages between intent and answer: below the mark of a leased batch, at most what is left."""
    leased = MessageBatch.objects.filter(run_id=run.pk, state=MessageBatch.State.LEASED)
    marked = leased.aggregate(n=Sum(Least("intent_upto", "message_count")))["n"] or 0
    waiting = MessageBatch.objects.filter(run_id=run.pk).exclude(state=MessageBatch.State.DONE)
    above = waiting.aggregate(n=Sum(Greatest(F("message_count") - F("intent_upto"), 0)))["n"] or 0
    return int(max(0, min(marked, queued - above)))


def list_run_minutes(run: SendRun) -> list[MinuteCount]:
    """How many messages entered each state in each minute, oldest first."""
    rows = (
        RunTally.objects.filter(run_id=run.pk, entered__gt=0)
        .values_list("minute", "state")
        .annotate(n=Sum("entered"))
        .order_by("minute", "state")
    )
    return [MinuteCount(*row) for row in rows]


def list_reasons(run: SendRun) -> list[ReasonCount]:
    """Why messages are where they are: only states with a reason, most frequent first."""
    rows = (
        RunTally.objects.filter(run_id=run.pk)
        .exclude(reason="")
        .values_list("state", "reason")
        .annotate(n=Sum(F("entered") - F("left")))
        .filter(n__gt=0)
        .order_by("-n", "reason")
    )
    return [ReasonCount(*row) for row in rows]


def list_operators(run: SendRun) -> list[OperatorCount]:
    """Messages by operator hint and state, from the roll-ups."""
    rows = (
        RunTally.objects.filter(run_id=run.pk)
        .values_list("operator", "state")
        .annotate(n=Sum(F("entered") - F("left")))
        .filter(n__gt=0)
        .order_by("operator", "state")
    )
    return [OperatorCount(*row) for row in rows]
