from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.actor import Actor, panel_view
from common.keyset import paginate
from common.searching import contains_words

from ..access import access_group
from ..forms.contacts import GroupForm
from ..selectors.groups import list_groups, list_only_here
from ..services.group_removal import begin_removal
from ..services.groups import GroupInUse, GroupRefused, create_group, delete_group, rename_group
from ..tasks import remove_group
from ..wording import describe_group_problem, describe_group_users
from .submitting import submit_form


@require_GET
@panel_view("contacts.view")
def list_page(request: HttpRequest) -> HttpResponse:
    return _render(request, GroupForm())


def _render(request: HttpRequest, form: GroupForm) -> HttpResponse:
    query = request.GET.get("q", "").replace("\0", "").strip()[:120]
    groups = list_groups(request.actor.tenant.pk, with_removed=True)  # type: ignore[attr-defined]
    if query:
        groups = groups.filter(contains_words("name", query))
    context = {"form": form, "page": paginate(groups, request.GET, order="name_key"), "query": query}
    return render(request, "contacts/groups.html", context)


@require_POST
@panel_view("contacts.edit")
def add(request: HttpRequest) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    form = GroupForm(request.POST)

    def save() -> None:
        create_group(tenant=actor.tenant, name=form.cleaned_data["name"], actor=actor.user)

    if submit_form(request, form, save=save, at="name", done=_("The list was created.")):
        return redirect("contacts:group_list")
    return _render(request, form)


@require_http_methods(["GET", "POST"])
@panel_view("contacts.edit")
def rename(request: HttpRequest, public_id: UUID) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    group = access_group(actor, public_id)
    form = GroupForm(request.POST or None, initial={"name": group.name})

    def save() -> None:
        rename_group(group=group, name=form.cleaned_data["name"], actor=actor.user)

    if submit_form(request, form, save=save, at="name", done=_("The list was renamed.")):
        return redirect("contacts:group_list")
    return render(request, "contacts/rename.html", {"form": form, "tab": "groups", "back": "contacts:group_list"})


@require_POST
@panel_view("contacts.edit")
def delete(request: HttpRequest, public_id: UUID) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    try:
        delete_group(group=access_group(actor, public_id), actor=actor.user)
    except GroupInUse as refused:
        messages.error(request, describe_group_users(refused.users))
    except GroupRefused as refused:
        messages.error(request, describe_group_problem(refused.code))
    else:
        messages.success(request, _("The list was deleted. Its contacts are still there."))
    return redirect("contacts:group_list")


@require_http_methods(["GET", "POST"])
@panel_view("contacts.edit")
def remove(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The list with the contacts that are on no other: what a wrong import brought."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    group = access_group(actor, public_id)
    if request.method == "GET":
        context = {"group": group, "only_here": list_only_here(group).count()}
        return render(request, "contacts/remove_group.html", context)
    try:
        begin_removal(group=group, actor=actor.user)
    except GroupInUse as refused:
        messages.error(request, describe_group_users(refused.users))
    except GroupRefused as refused:
        messages.error(request, describe_group_problem(refused.code))
    else:
        remove_group.delay_on_commit(group_id=group.pk, tenant_id=actor.tenant.pk)
        messages.success(request, _("The list and its contacts are being deleted."))
    return redirect("contacts:group_list")
