"""What other routing rules would have done with last month's traffic, from the roll-ups: no message is read.

Roll-ups know tenant, purpose, sender and operator; of the country they know only that a number is of no Turkish
operator. Such traffic is taken for Turkish and counted apart. Health is left out: a plan is for ordinary days.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Case, CharField, F, Sum, Value, When
from django.utils import timezone

from gateways.models import RouteRule
from gateways.routing.book import compile_rules, list_rules
from gateways.routing.rules import FULL, Purpose, RouteBook, Rule
from messaging.models import RunTally, SendRun

DAYS = 30
SAMPLE = "+905000000000"
"""A Turkish number; which operator's is said beside it."""
KNOWN_OPERATORS = frozenset({"turkcell", "vodafone", "turktelekom"})


class Traffic(NamedTuple):
    """Messages of one kind."""

    tenant_id: int
    purpose: str
    sender: str
    operator: str
    messages: int
    parts: int


class Load(NamedTuple):
    """What a connection carries. Parts and cost are shares of sums, and so estimates."""

    messages: int = 0
    parts: int = 0
    cost: Decimal = Decimal(0)

    def plus(self, other: "Load") -> "Load":
        return Load(self.messages + other.messages, self.parts + other.parts, self.cost + other.cost)


class Line(NamedTuple):
    """A connection ("" where no rule has one), now and with the drafts."""

    connection: str
    now: Load
    then: Load

    @property
    def difference(self) -> Load:
        return Load(
            self.then.messages - self.now.messages, self.then.parts - self.now.parts, self.then.cost - self.now.cost
        )


class DryRun(NamedTuple):
    """`assumed`: messages of unknown country, taken for Turkish."""

    lines: list[Line]
    total: Line
    assumed: int


def try_rules(drafts: Sequence[RouteRule], *, days: int = DAYS) -> DryRun:
    """The rules in force against those with the drafts, each in the place of the rule that it replaces."""
    traffic = list_traffic(days)
    replaced = {draft.replaces_id for draft in drafts}
    draft_ids = {draft.pk for draft in drafts}
    now: defaultdict[str, Load] = defaultdict(Load)
    then: defaultdict[str, Load] = defaultdict(Load)
    for tenant_id in sorted({row.tenant_id for row in traffic}):
        rows = list(list_rules(tenant_id).exclude(state=RouteRule.State.OFF))
        active = [row for row in rows if row.state == RouteRule.State.ACTIVE]
        planned = [row for row in active if row.pk not in replaced] + [row for row in rows if row.pk in draft_ids]
        own = [row for row in traffic if row.tenant_id == tenant_id]
        _spread(active, own, now)
        _spread(planned, own, then)
    lines = [Line(name, now[name], then[name]) for name in sorted({*now, *then})]
    total = Line("", _add(line.now for line in lines), _add(line.then for line in lines))
    assumed = sum(row.messages for row in traffic if row.operator not in KNOWN_OPERATORS)
    return DryRun(lines, total, assumed)


def list_traffic(days: int) -> list[Traffic]:
    """What was written for runs that started in the last `days`, by kind. Of all tenants: platform scope only."""
    purpose = Case(
        When(run__priority=SendRun.Priority.OTP, then=Value(str(Purpose.OTP))),
        default=F("run__content_class"),
        output_field=CharField(),
    )
    rows = (
        RunTally.objects.filter(state="queued", shard=0, run__started_at__gte=timezone.now() - timedelta(days=days))
        .annotate(purpose=purpose)
        .values_list("tenant_id", "purpose", "run__sender", "operator")
        .annotate(messages=Sum("entered"), parts=Sum("entered_parts"))
        .order_by("tenant_id")
    )
    return [Traffic(*row) for row in rows if row[4]]


def _spread(rows: Sequence[RouteRule], traffic: Iterable[Traffic], loads: defaultdict[str, Load]) -> None:
    by_sender: dict[str, list[Rule]] = {}
    for kind in traffic:
        if kind.sender not in by_sender:
            by_sender[kind.sender] = [
                rule._replace(targets=tuple(target._replace(share=FULL) for target in rule.targets))
                for rule in compile_rules(rows, tenant_id=kind.tenant_id, sender=kind.sender)
            ]
        book = RouteBook(by_sender[kind.sender], purpose=kind.purpose, sender=kind.sender)
        decision = book.decide(SAMPLE, kind.operator)
        if decision is None:
            loads[""] = loads[""].plus(Load(kind.messages, kind.parts))
            continue
        left, whole = (kind.messages, kind.parts), sum(decision.weights)
        for choice, weight in zip(decision.choices, decision.weights, strict=True):
            messages, parts = (round(count * weight / whole) for count in left)
            left = (left[0] - messages, left[1] - parts)
            whole -= weight
            name = next(label for pk, label, _ in choice.step.candidates if pk == choice.account_id)
            loads[name] = loads[name].plus(Load(messages, parts, choice.cost * parts))


def _add(loads: Iterable[Load]) -> Load:
    total = Load()
    for load in loads:
        total = total.plus(load)
    return total
