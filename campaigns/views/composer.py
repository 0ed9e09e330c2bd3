"""The composer: three steps that save themselves. A step's page and its autosave read the same form."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.actor import Actor, panel_view
from billing.services import NotEnoughCredits
from contacts.models import Contact, ContactField
from contacts.selectors.groups import list_groups
from gateways.selectors.senders import list_approved_senders
from messaging.tasks import ring_senders

from ..access import access_campaign
from ..forms import MessageForm, RecipientsForm, ScheduleForm, TestSendForm
from ..models import Campaign
from ..selectors.estimate import load_sample
from ..selectors.live import preview_campaign
from ..services.audience import prepare_audience
from ..services.drafts import EDITABLE, save_draft
from ..services.errors import DraftConflict, NotEditable, NotReady, NumberSuppressed
from ..services.test_send import send_test
from ..tasks import walk_audience
from . import panels
from .errors import word_credits, word_problems

Make = Callable[[Campaign, Actor, Any], Any]
NEXT = {"recipients": "message", "message": "schedule", "schedule": "check"}
SESSION_TEST_NUMBER = "campaigns_test_number"


def make_recipients(campaign: Campaign, actor: Actor, data: Any) -> RecipientsForm:
    # By letters as people sort them: the database's order puts Ç and İ behind Z.
    groups = list(list_groups(actor.tenant.pk))
    return RecipientsForm(data, groups=groups, initial=RecipientsForm.read(campaign))


def make_message(campaign: Campaign, actor: Actor, data: Any) -> MessageForm:
    senders = list_approved_senders(actor.tenant.pk)
    return MessageForm(data, senders=senders, initial=MessageForm.read(campaign))


def make_schedule(campaign: Campaign, actor: Actor, data: Any) -> ScheduleForm:
    zone = actor.tenant.zone
    return ScheduleForm(data, zone=zone, initial=ScheduleForm.read(campaign, zone))


MAKERS: dict[str, Make] = {"recipients": make_recipients, "message": make_message, "schedule": make_schedule}


@require_http_methods(["GET", "POST"])
@panel_view("campaigns.edit")
def recipients(request: HttpRequest, public_id: UUID) -> HttpResponse:
    return show_step(request, public_id, "recipients")


@require_http_methods(["GET", "POST"])
@panel_view("campaigns.edit")
def message(request: HttpRequest, public_id: UUID) -> HttpResponse:
    return show_step(request, public_id, "message")


@require_http_methods(["GET", "POST"])
@panel_view("campaigns.edit")
def schedule(request: HttpRequest, public_id: UUID) -> HttpResponse:
    return show_step(request, public_id, "schedule")


@require_POST
@panel_view("campaigns.edit")
def save_recipients(request: HttpRequest, public_id: UUID) -> HttpResponse:
    return save_step(request, public_id, "recipients")


@require_POST
@panel_view("campaigns.edit")
def save_message(request: HttpRequest, public_id: UUID) -> HttpResponse:
    return save_step(request, public_id, "message")


@require_POST
@panel_view("campaigns.edit")
def save_schedule(request: HttpRequest, public_id: UUID) -> HttpResponse:
    return save_step(request, public_id, "schedule")


def show_step(request: HttpRequest, public_id: UUID, step: str) -> HttpResponse:
    """GET shows a step; POST (the button, also without JavaScript) saves it and goes on."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    campaign = access_campaign(actor, public_id)
    if campaign.status not in EDITABLE:
        return redirect("campaigns:detail", public_id)
    form = MAKERS[step](campaign, actor, request.POST or None)
    conflict = None
    if request.method == "POST" and form.is_valid():
        try:
            save_draft(campaign=campaign, version=read_version(request), actor=actor.user, **form.changes())
        except DraftConflict as error:
            conflict = error.campaign
        except NotEditable:
            return redirect("campaigns:detail", public_id)
        else:
            return go_on(request, actor, access_campaign(actor, public_id), step)
    context = {
        **panels.build_frame(campaign, step),
        **panels.build_panel(campaign, step, read_position(request)),
        "form": form,
        "form_errors": list_errors(form),
        "conflict": conflict,
        "test_number": request.session.get(SESSION_TEST_NUMBER, ""),
        "fields": ContactField.objects.filter(tenant=actor.tenant) if step == "message" else (),
    }
    return render(request, f"campaigns/{step}.html", context)


def save_step(request: HttpRequest, public_id: UUID, step: str) -> HttpResponse:
    """The autosave: stores what is valid and answers with the step's live panel."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    campaign = access_campaign(actor, public_id)
    form: Form = MAKERS[step](campaign, actor, request.POST)
    context: dict[str, Any] = {"form": form, "is_answer": True, "step": step}
    if form.is_valid():
        try:
            campaign = save_draft(
                campaign=campaign,
                version=read_version(request),
                actor=actor.user,
                **form.changes(),  # type: ignore[attr-defined]
            )
        except DraftConflict as error:
            context["conflict"] = error.campaign
            show_unsaved(campaign, form.changes())  # type: ignore[attr-defined]
        except NotEditable:
            response = HttpResponse(status=204)
            response["HX-Redirect"] = reverse("campaigns:detail", args=[public_id])
            return response
    else:
        context["form_errors"] = list_errors(form)
    context |= panels.build_panel(campaign, step, read_position(request))
    return render(request, "campaigns/_saved.html", {**context, "campaign": campaign})


@require_GET
@panel_view("campaigns.view")
def preview(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The phone with another recipient."""
    campaign = access_campaign(request.actor, public_id)  # type: ignore[attr-defined]
    shown = preview_campaign(campaign, load_sample(campaign).contacts, read_position(request))
    return render(request, "campaigns/_phone.html", {"campaign": campaign, "preview": shown})


@require_POST
@panel_view("campaigns.test")
def test_send(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Send the stored text to the user's own number, as the recipient in the phone would get it."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    campaign = access_campaign(actor, public_id)
    form = TestSendForm(request.POST)
    if not form.is_valid():
        return answer_test(request, campaign, error=" ".join(str(error) for error in form.errors["number"]))
    sample = load_sample(campaign).contacts
    position = read_position(request)
    contact = Contact.objects.get(pk=sample[(position - 1) % len(sample)].contact_id) if sample else None
    number = form.cleaned_data["number"]
    request.session[SESSION_TEST_NUMBER] = str(number)
    try:
        run = send_test(campaign=campaign, msisdn=number, contact=contact, actor=actor.user)
    except NotReady as error:
        return answer_test(request, campaign, error=word_problems(error))
    except NumberSuppressed:
        return answer_test(request, campaign, error=_("This number is on the suppression list; nothing is sent to it."))
    except NotEnoughCredits as error:
        return answer_test(request, campaign, error=word_credits(error))
    ring_senders.delay_on_commit(run_id=run.pk)
    return answer_test(request, campaign, success=_("The test message is on its way."))


def list_errors(form: Form) -> list[str]:
    return [str(error) for errors in form.errors.values() for error in errors]


def answer_test(request: HttpRequest, campaign: Campaign, *, error: str = "", success: str = "") -> HttpResponse:
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "campaigns/_test_result.html", {"error": error, "success": success})
    (messages.error if error else messages.success)(request, error or success)
    return redirect("campaigns:message", campaign.public_id)


def show_unsaved(campaign: Campaign, changes: dict[str, Any]) -> None:
    """Put what the user typed into the row in memory only, so that counter and phone speak of it."""
    for name, value in changes.items():
        if hasattr(campaign, name):
            setattr(campaign, name, value)


def read_version(request: HttpRequest) -> int:
    """The version the user's page was made from; 0 (never right) if it is missing or not a number.

    `keep` is the version that the user has seen in a conflict and wants to write over.
    """
    value = request.POST.get("keep") or request.POST.get("version", "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0


def read_position(request: HttpRequest) -> int:
    value = request.POST.get("position") or request.GET.get("position") or "1"
    return int(value) if re.fullmatch(r"-?[0-9]{1,6}", value) else 1


def go_on(request: HttpRequest, actor: Actor, campaign: Campaign, step: str) -> HttpResponse:
    """To the next step; to the check with the audience being prepared already, if nothing stands against it."""
    if "keep" in request.POST:
        return redirect(f"campaigns:{step}", campaign.public_id)
    if NEXT[step] == "check":
        start_preparing(campaign, actor)
    return redirect(f"campaigns:{NEXT[step]}", campaign.public_id)


def start_preparing(campaign: Campaign, actor: Actor) -> None:
    try:
        prepare_audience(campaign=campaign, version=campaign.version, actor=actor.user)
    except (NotReady, DraftConflict, NotEditable):
        return  # the check page says what stands against it
    walk_audience.delay_on_commit(campaign_id=campaign.pk, tenant_id=actor.tenant.pk)
