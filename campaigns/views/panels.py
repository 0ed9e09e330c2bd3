"""What the composer's live panels show, put together from selectors."""

from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts.models import ContactField
from smscore.lint import find_commercial_words

from ..models import Campaign
from ..selectors import characters, lengths
from ..selectors.checks import list_hints, list_text_problems
from ..selectors.composition import get_commercial_hours, get_sending_window
from ..selectors.estimate import estimate_campaign, load_sample
from ..selectors.funnel import build_estimate_funnel
from ..selectors.live import list_culprits, preview_campaign
from ..selectors.problems import STOP, WARN
from ..selectors.routes import load_campaign_book

STEPS = ("recipients", "message", "schedule", "check")


def build_frame(campaign: Campaign, step: str) -> dict[str, Any]:
    """Heading and steps of a composer page."""
    labels = [_("Recipients"), _("Message"), _("Timing"), _("Check and send")]
    urls = [reverse(f"campaigns:{name}", args=[campaign.public_id]) for name in STEPS]
    return {
        "campaign": campaign,
        "step": step,
        "steps": list(zip(labels, urls, strict=True)),
        "step_number": STEPS.index(step) + 1,
    }


def build_panel(campaign: Campaign, step: str, position: int) -> dict[str, Any]:
    return {"recipients": build_recipients, "message": build_message, "schedule": build_schedule}[step](
        campaign, position
    )


def build_recipients(campaign: Campaign, position: int) -> dict[str, Any]:
    sample = load_sample(campaign)
    estimate = estimate_campaign(campaign, sample)
    return {"estimate": estimate, "funnel": build_estimate_funnel(estimate)}


def build_message(campaign: Campaign, position: int) -> dict[str, Any]:
    sample = load_sample(campaign)
    fields = list(ContactField.objects.filter(tenant_id=campaign.tenant_id))
    book = load_campaign_book(campaign)
    estimate = estimate_campaign(campaign, sample, book)
    problems = []
    if campaign.text.strip():
        problems = list_text_problems(campaign, campaign.tenant, fields)
        problems += characters.find_estimated_problems(campaign, estimate)
        problems += lengths.find_estimated_problems(campaign, estimate)
    preview = preview_campaign(campaign, sample.contacts, position, book)
    culprits = list_culprits(campaign.text, national=preview.has_turkish_tables)
    return {
        "preview": preview,
        "estimate": estimate,
        "problems": [problem for problem in problems if problem.level == STOP],
        "warnings": [problem for problem in problems if problem.level == WARN],
        "hints": list_hints(campaign, campaign.tenant) if campaign.text.strip() else [],
        "ucs2_culprits": [culprit for culprit in culprits if culprit.forces_ucs2],
        "turkish_culprits": [culprit for culprit in culprits if not culprit.forces_ucs2],
        "commercial_words": find_commercial_words(campaign.text) if campaign.content_class == "informational" else (),
        "has_opt_out_code": bool(campaign.tenant.opt_out_code and campaign.tenant.opt_out_number),
    }


def build_schedule(campaign: Campaign, position: int = 1) -> dict[str, Any]:
    window = get_sending_window(campaign, campaign.tenant)
    begins = campaign.scheduled_at or timezone.now()
    opens, closes = get_commercial_hours()
    return {
        "window": window,
        "opens": opens,
        "closes": closes,
        "is_commercial": campaign.content_class == "commercial",
        "begins_at": window.next_open(begins) if window else begins,
        "waits_for_window": bool(window and not window.is_open(begins)),
    }
