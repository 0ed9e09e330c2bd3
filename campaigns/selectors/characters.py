"""Characters that connections cannot carry (emoji, typographic quotes …): who would not get the message, what helps."""

import unicodedata
from collections.abc import Sequence
from typing import Final

from django.utils.translation import gettext as _

from common.numbers import format_count
from gateways.routing.book import carries_unicode, list_ways
from smscore import Template
from smscore.encoding import list_beyond_turkish, needs_unicode

from ..models import AudienceExclusion, Campaign
from .composition import compose, spell_without_turkish
from .estimate import Estimate
from .problems import STOP, WARN, Problem

MOST_NAMED: Final = 8
LOOKED_AT: Final = 500
"""Of the recipients left out of a prepared audience, so many are asked for their characters."""


def find_text_problems(campaign: Campaign) -> list[Problem]:
    """Stop where the text itself, whatever the recipient's values, goes over none of the account's connections."""
    composition = compose(campaign, campaign.tenant)
    characters = list_beyond_turkish(write_shortest(composition.template, composition.without_turkish))
    ways = list_ways(campaign.tenant_id) if characters else []
    if not ways or any(carries_unicode(way) for way in ways):
        return []
    return [make_problem(campaign, characters, None)]


def find_estimated_problems(campaign: Campaign, estimate: Estimate) -> list[Problem]:
    """The same for the composer: with the audience as it looks now, also what comes from values."""
    if not estimate.unwritable:
        return find_text_problems(campaign)
    count = estimate.unwritable if estimate.to_send else None
    return [make_problem(campaign, estimate.characters, count, is_exact=estimate.is_exact)]


def find_prepared_problems(campaign: Campaign) -> list[Problem]:
    """What the snapshot left out for its characters: a stop if nobody else is left."""
    snapshot = campaign.snapshot
    count = snapshot.excluded_counts.get("characters", 0)
    if not count:
        return []
    left_out = AudienceExclusion.objects.filter(snapshot=snapshot, reason="characters")
    details = left_out.order_by("contact_id").values_list("detail", flat=True)[:LOOKED_AT]
    characters = tuple(dict.fromkeys("".join(details)))
    return [make_problem(campaign, characters, count if snapshot.message_count else None)]


def make_problem(campaign: Campaign, characters: Sequence[str], count: int | None, *, is_exact: bool = True) -> Problem:
    """`count`: recipients who would not get the message; None for all of them."""
    shown = " ".join(map(name_character, characters[:MOST_NAMED])) + (" …" if len(characters) > MOST_NAMED else "")
    if count is None:
        sentence = _("Nobody would get this message: your connection does not carry these characters: %(characters)s.")
    else:
        sentence = _(
            "%(count)s recipients would not get this message: their connection does not carry these characters: "
            "%(characters)s."
        )
    said = sentence % {"count": ("" if is_exact else "≈ ") + format_count(count or 0), "characters": shown}
    return Problem("characters", "message", STOP if count is None else WARN, f"{said} {_advise(campaign, characters)}")


def _advise(campaign: Campaign, characters: Sequence[str]) -> str:
    if any(character in campaign.text for character in characters):
        return _("Take them out of the text, replace them, or have it sent over another connection.")
    if not campaign.transliterate and not any(needs_unicode(spell_without_turkish(c)) for c in characters):
        return _("They come from your contacts' values: correct these, or switch on “Write without Turkish letters”.")
    return _("They come from your contacts' values: correct these, or have it sent over another connection.")


def name_character(character: str) -> str:
    """The character, or its code where there is nothing to see."""
    is_visible = character.isprintable() and not unicodedata.category(character).startswith("M")
    return character if is_visible else f"U+{ord(character):04X}"


def write_shortest(template: Template, without_turkish: bool) -> str:
    """The text for a recipient whose values are as short as can be."""
    text = template.fill(dict.fromkeys(template.keys, "x"))
    return spell_without_turkish(text) if without_turkish else text
