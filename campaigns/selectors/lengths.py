"""Texts of more parts than can be sent: who would not get the message."""

from django.utils.translation import gettext as _

from common.numbers import format_count
from gateways.routing.book import get_profile, list_ways
from smscore import count_parts
from smscore.billing_profile import estimate_parts

from ..models import Campaign
from .characters import write_shortest
from .composition import MOST_PARTS, compose
from .estimate import Estimate
from .problems import STOP, WARN, Problem


def find_text_problems(campaign: Campaign) -> list[Problem]:
    """Stop where the text itself, whatever the recipient's values, is longer than each of the account's connections
    takes. A text that is too long everywhere is named by `checks.list_text_problems`."""
    text = _write_shortest(campaign)
    if count_parts(text)[1] > MOST_PARTS:
        return []
    ways = list_ways(campaign.tenant_id)
    if not ways or any(estimate_parts(text, get_profile(way)).fits for way in ways):
        return []
    return [make_problem(None)]


def find_estimated_problems(campaign: Campaign, estimate: Estimate) -> list[Problem]:
    """The same for the composer: with the audience as it looks now, also what comes from values."""
    if not estimate.too_long or count_parts(_write_shortest(campaign))[1] > MOST_PARTS:
        return find_text_problems(campaign)
    return [make_problem(estimate.too_long if estimate.to_send else None, is_exact=estimate.is_exact)]


def find_prepared_problems(campaign: Campaign) -> list[Problem]:
    """What the snapshot left out for its length: a stop if nobody else is left."""
    snapshot = campaign.snapshot
    count = snapshot.excluded_counts.get("too_long", 0)
    return [make_problem(count if snapshot.message_count else None)] if count else []


def make_problem(count: int | None, *, is_exact: bool = True) -> Problem:
    """`count`: recipients who would not get the message; None for all of them."""
    if count is None:
        said = _(
            "Nobody would get this message: it is longer than your connection takes, or than %(most)d parts. Shorten "
            "it, or have it sent over another connection."
        ) % {"most": MOST_PARTS}
        return Problem("too_long", "message", STOP, said)
    said = _(
        "%(count)s recipients would not get this message: with their values it is longer than their connection takes, "
        "or than %(most)d parts. Shorten it, or have it sent over another connection."
    ) % {"count": ("" if is_exact else "≈ ") + format_count(count), "most": MOST_PARTS}
    return Problem("too_long", "message", WARN, said)


def _write_shortest(campaign: Campaign) -> str:
    composition = compose(campaign, campaign.tenant)
    return write_shortest(composition.template, composition.without_turkish)
