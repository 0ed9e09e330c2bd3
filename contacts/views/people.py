from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.actor import Actor, panel_view
from accounts.recent import recent_sign_in_required
from accounts.scope import stream_in_scope
from accounts.services import record_audit
from common.exports import CONTENT_TYPES, MsisdnCell, export_response
from common.htmx import render_page_or_part
from common.keyset import paginate
from common.numbers import format_count

from ..access import access_contact, access_group
from ..forms.contacts import BulkForm, ContactFilterForm, ContactForm
from ..models import ContactGroup
from ..selectors.contacts import COUNT_LIMIT, count_contacts, iter_contacts, list_contacts, list_owned_ids
from ..selectors.fields import list_fields
from ..selectors.groups import list_groups
from ..services.contacts import create_contact, delete_contacts, update_contact
from ..services.groups import GroupRefused, add_to_group, remove_from_group
from ..wording import describe_group_problem
from .submitting import submit_form

FIELDS_IN_TABLE = 3


def _read_filter(request: HttpRequest) -> tuple[str, ContactGroup | None, str]:
    form = ContactFilterForm(request.GET)
    form.is_valid()
    group = None
    if wanted := request.GET.get("list"):
        try:
            group = access_group(request.actor, UUID(wanted))  # type: ignore[attr-defined]
        except ValueError as error:
            raise Http404 from error
    return form.cleaned_data.get("q", ""), group, form.cleaned_data.get("sort") or "-pk"


@require_GET
@panel_view("contacts.view")
def list_page(request: HttpRequest) -> HttpResponse:
    tenant = request.actor.tenant  # type: ignore[attr-defined]
    query, group, sort = _read_filter(request)
    contacts = list_contacts(tenant.pk, query=query, group=group)
    total = group.contact_count if group and not query else count_contacts(contacts)
    fields = list(list_fields(tenant)[:FIELDS_IN_TABLE])
    page = paginate(contacts, request.GET, order="name_key" if sort == "name" else sort)
    context = {
        "page": page,
        "rows": [(contact, [contact.attributes.get(field.key, "") for field in fields]) for contact in page],
        "fields": fields,
        "groups": list(list_groups(tenant.pk)),
        "group": group,
        "query": query,
        "sort": sort,
        "sorts": ContactFilterForm.SORTS,
        "total": total,
        "total_is_more": total >= COUNT_LIMIT and not (group and not query),
        "is_filtered": bool(query or group),
    }
    return render_page_or_part(request, page="contacts/list.html", part="contacts/_contacts.html", context=context)


@require_http_methods(["GET", "POST"])
@panel_view("contacts.edit")
def new(request: HttpRequest) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    form = ContactForm(request.POST or None, tenant=actor.tenant)

    def save() -> None:
        create_contact(tenant=actor.tenant, actor=actor.user, **form.values())

    if submit_form(request, form, save=save, at="msisdn", done=_("The contact was added.")):
        return redirect("contacts:list")
    return render(request, "contacts/contact.html", {"form": form})


@require_http_methods(["GET", "POST"])
@panel_view("contacts.edit")
def edit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    contact = access_contact(actor, public_id)
    form = ContactForm(request.POST or None, tenant=actor.tenant, contact=contact)

    def save() -> None:
        update_contact(contact=contact, actor=actor.user, **form.changes())

    if submit_form(request, form, save=save, at="msisdn", done=_("The contact was saved.")):
        return redirect("contacts:list")
    return render(request, "contacts/contact.html", {"form": form, "contact": contact})


@require_POST
@panel_view("contacts.edit")
def delete(request: HttpRequest, public_id: UUID) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    contact = access_contact(actor, public_id)
    delete_contacts(tenant=actor.tenant, contact_ids=[contact.pk], actor=actor.user)
    messages.success(request, _("The contact was deleted."))
    return redirect("contacts:list")


@require_POST
@panel_view("contacts.edit")
def bulk(request: HttpRequest) -> HttpResponse:
    """Put the ticked contacts into a list, take them out of one, or delete them."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    back = redirect(_safe_return(request))
    form = BulkForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose what to do."))
        return back
    ids = list_owned_ids(actor.tenant.pk, [value for value in request.POST.getlist("contact") if _is_uuid(value)])
    if not ids:
        messages.warning(request, _("Tick the contacts first."))
        return back
    if form.cleaned_data["action"] == BulkForm.DELETE:
        count = delete_contacts(tenant=actor.tenant, contact_ids=ids, actor=actor.user)
        text = ngettext("%(n)s contact deleted.", "%(n)s contacts deleted.", count)
        messages.success(request, text % {"n": format_count(count)})
    elif form.cleaned_data["group"] is None:
        messages.warning(request, _("Choose a list."))
    else:
        group = access_group(actor, form.cleaned_data["group"])
        _change_members(request, group, ids, is_adding=form.cleaned_data["action"] == BulkForm.ADD)
    return back


def _change_members(request: HttpRequest, group: ContactGroup, ids: list[int], *, is_adding: bool) -> None:
    try:
        if is_adding:
            count = add_to_group(group=group, contact_ids=ids)
            text = ngettext("%(n)s contact added to “%(list)s”.", "%(n)s contacts added to “%(list)s”.", count)
        else:
            count = remove_from_group(group=group, contact_ids=ids)
            text = ngettext("%(n)s contact taken out of “%(list)s”.", "%(n)s contacts taken out of “%(list)s”.", count)
    except GroupRefused as refused:
        messages.error(request, describe_group_problem(refused.code))
    else:
        messages.success(request, text % {"n": format_count(count), "list": group.name})


@require_GET
@panel_view("contacts.export")
@recent_sign_in_required
def export(request: HttpRequest, kind: str) -> HttpResponseBase:
    """The contacts of the current filter with all their fields."""
    if kind not in CONTENT_TYPES:
        raise Http404
    actor: Actor = request.actor  # type: ignore[attr-defined]
    query, group, _sort = _read_filter(request)
    fields = list(list_fields(actor.tenant).values_list("key", "label"))
    keys = [key for key, _label in fields]

    def produce() -> Any:
        for msisdn, name, attributes in iter_contacts(list_contacts(actor.tenant.pk, query=query, group=group)):
            yield MsisdnCell(msisdn), name, *(attributes.get(key, "") for key in keys)

    record_audit(
        tenant=actor.tenant,
        actor=actor.user,
        action="contacts.exported",
        target=group.name if group else "",
        data={"kind": kind, "is_filtered": bool(query)},
    )
    return export_response(
        kind=kind,
        name=f"{pgettext('file name', 'contacts')}-{timezone.localdate():%Y-%m-%d}",
        header=[_("Telephone"), _("Full name"), *(label for _key, label in fields)],
        rows=stream_in_scope(actor.tenant.pk, produce),
    )


def _is_uuid(value: str) -> bool:
    try:
        UUID(value)
    except ValueError:
        return False
    return True


def _safe_return(request: HttpRequest) -> str:
    """Back to the filtered list: only the query string is taken from the form."""
    query = QueryDict(request.POST.get("filter", "")).urlencode()
    return reverse("contacts:list") + (f"?{query}" if query else "")
