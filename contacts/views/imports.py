from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.actor import Actor, panel_view
from accounts.scope import stream_in_scope
from common.bodies import accepts_upload
from common.exports import CONTENT_TYPES, export_response
from common.keyset import paginate
from common.tabular.detection import ENCODINGS
from common.tabular.problems import FileProblem

from ..access import access_import
from ..forms.imports import DELIMITER_LABELS, DELIMITER_NAMES, MappingForm, SettingsForm, UploadForm
from ..models import ContactImport
from ..selectors.fields import list_fields, load_field_labels
from ..selectors.groups import list_groups
from ..selectors.imports import iter_rejects, list_imports
from ..services.fields import FieldRefused
from ..services.groups import GroupRefused
from ..services.imports import cancel_import, create_import, queue_import, read_columns, update_import_settings
from ..services.preview import preview_import
from ..tasks import run_import
from ..wording import (
    REJECT_REASONS,
    describe_field_problem,
    describe_file_problem,
    describe_group_problem,
    describe_reason,
)

State = ContactImport.State
HEADER_ROWS = range(1, 21)


@require_GET
@panel_view("contacts.view")
def list_page(request: HttpRequest) -> HttpResponse:
    imports = list_imports(request.actor.tenant.pk)  # type: ignore[attr-defined]
    return render(request, "contacts/imports.html", {"page": paginate(imports, request.GET, order="-created_at")})


@accepts_upload(lambda: int(settings.IMPORT_MAX_BYTES))
@require_http_methods(["GET", "POST"])
@panel_view("contacts.edit")
def upload(request: HttpRequest) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if request.method == "POST" and form.is_valid():
        try:
            created = create_import(tenant=actor.tenant, file=form.cleaned_data["file"], user=actor.user)
        except FileProblem as problem:
            form.add_error("file", describe_file_problem(problem.code, problem.params))
        else:
            return redirect("contacts:import_detail", created.public_id)
    context = {"form": form, "limit_bytes": settings.IMPORT_MAX_BYTES, "limit_mb": settings.IMPORT_MAX_BYTES // 2**20}
    return render(request, "contacts/import_upload.html", context)


@require_GET
@panel_view("contacts.view")
def detail(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The mapping while the file waits for it, progress and result afterwards."""
    contact_import = access_import(request.actor, public_id)  # type: ignore[attr-defined]
    if contact_import.state == State.UPLOADED:
        return _render_mapping(request, contact_import)
    return render(request, "contacts/import_progress.html", _describe_progress(contact_import))


@require_GET
@panel_view("contacts.view")
def progress(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The part of the page that asks again every second until the import is over."""
    contact_import = access_import(request.actor, public_id)  # type: ignore[attr-defined]
    return render(request, "contacts/_import_state.html", _describe_progress(contact_import))


@require_POST
@panel_view("contacts.edit")
def change_settings(request: HttpRequest, public_id: UUID) -> HttpResponse:
    contact_import = access_import(request.actor, public_id)  # type: ignore[attr-defined]
    form = SettingsForm(request.POST)
    if form.is_valid() and (changes := form.changes(contact_import)):
        try:
            with _file_at_hand():
                update_import_settings(contact_import=contact_import, **changes)
        except FileProblem as problem:
            messages.error(request, describe_file_problem(problem.code, problem.params))
    return redirect("contacts:import_detail", contact_import.public_id)


@require_POST
@panel_view("contacts.edit")
def preview(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The preview under the columns chosen so far. Changes nothing."""
    contact_import = _access_open(request, public_id)
    try:
        with _file_at_hand():
            form = _mapping_form(contact_import, request.POST)
            form.is_valid()
            context = _describe_preview(contact_import, form)
    except FileProblem as problem:
        return HttpResponse(headers={"HX-Redirect": _turn_away(request, problem).url})
    return render(request, "contacts/_import_preview.html", context)


@require_POST
@panel_view("contacts.edit")
def start(request: HttpRequest, public_id: UUID) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    contact_import = access_import(actor, public_id)
    if contact_import.state != State.UPLOADED:
        return redirect("contacts:import_detail", contact_import.public_id)  # a second click
    form = None
    try:
        with _file_at_hand():
            form = _mapping_form(contact_import, request.POST)
            if not form.is_valid():
                return _render_mapping(request, contact_import, form, _("Check the columns."))
            queued = queue_import(
                contact_import=contact_import,
                mapping=form.mapping(),
                list_name=form.cleaned_data["list_name"],
                on_existing=form.cleaned_data["on_existing"],
                settings_digest=form.cleaned_data["settings_digest"],
                user=actor.user,
            )
    except FileProblem as problem:
        if problem.code == "settings_changed":  # the columns that were chosen are those of another table
            contact_import, form = access_import(actor, public_id), None
        return _render_mapping(request, contact_import, form, describe_file_problem(problem.code, problem.params))
    except FieldRefused as refused:
        return _render_mapping(request, contact_import, form, describe_field_problem(refused.code))
    except GroupRefused as refused:
        return _render_mapping(request, contact_import, form, describe_group_problem(refused.code))
    run_import.delay_on_commit(import_id=queued.pk, tenant_id=actor.tenant.pk)
    return redirect("contacts:import_detail", queued.public_id)


@require_POST
@panel_view("contacts.edit")
def cancel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    contact_import = access_import(actor, public_id)
    was_open = contact_import.state == State.UPLOADED
    cancel_import(contact_import=contact_import, actor=actor.user)
    if was_open:
        return redirect("contacts:list")
    return redirect("contacts:import_detail", contact_import.public_id)


@require_GET
@panel_view("contacts.export")
def rejects(request: HttpRequest, public_id: UUID, kind: str) -> HttpResponseBase:
    """The bad rows: where, what, why."""
    if kind not in CONTENT_TYPES:
        raise Http404
    actor: Actor = request.actor  # type: ignore[attr-defined]
    contact_import = access_import(actor, public_id)
    fields = {"msisdn": _("Telephone"), "name": _("Name"), "": _("Row"), **load_field_labels(actor.tenant)}
    # Worked out now: rows are read after the request, when its language is no longer set.
    reasons = {reason: describe_reason(reason) for reason in REJECT_REASONS}

    def produce() -> Any:
        for reject in iter_rejects(contact_import):
            reason = reasons.get(reject.reason, reject.reason)
            yield reject.row_number, fields.get(reject.field, reject.field), reason, reject.value

    return export_response(
        kind=kind,
        name=f"{_('rejected-rows')}-{contact_import.created_at:%Y-%m-%d}",
        header=[_("Row"), _("Field"), _("Reason"), _("Value")],
        rows=stream_in_scope(actor.tenant.pk, produce),
    )


def _access_open(request: HttpRequest, public_id: UUID) -> ContactImport:
    contact_import = access_import(request.actor, public_id)  # type: ignore[attr-defined]
    if contact_import.state != State.UPLOADED:
        raise Http404
    return contact_import


@contextmanager
def _file_at_hand() -> Iterator[None]:
    """FileProblem "file_gone" where the upload is looked for and is not there any more."""
    try:
        yield
    except FileNotFoundError as error:
        raise FileProblem("file_gone") from error


def _turn_away(request: HttpRequest, problem: FileProblem) -> HttpResponseRedirect:
    """To a new upload: this one cannot be read at all."""
    messages.error(request, describe_file_problem(problem.code, problem.params))
    return HttpResponseRedirect(reverse("contacts:import_upload"))


def _mapping_form(contact_import: ContactImport, data: Any = None) -> MappingForm:
    return MappingForm(
        data,
        headers=read_columns(contact_import),
        mapping=contact_import.mapping,
        known_fields=list(list_fields(contact_import.tenant)),
        list_name=PurePath(contact_import.file_name).stem.replace("_", " ")[:120],
    )


def _render_mapping(
    request: HttpRequest, contact_import: ContactImport, form: MappingForm | None = None, refusal: str = ""
) -> HttpResponse:
    try:
        with _file_at_hand():
            form = form or _mapping_form(contact_import)
            context = _describe_preview(contact_import, form)
    except FileProblem as problem:
        return _turn_away(request, problem)
    context |= {
        "refusal": refusal,
        "groups": list_groups(contact_import.tenant_id),
        "encodings": ENCODINGS,
        "delimiters": DELIMITER_LABELS,
        "header_rows": [(0, _("No header row")), *((n, _("Row %(number)s") % {"number": n}) for n in HEADER_ROWS)],
    }
    return render(request, "contacts/import_mapping.html", context)


def _describe_preview(contact_import: ContactImport, form: MappingForm) -> dict[str, Any]:
    found = preview_import(contact_import=contact_import, mapping=form.mapping())
    problem = describe_file_problem(found.problem.code, found.problem.params) if found.problem else ""
    names = {delimiter: name for name, delimiter in DELIMITER_NAMES.items()}
    return {
        "contact_import": contact_import,
        "form": form,
        "preview": found,
        "problem": problem,
        "rows": [
            (
                row,
                [(cell, describe_reason(cell.reason) if cell.reason else "") for cell in row.cells],
                describe_reason(row.reason) if row.reason else "",
            )
            for row in found.rows
        ],
        "reasons": [(describe_reason(reason), count) for reason, count in found.rejected_counts.items()],
        "encoding_label": ENCODINGS.get(contact_import.settings.get("encoding", ""), ""),
        "delimiter_name": names.get(contact_import.settings.get("delimiter", ""), ""),
        "delimiter_label": DELIMITER_LABELS[names.get(contact_import.settings.get("delimiter", ""), "comma")],
    }


def _describe_progress(contact_import: ContactImport) -> dict[str, Any]:
    counts = sorted(contact_import.rejected_counts.items(), key=lambda item: -item[1])
    error = contact_import.error
    return {
        "contact_import": contact_import,
        "is_live": contact_import.state in (State.QUEUED, State.RUNNING),
        "done": contact_import.position,
        "expected": contact_import.row_estimate or 0,
        "reasons": [(describe_reason(reason), count) for reason, count in counts],
        "error": describe_file_problem(error["code"], error["params"]) if error else "",
    }
