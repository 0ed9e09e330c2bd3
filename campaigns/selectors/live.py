"""The composer's live panel: how one recipient's message is counted, and what could make it cheaper."""

from dataclasses import dataclass

from contacts.selectors.audience import AudienceRow
from gateways.routing.rules import RouteBook
from smscore import Encoding, forcing_characters, segment
from smscore.billing_profile import STANDARD, BillingProfile, estimate_parts
from smscore.transliteration import Level, transliterate

from ..models import Campaign
from .composition import Composition, compose, count_ucs2_parts, get_opt_out_text, label_encoding, spell_without_turkish
from .routes import find_counting, load_campaign_book

PREVIEWS = 50  # recipients one can leaf through


@dataclass(frozen=True, slots=True)
class Culprit:
    """A character of the typed text that keeps it out of a cheaper encoding; `replacement` None: there is none."""

    char: str
    count: int
    forces_ucs2: bool
    replacement: str | None


@dataclass(frozen=True, slots=True)
class Count:
    """The message of one recipient, counted."""

    text: str
    units: int
    capacity: int
    left: int
    parts: int
    encoding: str
    encoding_label: str
    ucs2_parts: int
    saving_percent: int
    parts_without_turkish: int


@dataclass(frozen=True, slots=True)
class Preview:
    recipient: AudienceRow | None
    position: int  # from 1; 0 without recipients
    total: int
    count: Count
    footer: str
    has_turkish_tables: bool = True  # on the way to this recipient
    missing: tuple[str, ...] = ()  # fields of the text that have neither value nor fallback: nothing goes to this one


def preview_campaign(
    campaign: Campaign, contacts: list[AudienceRow], position: int, book: RouteBook | None = None
) -> Preview:
    """The message of the recipient at `position` (from 1, wraps around) of a sample. `book`: if it is at hand."""
    total = min(len(contacts), PREVIEWS)
    position = (position - 1) % total + 1 if total else 0
    recipient = contacts[position - 1] if total else None
    composition = compose(campaign, campaign.tenant)
    book = load_campaign_book(campaign) if book is None else book
    profile = find_counting(book, recipient.msisdn) if recipient else STANDARD
    return Preview(
        recipient,
        position,
        total,
        count_message(composition, recipient, profile=profile),
        get_opt_out_text(campaign, campaign.tenant),
        profile.national,
        composition.find_missing(recipient.msisdn, recipient.name, recipient.attributes) if recipient else (),
    )


def count_message(
    composition: Composition, recipient: AudienceRow | None, *, profile: BillingProfile = STANDARD
) -> Count:
    """The counter for one recipient (None: fields without values): units, parts, encoding, and what it would save.
    `profile`: how the connection counts."""
    text = composition.preview(
        recipient.msisdn if recipient else "",
        recipient.name if recipient else "",
        recipient.attributes if recipient else {},
    )
    sent = segment(text, national=profile.national)
    unfilled = sent.limit * max(sent.parts, 1) - sent.units - sent.units_left  # by wide characters at the end of parts
    billed = estimate_parts(sent.text, profile)
    capacity = profile.find_capacity(billed.encoding, billed.parts)
    ucs2_parts = count_ucs2_parts(sent.text)
    saves = billed.encoding != Encoding.UCS2 and ucs2_parts > billed.parts > 0
    return Count(
        text=sent.text,
        units=billed.units,
        capacity=capacity,
        left=max(0, capacity - billed.units - unfilled),
        parts=billed.parts,
        encoding=billed.encoding,
        encoding_label=label_encoding(billed.encoding),
        ucs2_parts=ucs2_parts,
        saving_percent=100 - round(100 * billed.parts / ucs2_parts) if saves else 0,
        parts_without_turkish=estimate_parts(spell_without_turkish(sent.text), profile).parts,
    )


def list_culprits(text: str, *, national: bool = True) -> list[Culprit]:
    """Characters that cost, the dearest first. Replacing keeps Turkish spelling unless Turkish letters cost as much;
    emoji can only be taken out."""
    level = Level.ACCENTS if national else Level.NO_TURKISH
    culprits = []
    for found in forcing_characters(text, national=national):
        forces_ucs2 = found.encoding == Encoding.UCS2
        replacement: str | None = None
        if forces_ucs2:
            new = transliterate(found.char, level).text
            if new == found.char or any(
                c.encoding == Encoding.UCS2 for c in forcing_characters(new, national=national)
            ):
                new = ""
            replacement = new
        culprits.append(Culprit(found.char, len(found.positions), forces_ucs2, replacement))
    return sorted(culprits, key=lambda culprit: not culprit.forces_ucs2)
