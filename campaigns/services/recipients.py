"""Contacts sorted into messages and exclusions: filled in, counted, priced, routed. The hot loop of the snapshot."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NamedTuple

from billing.selectors import PriceList, load_price_list
from billing.selectors.prices import NoTariff
from gateways.selectors import load_routes
from messaging.rows import MessageKind, Recipient
from optout.selectors import load_suppressed, load_suppression_list
from smscore import MissingValues, operator_of, prepare_text

from ..models import Campaign
from ..selectors.composition import MOST_PARTS, RowWriter, compose
from ..selectors.routing import RouteTable
from .audience import list_excluded, list_included
from .exclusions import Exclusion

OPERATOR_DIGITS: Final = 6
"""`operator_of` looks no further than +90 and a block of three."""
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
    can."""

    gateway_account_id: int
    national_tables: bool
    reference_bits: int
    unit_price: Decimal
    operator: str
    obstacle: str | None = None


class Destinations:
    """Route, price and operator by the head of a number, worked out once for each head."""

    def __init__(self, routes: RouteTable, prices: PriceList) -> None:
        self._routes, self._prices = routes, prices
        self.head = max(OPERATOR_DIGITS, routes.longest, prices.longest)
        self._known: dict[str, Destination] = {}
        self._same: dict[tuple[Any, ...], Destination] = {}

    def find(self, msisdn: str) -> Destination:
        head = msisdn[: self.head]
        found = self._known.get(head)
        if found is None:
            facts = self._look_up(msisdn)
            found = self._known[head] = self._same.setdefault(facts, Destination(*facts))
        return found

    def _look_up(self, msisdn: str) -> tuple[Any, ...]:
        """Fields of the destination."""
        try:
            unit_price = self._prices.price_per_part(msisdn)
        except NoTariff:
            return 0, False, 8, Decimal(0), "", "tariff"
        route = self._routes.find(msisdn)
        if route is None:
            return 0, False, 8, Decimal(0), "", ""
        return (*route, unit_price, operator_of(msisdn).value)


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
        Destinations(RouteTable(load_routes(campaign.tenant_id)), load_price_list(campaign.tenant_id)),
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
            exclusions.append(Exclusion(contact_id, msisdn, "no_route", destination.obstacle))
            continue
        text, encoding, parts = prepare_text(
            text, national=destination.national_tables, reference_bits=destination.reference_bits
        )
        if not 0 < parts <= MOST_PARTS:
            exclusions.append(Exclusion(contact_id, msisdn, "too_long" if parts else "missing_value", str(parts)))
            continue
        try:
            rows[destination][encoding, parts].append((msisdn, contact_id, text))
        except KeyError:
            rows.setdefault(destination, {})[encoding, parts] = [(msisdn, contact_id, text)]
    groups = {
        MessageKind(to.gateway_account_id, encoding, parts, to.unit_price * parts, to.operator): recipients
        for to, kinds in rows.items()
        for (encoding, parts), recipients in kinds.items()
    }
    return Chunk(groups, exclusions)
