"""The list of campaigns; new, copied, deleted ones; and where a campaign's link leads."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.actor import panel_view
from common.htmx import render_page_or_part
from common.keyset import paginate

from ..access import access_campaign
from ..forms import CampaignFilterForm, NameForm
from ..models import Campaign
from ..selectors.campaigns import ORDERS, describe_state, list_campaigns
from ..services.drafts import DELETABLE, DraftContent, create_campaign, delete_campaign, duplicate_campaign
from ..services.errors import NotEditable

PAGE_SIZE = 25


@require_GET
@panel_view("campaigns.view")
def list_page(request: HttpRequest) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    form = CampaignFilterForm(request.GET)
    form.is_valid()
    query, state = form.cleaned_data.get("q", ""), form.cleaned_data.get("state", "")
    order = ORDERS[form.cleaned_data.get("order") or "newest"]
    campaigns = list_campaigns(actor.tenant.pk, query=query, state=state)
    page = paginate(campaigns, request.GET, order=order, size=PAGE_SIZE)
    context = {
        "form": form,
        "page": page,
        "rows": [(campaign, describe_state(campaign), find_url(campaign, actor)) for campaign in page.items],
        "is_filtered": bool(query or state),
        "deletable": DELETABLE,
    }
    return render_page_or_part(request, page="campaigns/list.html", part="campaigns/_campaigns.html", context=context)


@require_http_methods(["GET", "POST"])
@panel_view("campaigns.edit")
def create(request: HttpRequest) -> HttpResponse:
    """A new draft; without a name (the list's button) it is called by its day."""
    actor = request.actor  # type: ignore[attr-defined]
    suggested = _("Campaign of %(date)s") % {"date": date_format(timezone.localdate(), "j F")}
    if request.method == "GET":
        return render(request, "campaigns/create.html", {"form": NameForm(initial={"name": suggested})})
    form = NameForm(request.POST if "name" in request.POST else {"name": suggested})
    if not form.is_valid():
        return render(request, "campaigns/create.html", {"form": form})
    name = form.cleaned_data["name"]
    campaign = create_campaign(tenant=actor.tenant, actor=actor.user, content=DraftContent(name=name))
    return redirect("campaigns:recipients", campaign.public_id)


@require_GET
@panel_view("campaigns.view")
def detail(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Where the campaign stands: its report once launched, its check before, the composer while it is written."""
    actor = request.actor  # type: ignore[attr-defined]
    return redirect(find_url(access_campaign(actor, public_id), actor))


def find_url(campaign: Campaign, actor) -> str:  # type: ignore[no-untyped-def]
    if campaign.status == Campaign.Status.LAUNCHED:
        return reverse("reporting:campaign_report", args=[campaign.public_id])
    if campaign.status == Campaign.Status.DRAFT and actor.may("campaigns.edit"):
        has_lists = campaign.text or campaign.group_links.exists()
        return reverse("campaigns:message" if has_lists else "campaigns:recipients", args=[campaign.public_id])
    return reverse("campaigns:check", args=[campaign.public_id])


@require_POST
@panel_view("campaigns.edit")
def duplicate(request: HttpRequest, public_id: UUID) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    campaign = access_campaign(actor, public_id)
    copy = duplicate_campaign(
        campaign=campaign, actor=actor.user, name=_("%(name)s (copy)") % {"name": campaign.name[:110]}
    )
    messages.success(request, _("The campaign was copied. This is the new draft."))
    return redirect("campaigns:recipients", copy.public_id)


@require_POST
@panel_view("campaigns.edit")
def delete(request: HttpRequest, public_id: UUID) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    campaign = access_campaign(actor, public_id)
    try:
        delete_campaign(campaign=campaign, actor=actor.user)
    except NotEditable:
        messages.error(request, _("A scheduled or launched campaign cannot be deleted."))
        return redirect("campaigns:detail", public_id)
    messages.success(request, _("“%(name)s” was deleted.") % {"name": campaign.name})
    return redirect("campaigns:list")
