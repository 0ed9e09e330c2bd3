from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.actor import Actor, panel_view

from ..access import access_field
from ..forms.contacts import FieldForm, RenameFieldForm
from ..selectors.fields import list_fields
from ..services.fields import FieldRefused, create_field, delete_field, rename_field
from ..wording import describe_field_problem
from .submitting import submit_form


@require_GET
@panel_view("contacts.view")
def list_page(request: HttpRequest) -> HttpResponse:
    return _render(request, FieldForm())


def _render(request: HttpRequest, form: FieldForm) -> HttpResponse:
    fields = list_fields(request.actor.tenant)  # type: ignore[attr-defined]
    return render(request, "contacts/fields.html", {"form": form, "fields": fields})


@require_POST
@panel_view("contacts.edit")
def add(request: HttpRequest) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    form = FieldForm(request.POST)

    def save() -> None:
        create_field(tenant=actor.tenant, actor=actor.user, **form.cleaned_data)

    if submit_form(request, form, save=save, at="label", done=_("The field was added.")):
        return redirect("contacts:field_list")
    return _render(request, form)


@require_http_methods(["GET", "POST"])
@panel_view("contacts.edit")
def rename(request: HttpRequest, field_id: int) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    field = access_field(actor, field_id)
    form = RenameFieldForm(request.POST or None, initial={"label": field.label})

    def save() -> None:
        rename_field(field=field, label=form.cleaned_data["label"], actor=actor.user)

    done = _("The field was renamed. Texts that name it must be changed by hand.")
    if submit_form(request, form, save=save, at="label", done=done):
        return redirect("contacts:field_list")
    return render(request, "contacts/rename.html", {"form": form, "tab": "fields", "back": "contacts:field_list"})


@require_POST
@panel_view("contacts.edit")
def delete(request: HttpRequest, field_id: int) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    try:
        delete_field(field=access_field(actor, field_id), actor=actor.user)
    except FieldRefused as refused:
        messages.error(request, describe_field_problem(refused.code))
    else:
        messages.success(request, _("The field and its values were deleted."))
    return redirect("contacts:field_list")
