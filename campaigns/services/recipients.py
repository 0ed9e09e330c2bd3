"""Contacts sorted into messages and exclusions: filled in, counted, priced, routed. The hot loop of the snapshot."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, partial
from typing import Any, Final, NamedTuple

from billing.selectors import PriceList, load_price_list
from billing.selectors.prices import NoTariff
from gateways.routing.portability import load_ported
from gateways.routing.rules import Choice, RouteBook, Step
from messaging.rows import MessageKind, Recipient
from optout.selectors import load_suppressed, load_suppression_list
from smscore import Encoding, MissingValues, operator_of
from smscore.encoding import list_beyond_turkish, needs_unicode

from ..models import Campaign
from ..selectors.composition import MOST_PARTS, RowWriter, compose
from ..selectors.routes import load_campaign_book
from .audience import list_excluded, list_included
from .exclusions import Exclusion

SHARED: Final = "shared"
"""No obstacle: each number says by itself which of several connections it takes."""
SUPPRESSIONS_IN_MEMORY: Final = 500_000
"""About 50 MB. A longer list is asked about each chunk."""


PLAN_SECONDS: Final = 60.0
_kept: dict[tuple[int, int, int | None], tuple[float, "Plan"]] = {}


class Chunk(NamedTuple):
    """What a stretch of the address book came to."""

    groups: dict[MessageKind, list[Recipient]]
    exclusions: list[Exclusion]


@dataclass(frozen=True, slots=True, eq=False)  # told apart as objects, a million times
class Destination:
    """What numbers with the same head have in common. `obstacle`: detail of why they cannot be reached, None if they
    can; SHARED if the number decides between several (`choose`)."""

    gateway_account_id: int
    prepare: Callable[[str], tuple[str, Encoding, int]]
    unit_price: Decimal
    operator: str
    step: Step
    obstacle: str | None = None
    choose: Callable[[str], "Destination"] | None = None
    unicode: bool = True
    most_parts: int = MOST_PARTS


def _unreachable(obstacle: str) -> Destination:
    return Destination(0, lambda text: (text, Encoding.GSM7, 0), Decimal(0), "", Step(0), obstacle)


class Destinations:
    """Route, price and operator by the head of a number, worked out once for each head."""

    def __init__(self, book: RouteBook, prices: PriceList) -> None:
        self._book, self._prices = book, prices
        self.head = max(book.head, prices.longest)
        self._known: dict[str, Destination] = {}
        self._same: dict[tuple[Any, ...], Destination] = {}

    def find(self, msisdn: str) -> Destination:
        head = msisdn[: self.head]
        found = self._known.get(head)
        if found is None:
            found = self._known[head] = self._look_up(msisdn)
        return found

    @cached_property
    def for_unicode(self) -> "Destinations":
        """For texts with characters beyond GSM-7 and Turkish."""
        return Destinations(self._book.for_unicode, self._prices)

    def find_detour(self, ported: Mapping[str, str], msisdn: str) -> Destination | None:
        """Where a message with such characters goes instead; None if nowhere."""
        found = self.for_unicode.find_where_it_is(ported, msisdn)
        if found.choose is not None:
            return found.choose(msisdn)
        return found if found.obstacle is None else None

    def find_longer(self, ported: Mapping[str, str], msisdn: str, text: str) -> Destination | None:
        """Where a message of more parts than its connection takes goes instead; None if nowhere."""
        operator = ported.get(msisdn, "")
        choice = self._book.find_for(text, msisdn, operator)
        if choice is None:
            return None
        return self._make(choice, self._prices.price_per_part(msisdn), operator or operator_of(msisdn).value)

    def find_where_it_is(self, ported: Mapping[str, str], msisdn: str) -> Destination:
        """`ported`: numbers that are with another operator than their head says."""
        operator = ported.get(msisdn)
        return self._look_up(msisdn, operator) if operator else self.find(msisdn)

    @property
    def heeds_operator(self) -> bool:
        return self._book.heeds_operator

    def _look_up(self, msisdn: str, operator: str = "") -> Destination:
        try:
            unit_price = self._prices.price_per_part(msisdn)
        except NoTariff:
            return _unreachable("tariff")
        decision = self._book.decide(msisdn, operator)
        if decision is None:
            return _unreachable("")
        operator = operator or operator_of(msisdn).value
        found = [self._make(choice, unit_price, operator) for choice in decision.choices]
        if not decision.is_shared:
            return found[0]
        return Destination(
            0,
            found[0].prepare,
            unit_price,
            operator,
            found[0].step,
            SHARED,
            lambda number: found[decision.choose_index(number)],
        )

    def _make(self, choice: Choice, unit_price: Decimal, operator: str) -> Destination:
        key = choice, unit_price, operator
        if key not in self._same:
            self._same[key] = Destination(
                choice.account_id,
                choice.preparer,
                unit_price,
                operator,
                choice.step,
                unicode=choice.unicode,
                most_parts=min(MOST_PARTS, choice.profile.most_parts),
            )
        return self._same[key]


class Plan(NamedTuple):
    """What is the same for every recipient of a campaign. Read once per walk, not once per chunk."""

    tenant_id: int
    include: list[int]
    exclude: list[int]
    writer: RowWriter
    destinations: Destinations
    suppressed: frozenset[str] | None  # None: too many to hold


def load_plan(campaign: Campaign) -> Plan:
    """What was added to the suppression list since is found when a message leaves (S7)."""
    return Plan(
        campaign.tenant_id,
        list_included(campaign),
        list_excluded(campaign),
        compose(campaign, campaign.tenant).bind(),
        Destinations(load_campaign_book(campaign), load_price_list(campaign.tenant_id)),
        load_suppression_list(campaign.tenant_id, SUPPRESSIONS_IN_MEMORY),
    )


def keep_plan(campaign: Campaign) -> Plan:
    """`load_plan` for one who comes back every few seconds: the last plan of this process, if it is this campaign's."""
    key = (campaign.pk, campaign.version, campaign.run_id)
    kept = _kept.get(key)
    if kept is None or time.monotonic() - kept[0] > PLAN_SECONDS:
        kept = time.monotonic(), load_plan(campaign)
        _kept.clear()
        _kept[key] = kept
    return kept[1]


def sort_recipients(plan: Plan, contacts: Sequence[tuple[Any, ...]]) -> Chunk:
    """`contacts`: rows of `read_stretch` with the fields `plan.writer.keys`."""
    suppressed = plan.suppressed
    if suppressed is None:
        suppressed = frozenset(load_suppressed(plan.tenant_id, [contact[1] for contact in contacts]))
    write, find = plan.writer.write, plan.destinations.find
    ported = load_ported(contact[1] for contact in contacts) if plan.destinations.heeds_operator else {}
    if ported:
        find = partial(plan.destinations.find_where_it_is, ported)
    exclusions: list[Exclusion] = []
    rows: dict[Destination, dict[tuple[str, int], list[Recipient]]] = {}
    for contact in contacts:
        contact_id, msisdn = contact[0], contact[1]
        if msisdn in suppressed:
            exclusions.append(Exclusion(contact_id, msisdn, "suppressed"))
            continue
        try:
            text = write(contact)
        except MissingValues as missing:
            exclusions.append(Exclusion(contact_id, msisdn, "missing_value", ", ".join(missing.fields)[:120]))
            continue
        destination = find(msisdn)
        if destination.obstacle is not None:
            if destination.choose is None:
                exclusions.append(Exclusion(contact_id, msisdn, "no_route", destination.obstacle))
                continue
            destination = destination.choose(msisdn)
        text, encoding, parts = destination.prepare(text)
        if not destination.unicode and encoding == Encoding.UCS2 and needs_unicode(text):
            detour = plan.destinations.find_detour(ported, msisdn)
            if detour is None:
                characters = "".join(list_beyond_turkish(text))
                exclusions.append(Exclusion(contact_id, msisdn, "characters", characters[:120]))
                continue
            destination = detour
            text, encoding, parts = destination.prepare(text)
        if parts > destination.most_parts and (detour := plan.destinations.find_longer(ported, msisdn, text)):
            destination = detour
            text, encoding, parts = destination.prepare(text)
        if not 0 < parts <= destination.most_parts:
            exclusions.append(Exclusion(contact_id, msisdn, "too_long" if parts else "missing_value", str(parts)))
            continue
        try:
            rows[destination][encoding, parts].append((msisdn, contact_id, text))
        except KeyError:
            rows.setdefault(destination, {})[encoding, parts] = [(msisdn, contact_id, text)]
    groups = {
        MessageKind(to.gateway_account_id, encoding, parts, to.unit_price * parts, to.operator, to.step): recipients
        for to, kinds in rows.items()
        for (encoding, parts), recipients in kinds.items()
    }
    return Chunk(groups, exclusions)
