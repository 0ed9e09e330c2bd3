"""Texts to use again: their list, their form, and the composer's picker."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.actor import Actor, panel_view
from common.htmx import render_page_or_part
from common.keyset import paginate
from contacts.models import ContactField
from smscore import compile_template

from ..access import access_campaign, access_template
from ..forms import TemplateFilterForm, TemplateForm
from ..models import MessageTemplate
from ..selectors.campaigns import list_templates
from ..selectors.checks import word_unknown_fields
from ..selectors.composition import find_unknown_fields, make_composition
from ..selectors.live import count_message, list_culprits
from ..services.templates import TemplateNameTaken, delete_template, save_template

PICKER_SIZE = 50


@require_GET
@panel_view("templates.view")
def list_page(request: HttpRequest) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    form = TemplateFilterForm(request.GET)
    form.is_valid()
    query = form.cleaned_data.get("q", "")
    page = paginate(list_templates(actor.tenant.pk, query=query), request.GET, order="name_key", size=24)
    context = {"form": form, "page": page, "is_filtered": bool(query)}
    return render_page_or_part(
        request, page="campaigns/templates.html", part="campaigns/_templates.html", context=context
    )


@require_http_methods(["GET", "POST"])
@panel_view("templates.edit")
def create(request: HttpRequest) -> HttpResponse:
    return edit_template(request, None)


@require_http_methods(["GET", "POST"])
@panel_view("templates.edit")
def edit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    return edit_template(request, access_template(request.actor, public_id))  # type: ignore[attr-defined]


def edit_template(request: HttpRequest, template: MessageTemplate | None) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    form = TemplateForm(request.POST or None, instance=template)
    fields = list(ContactField.objects.filter(tenant=actor.tenant))
    if request.method == "POST" and form.is_valid():
        unknown = find_unknown_fields(compile_template(form.cleaned_data["text"]), fields)
        if unknown:
            form.add_error("text", word_unknown_fields(unknown, fields))
        else:
            try:
                save_template(tenant=actor.tenant, actor=actor.user, template=template, **form.cleaned_data)
            except TemplateNameTaken:
                form.add_error("name", _("There is a template with this name."))
            else:
                messages.success(request, _("The template was saved."))
                return redirect("campaigns:template_list")
    text = form["text"].value() or ""
    context = {"form": form, "template": template, "fields": fields, **build_counter(text)}
    return render(request, "campaigns/template_form.html", context)


@require_POST
@panel_view("templates.view")
def counter(request: HttpRequest) -> HttpResponse:
    """Characters and parts of a template while it is written; fields count as typed."""
    return render(request, "campaigns/_counter.html", build_counter(request.POST.get("text", "")[:4000]))


def build_counter(text: str) -> dict[str, Any]:
    composition = make_composition(text.replace("\r\n", "\n"))
    culprits = list_culprits(text)
    return {
        "count": count_message(composition, None),
        "ucs2_culprits": [culprit for culprit in culprits if culprit.forces_ucs2],
        "turkish_culprits": [culprit for culprit in culprits if not culprit.forces_ucs2],
    }


@require_POST
@panel_view("templates.edit")
def delete(request: HttpRequest, public_id: UUID) -> HttpResponse:
    template = access_template(request.actor, public_id)  # type: ignore[attr-defined]
    delete_template(template=template, actor=request.actor.user)  # type: ignore[attr-defined]
    messages.success(request, _("“%(name)s” was deleted.") % {"name": template.name})
    return redirect("campaigns:template_list")


@require_GET
@panel_view("templates.view")
def picker(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Templates to put into the message, for the composer's dialog."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    campaign = access_campaign(actor, public_id)
    query = request.GET.get("q", "")[:120]
    found = list_templates(actor.tenant.pk, query=query)[:PICKER_SIZE]
    return render(request, "campaigns/_picker.html", {"templates": found, "query": query, "campaign": campaign})


@require_POST
@panel_view("templates.edit")
def keep_text(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Keep the campaign's text as a template."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    campaign = access_campaign(actor, public_id)
    name = request.POST.get("name", "").strip()[:120]
    context = {}
    if not name or not campaign.text.strip():
        context["error"] = _("Give the template a name; the message must not be empty.")
    else:
        try:
            save_template(tenant=actor.tenant, actor=actor.user, name=name, text=campaign.text)
            context["success"] = _("The template was saved.")
        except TemplateNameTaken:
            context["error"] = _("There is a template with this name.")
    return render(request, "campaigns/_test_result.html", context)
