"""What a draft would come to, from a sample of its audience: the funnel, parts, credits."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, NamedTuple

from billing.selectors import load_price_list
from billing.selectors.prices import NoTariff
from contacts.selectors.audience import AudienceRow
from gateways.routing.rules import RouteBook, Why
from optout.selectors import load_suppressed
from smscore import Encoding, MissingValues
from smscore.encoding import list_beyond_turkish

from ..models import Campaign
from .composition import MOST_PARTS, Composition, compose
from .routes import load_campaign_book
from .sampling import Sample, draw_sample

# (parts, encoding) → the recipients of the sample whose message comes to that
Found = Mapping[tuple[int, str], list[AudienceRow]]
LOST_FOR: Final[Mapping[Why | None, str]] = {Why.ENCODING: "unwritable", Why.LENGTH: "too_long"}


@dataclass(frozen=True, slots=True)
class Longer:
    """Recipients whose message takes more parts than the shortest. `cause`: "value" (long) or "characters" (UCS-2)."""

    count: int
    parts: int
    cause: str
    field: str  # the field whose values are longer with them; "" if there is none


class Estimate(NamedTuple):
    """Counts of the whole audience, extrapolated unless `is_exact`."""

    listed: int
    duplicates: int
    excluded: int
    suppressed: int
    missing: int
    unreachable: int
    unwritable: int  # with characters that no connection of theirs carries
    too_long: int  # for us, or for every connection of theirs
    to_send: int
    parts: int
    credits: Decimal
    fewest_parts: int
    most_parts: int
    longer: Longer | None
    is_exact: bool
    characters: tuple[str, ...] = ()  # of the unwritable

    @property
    def otherwise_left_out(self) -> int:
        """On several lists, on an excluded list, without a route: what the composer does not name one by one."""
        return self.listed - self.suppressed - self.missing - self.unwritable - self.to_send


def load_sample(campaign: Campaign) -> Sample:
    """Contacts drawn from the campaign's lists, without those on excluded lists."""
    links = list(campaign.group_links.values_list("group_id", "is_excluded"))
    include = [pk for pk, is_excluded in links if not is_excluded]
    return draw_sample(campaign.tenant_id, include, [pk for pk, is_excluded in links if is_excluded])


def estimate_campaign(campaign: Campaign, sample: Sample, book: RouteBook | None = None) -> Estimate:
    """The campaign's text over a sample of its audience, by the rules of the snapshot. `book`: if it is at hand."""
    composition = compose(campaign, campaign.tenant)
    suppressed = load_suppressed(campaign.tenant_id, [contact.msisdn for contact in sample.contacts])
    routes = load_campaign_book(campaign) if book is None else book
    prices = load_price_list(campaign.tenant_id)
    lost: Counter[str] = Counter(suppressed=len(suppressed))
    found: defaultdict[tuple[int, str], list[AudienceRow]] = defaultdict(list)
    characters: dict[str, None] = {}  # a set that keeps its order
    credits = Decimal(0)
    for contact in sample.contacts:
        if contact.msisdn in suppressed:
            continue
        try:
            text = composition.write(contact.msisdn, contact.name, contact.attributes)
            unit = prices.price_per_part(contact.msisdn)
        except MissingValues:
            lost["missing"] += 1
            continue
        except NoTariff:
            lost["unreachable"] += 1
            continue
        route = routes.find_for(text, contact.msisdn)
        if route is None:
            why = routes.find_obstacle(text, contact.msisdn)
            lost[LOST_FOR.get(why, "unreachable")] += 1
            if why is Why.ENCODING:
                characters.update(dict.fromkeys(list_beyond_turkish(text)))
            continue
        _, encoding, parts = route.prepare(text)
        if parts > MOST_PARTS:
            lost["too_long"] += 1
            continue
        found[parts, encoding].append(contact)
        credits += unit * parts
    estimate = _extrapolate(sample, composition, lost, found, credits)
    return estimate._replace(characters=tuple(characters))


def _extrapolate(
    sample: Sample, composition: Composition, lost: Counter[str], found: Found, credits: Decimal
) -> Estimate:
    scale = Decimal(1) if sample.is_whole else Decimal(sample.recipients) / max(len(sample.contacts), 1)

    def grow(count: int) -> int:
        return round(count * scale)

    numbers = [parts for parts, _ in found]
    suppressed, missing = grow(lost["suppressed"]), grow(lost["missing"])
    unreachable, unwritable, too_long = (grow(lost[why]) for why in ("unreachable", "unwritable", "too_long"))
    to_send = sample.recipients - suppressed - missing - unreachable - unwritable - too_long
    longer = _find_longer(found, composition)
    return Estimate(
        listed=sample.listed,
        duplicates=sample.duplicates,
        excluded=sample.excluded,
        suppressed=suppressed,
        missing=missing,
        unreachable=unreachable,
        unwritable=unwritable,
        too_long=too_long,
        to_send=max(to_send, 0) if sample.contacts else 0,
        parts=grow(sum(parts * len(contacts) for (parts, _), contacts in found.items())),
        credits=(credits * scale).quantize(Decimal(1)) if not sample.is_whole else credits,
        fewest_parts=min(numbers, default=0),
        most_parts=max(numbers, default=0),
        longer=replace(longer, count=grow(longer.count)) if longer else None,
        is_exact=sample.is_whole,
    )


def _find_longer(found: Found, composition: Composition) -> Longer | None:
    """Who gets more parts than the luckiest recipients, and why."""
    fewest = min((parts for parts, _ in found), default=0)
    longer = [contact for (parts, _), contacts in found.items() if parts > fewest for contact in contacts]
    if not longer:
        return None
    short = [contact for (parts, _), contacts in found.items() if parts == fewest for contact in contacts]
    in_ucs2 = sum(len(found[key]) for key in found if key[0] > fewest and key[1] == Encoding.UCS2)
    is_short_in_ucs2 = (fewest, Encoding.UCS2) in found
    cause = "characters" if not is_short_in_ucs2 and in_ucs2 * 2 > len(longer) else "value"
    return Longer(len(longer), max(parts for parts, _ in found), cause, _find_field(composition, short, longer))


def _find_field(composition: Composition, short: list[AudienceRow], longer: list[AudienceRow]) -> str:
    """Name of the field whose values differ most in length between the two groups."""
    best, widest = "", 0.0
    for field in composition.template.fields:
        gap = _measure(composition, field.key, longer) - _measure(composition, field.key, short)
        if gap > widest:
            best, widest = field.name, gap
    return best


def _measure(composition: Composition, key: str, contacts: list[AudienceRow]) -> float:
    """Mean length of a field's values."""
    total = 0
    for contact in contacts:
        values = composition.add_own_values(contact.msisdn, contact.name, contact.attributes)
        total += len(str(values.get(key) or ""))
    return total / max(len(contacts), 1)
