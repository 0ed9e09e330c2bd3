"""Whether a prepared audience is what would be prepared now: lists, contacts, prices and the opt-out text."""

import hashlib
from collections.abc import Mapping
from typing import Final

from billing.selectors import load_price_list

from ..models import AudienceSnapshot, Campaign
from .composition import compose

LISTS: Final = "lists"
TEXT: Final = "text"
PRICES: Final = "prices"


def read_basis(campaign: Campaign) -> dict[str, str]:
    """What an audience prepared now would rest on, as digests to compare.

    Values, not times: a change that was under way when the walk began differs as well, whenever it commits.
    """
    links = campaign.group_links.order_by("group_id").values_list("group_id", "is_excluded", "group__revision")
    prices = load_price_list(campaign.tenant_id)
    return {
        LISTS: _digest(list(links)),
        TEXT: _digest(compose(campaign, campaign.tenant).template.text),
        PRICES: _digest([_sort(prices.own), _sort(prices.shared)]),
    }


def find_change(campaign: Campaign, snapshot: AudienceSnapshot) -> str:
    """What has changed since the snapshot was begun: LISTS, TEXT or PRICES; "" if nothing has."""
    basis = read_basis(campaign)
    for part in (LISTS, TEXT, PRICES):
        if basis[part] != snapshot.basis.get(part):
            return part
    return ""


def _sort(prices: Mapping[str, object]) -> list[tuple[str, str]]:
    return sorted((prefix, str(price)) for prefix, price in prices.items())


def _digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:16]
