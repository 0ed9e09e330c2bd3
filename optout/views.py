from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.actor import panel_view
from accounts.recent import recent_sign_in_required
from accounts.scope import stream_in_scope
from accounts.services import record_audit
from common.bodies import accepts_upload
from common.exports import CONTENT_TYPES, MsisdnCell, export_response
from common.htmx import render_page_or_part
from common.keyset import paginate
from common.numbers import format_count
from common.tabular.wording import REJECT_REASONS

from .access import access_keyword, access_suppression
from .forms import AddNumbersForm, KeywordForm, RemoveForm, SuppressionFilterForm
from .models import SuppressionEntry
from .number_file import FILE_MAX_BYTES
from .selectors import (
    COUNT_LIMIT,
    count_suppressions,
    iter_suppressions,
    list_keywords,
    list_removed,
    list_suppressions,
)
from .services import (
    InvalidKeyword,
    ReasonMissing,
    add_keyword,
    add_suppressions,
    remove_keyword,
    remove_suppression,
)

Source = SuppressionEntry.Source


def _read_filter(request: HttpRequest) -> dict[str, str]:
    form = SuppressionFilterForm(request.GET)
    form.is_valid()
    return {"query": form.cleaned_data.get("q", ""), "source": form.cleaned_data.get("source", "")}


@require_GET
@panel_view("optout.view")
def list_page(request: HttpRequest) -> HttpResponse:
    tenant = request.actor.tenant  # type: ignore[attr-defined]
    wanted = _read_filter(request)
    page = paginate(list_suppressions(tenant.pk, **wanted), request.GET, order="-pk")
    total = count_suppressions(tenant.pk)
    context = {
        "form": SuppressionFilterForm(request.GET),
        "page": page,
        "total": total,
        "total_is_more": total >= COUNT_LIMIT,
        "is_filtered": any(wanted.values()),
        "source": wanted["source"],
    }
    return render_page_or_part(request, page="optout/list.html", part="optout/_entries.html", context=context)


@require_GET
@panel_view("optout.view")
def history(request: HttpRequest) -> HttpResponse:
    """Numbers taken off the list, with who and why."""
    tenant = request.actor.tenant  # type: ignore[attr-defined]
    page = paginate(list_removed(tenant.pk, query=_read_filter(request)["query"]), request.GET, order="-pk")
    return render(request, "optout/history.html", {"form": SuppressionFilterForm(request.GET), "page": page})


@accepts_upload(lambda: FILE_MAX_BYTES)
@require_http_methods(["GET", "POST"])
@panel_view("optout.edit")
def add(request: HttpRequest) -> HttpResponse:
    form = AddNumbersForm(request.POST or None, request.FILES or None)
    context: dict[str, Any] = {"form": form}
    if request.method == "POST" and form.is_valid():
        read = form.cleaned_data["read"]
        actor = request.actor  # type: ignore[attr-defined]
        context["result"] = result = add_suppressions(
            tenant_id=actor.tenant.pk,
            msisdns=read.msisdns,
            source=Source.IMPORT if form.cleaned_data["file"] else Source.MANUAL,
            reason=form.cleaned_data["reason"],
            actor=actor.user,
        )
        context["read"] = read
        context["rejects"] = [(r.sheet, r.line, r.value, _(REJECT_REASONS[r.reason.value])) for r in read.rejects]
        context["sheets"] = sheets = _describe_sheets(read.sheets)
        if not read.reject_count:
            messages.success(request, f"{_describe(result.added, result.already)} {sheets}".strip())
            return redirect("optout:list")
        context["form"] = AddNumbersForm()
    return render(request, "optout/add.html", context)


def _describe(added: int, already: int) -> str:
    text = ngettext("%(n)s number added.", "%(n)s numbers added.", added) % {"n": format_count(added)}
    if already:
        text += " " + ngettext("%(n)s was there already.", "%(n)s were there already.", already) % {
            "n": format_count(already)
        }
    return text


def _describe_sheets(names: Sequence[str]) -> str:
    """Which sheets were read, where a workbook has several: their numbers may not all have been meant."""
    return _("Sheets read: %(names)s.") % {"names": ", ".join(f"“{name}”" for name in names)} if names[1:] else ""


@require_http_methods(["GET", "POST"])
@panel_view("optout.edit")
def remove(request: HttpRequest, public_id: UUID) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    entry = access_suppression(actor, public_id)
    form = RemoveForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            removed = remove_suppression(entry=entry, actor=actor.user, reason=form.cleaned_data["reason"])
        except ReasonMissing:
            form.add_error("reason", _("Say why."))
        else:
            if removed:
                messages.success(request, _("The number was taken off the list."))
            else:
                messages.info(request, _("The number was off the list already."))
            return redirect("optout:list")
    return render(request, "optout/remove.html", {"entry": entry, "form": form})


@require_GET
@panel_view("optout.edit")
@recent_sign_in_required
def export(request: HttpRequest, kind: str) -> HttpResponseBase:
    """The active entries of the tenant that the list's filter finds."""
    if kind not in CONTENT_TYPES:
        raise Http404
    actor = request.actor  # type: ignore[attr-defined]
    tenant = actor.tenant
    wanted, zone = _read_filter(request), timezone.get_current_timezone()
    labels = {value: str(label) for value, label in Source.choices}

    def produce() -> Any:
        for entry in iter_suppressions(tenant.pk, **wanted):
            added_at = entry.created_at.astimezone(zone)
            yield MsisdnCell(entry.msisdn), labels[entry.source], entry.reason, added_at

    found = {"kind": kind, "source": wanted["source"], "is_filtered": bool(wanted["query"])}
    record_audit(tenant=tenant, actor=actor.user, action="suppression.exported", data=found)
    return export_response(
        kind=kind,
        name=f"{_('suppression-list')}-{timezone.localdate():%Y-%m-%d}",
        header=[_("Number"), _("Source"), _("Reason"), _("Added at")],
        rows=stream_in_scope(tenant.pk, produce),
    )


@require_GET
@panel_view("optout.view")
def keywords(request: HttpRequest) -> HttpResponse:
    """The reply words: the platform's, and the tenant's own."""
    return _render_keywords(request, KeywordForm())


@require_POST
@panel_view("optout.edit")
def keyword_add(request: HttpRequest) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    form = KeywordForm(request.POST)
    if form.is_valid():
        try:
            add_keyword(tenant_id=actor.tenant.pk, keyword=form.cleaned_data["keyword"], actor=actor.user)
        except InvalidKeyword as error:
            known = error.code == "exists"
            form.add_error("keyword", _("This word is known already.") if known else _("Type a word."))
        else:
            messages.success(request, _("The word was added. Replies that begin with it opt out from now on."))
            return redirect("optout:keywords")
    return _render_keywords(request, form)


def _render_keywords(request: HttpRequest, form: KeywordForm) -> HttpResponse:
    words = list(list_keywords(request.actor.tenant.pk))  # type: ignore[attr-defined]
    context = {
        "form": form,
        "platform_words": [word for word in words if word.tenant_id is None],
        "own_words": [word for word in words if word.tenant_id is not None],
    }
    return render(request, "optout/keywords.html", context)


@require_POST
@panel_view("optout.edit")
def keyword_remove(request: HttpRequest, keyword_id: int) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    remove_keyword(keyword=access_keyword(actor, keyword_id), actor=actor.user)
    messages.success(request, _("The word was removed."))
    return redirect("optout:keywords")
