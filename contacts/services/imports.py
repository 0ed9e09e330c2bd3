"""An import's way from the upload to the queue. The work itself is in `import_run`."""

from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import Tenant, User
from accounts.services import record_audit
from common.tabular.detection import FileSettings, read_sample, verify_text
from common.tabular.problems import MAX_COLUMNS, FileProblem
from smscore.folding import fold_key

from ..models import ContactField, ContactImport
from ..selectors.fields import load_field_kinds, load_field_labels
from ..tabular.headers import MSISDN, NAME, SURNAME, clean_label, detect_header_row, guess_targets
from ..tabular.normalising import ImportPlan
from .fields import create_field
from .groups import find_or_create_group
from .uploads import (
    UploadFile,
    detect_settings,
    discard_upload,
    keep_rows,
    locate_new_rows,
    locate_rows,
    open_workbook,
    store_upload,
)

_OWN_NAMES = {
    **dict.fromkeys(("telefon", "numara", "msisdn", "phone", "cep", "gsm"), MSISDN),
    **dict.fromkeys(("isim", "ad", "ad soyad", "name", "full name"), NAME),
    **dict.fromkeys(("soyad", "soyisim", "surname", "last name"), SURNAME),
}


def create_import(*, tenant: Tenant, file: UploadFile, user: User | None) -> ContactImport:
    """Store an upload, find out how to read it and guess its columns. FileProblem; then nothing is kept."""
    stored_path, size = store_upload(tenant.pk, file)
    try:
        settings = detect_settings(stored_path)
        contact_import = ContactImport(
            tenant=tenant,
            file_name=str(file.name or "")[-255:],
            stored_path=stored_path,
            size_bytes=size,
            created_by=user,
        )
        _apply_settings(contact_import, settings, locate_rows(stored_path, settings.kind))
        with transaction.atomic():
            contact_import.save()
    except BaseException:
        discard_upload(stored_path)
        raise
    return contact_import


def update_import_settings(*, contact_import: ContactImport, **changes: Any) -> ContactImport:
    """Read the file another way: encoding, delimiter, header_row, sheet. Columns are guessed anew. FileProblem.

    In a transaction, as `queue_import`: whoever comes second finds what the first has done.
    """
    contact_import = ContactImport.objects.select_for_update(of=("self",)).get(pk=contact_import.pk)
    if contact_import.state != ContactImport.State.UPLOADED:
        raise FileProblem("already_started")
    settings = FileSettings.from_json({**contact_import.settings, **changes})
    stored_path = contact_import.stored_path
    path = locate_rows(stored_path, settings.kind)
    is_other_sheet = settings.kind == "xlsx" and settings.sheet != contact_import.settings["sheet"]
    if is_other_sheet:
        settings, path = open_workbook(stored_path, settings.sheet), locate_new_rows(stored_path)
    elif settings.kind == "csv":
        verify_text(path, settings.encoding)
        if "header_row" not in changes:
            settings.header_row = detect_header_row(read_sample(path, settings))
    _apply_settings(contact_import, settings, path)
    contact_import.save(update_fields=["settings", "mapping"])
    if is_other_sheet:
        keep_rows(stored_path)
    return contact_import


def queue_import(
    *,
    contact_import: ContactImport,
    mapping: dict[str, str | None],
    list_name: str,
    on_existing: str = ContactImport.OnExisting.UPDATE,
    settings_digest: str | None = None,
    user: User | None = None,
) -> ContactImport:
    """Fix what the import shall do; the caller nudges the task after commit. FileProblem, FieldRefused.

    `mapping`: column index → target as in `ContactImport.mapping`. New fields are created, so is the list.
    `settings_digest`: what the mapping was made for; FileProblem "settings_changed" if the file is read otherwise now.
    Twice is once: an import that is queued already stays as it is.
    """
    locked: ContactImport = ContactImport.objects.select_for_update().get(pk=contact_import.pk)
    if locked.state != ContactImport.State.UPLOADED:
        return locked
    if settings_digest is not None and settings_digest != locked.settings_digest:
        raise FileProblem("settings_changed")
    tenant = locked.tenant
    columns = read_columns(locked)
    check_mapping(locked, mapping, columns)
    with transaction.atomic():
        locked.mapping = {column: _settle_target(tenant, target, user) for column, target in mapping.items()}
        keys = [target.removeprefix("field:") for target in locked.mapping.values() if target]
        # Until it is queued: whoever renames or deletes one of them afterwards finds an import under way.
        list(ContactField.objects.select_for_update(of=("self",)).filter(tenant=tenant, key__in=keys).order_by("pk"))
        build_plan(locked, len(columns))
        locked.group = find_or_create_group(tenant=tenant, name=list_name, actor=user) if list_name.strip() else None
        locked.on_existing = on_existing
        locked.state = ContactImport.State.QUEUED
        locked.heartbeat_at = timezone.now()
        locked.save()
        record_audit(
            tenant=tenant, actor=user, action="contact_import.queued", target=locked.file_name, data={"list": list_name}
        )
    return locked


def map_by_header(contact_import: ContactImport, chosen: dict[str, str]) -> dict[str, str | None]:
    """The guessed mapping with columns set by name: header → "telefon", "isim", "soyad", a field's label, or "".

    Headers and names are compared folded; a label that is no field yet becomes a text field. FileProblem
    "unknown_header", "unknown_field".
    """
    mapping: dict[str, str | None] = dict(contact_import.mapping)
    headers = [fold_key(header) for header in read_columns(contact_import)]
    for header, name in chosen.items():
        if fold_key(header) not in headers:
            raise FileProblem("unknown_header", header=header)
        target = _find_target(contact_import, name)
        for column, guess in mapping.items():
            if target and guess == target:
                mapping[column] = None  # what the user says replaces the guess
        mapping[str(headers.index(fold_key(header)))] = target
    return mapping


def _find_target(contact_import: ContactImport, name: str) -> str | None:
    if not name:
        return None
    key = fold_key(name)
    if key in _OWN_NAMES:
        return _OWN_NAMES[key]
    if ContactField.objects.filter(tenant=contact_import.tenant, key=key).exists():
        return f"field:{key}"
    if clean_label(name) != name:
        raise FileProblem("unknown_field", field=name)
    return f"new:{ContactField.Kind.TEXT}:{name}"


def cancel_import(*, contact_import: ContactImport, actor: User | None) -> None:
    """Stop an import. What came in so far stays; the worker notices before its next chunk."""
    locked: ContactImport = ContactImport.objects.select_for_update().get(pk=contact_import.pk)
    state = ContactImport.State
    if locked.state in (state.UPLOADED, state.QUEUED):
        locked.state, locked.finished_at = state.CANCELLED, timezone.now()
        stored_path = locked.stored_path
        transaction.on_commit(lambda: discard_upload(stored_path))
    elif locked.state == state.RUNNING:
        locked.cancel_requested = True
    else:
        return
    locked.save(update_fields=["state", "finished_at", "cancel_requested"])
    record_audit(tenant=locked.tenant, actor=actor, action="contact_import.cancelled", target=locked.file_name)


def check_mapping(contact_import: ContactImport, mapping: dict[str, str | None], headers: list[str]) -> None:
    """FileProblem "no_phone_column", "duplicate_headers", "duplicate_target": told before anything is created."""
    chosen: dict[str, int] = {}
    for column, target in sorted(mapping.items(), key=lambda item: int(item[0])):
        if not target:
            continue
        index = int(column)
        if not 0 <= index < len(headers):
            raise FileProblem("unknown_column", column=index + 1)
        name = f"field:{fold_key(target.split(':', 2)[2])}" if target.startswith("new:") else target
        if name in chosen:
            first = chosen[name]
            if headers[first] and fold_key(headers[first]) == fold_key(headers[index]):
                raise FileProblem("duplicate_headers", header=headers[index], first=first + 1, second=index + 1)
            raise FileProblem("duplicate_target", first=first + 1, second=index + 1)
        chosen[name] = index
    if "msisdn" not in chosen:
        raise FileProblem("no_phone_column")


def read_columns(contact_import: ContactImport) -> list[str]:
    """The columns' headers; "" where there is none. FileProblem if the file holds a header only, or nothing."""
    settings = FileSettings.from_json(contact_import.settings)
    return split_header(read_sample(locate_rows(contact_import.stored_path, settings.kind), settings), settings)[0]


def split_header(
    sample: list[tuple[int, list[str]]], settings: FileSettings
) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Headers and the rows below them. FileProblem "empty_file", "header_only", "too_many_columns"."""
    if not sample:
        raise FileProblem("empty_file")
    header = next((row for number, row in sample if number == settings.header_row), [])
    body = [(number, row) for number, row in sample if number > settings.header_row]
    if not body:
        raise FileProblem("header_only")
    width = len(header) or max(len(row) for _, row in body)
    if width > MAX_COLUMNS:
        raise FileProblem("too_many_columns", row=sample[0][0], count=width, limit=MAX_COLUMNS)
    return [cell.strip() for cell in header] or [""] * width, body


def build_plan(contact_import: ContactImport, column_count: int) -> ImportPlan:
    """The mapping as the row loop needs it. FileProblem, also for a field that was not made yet: what comes in under
    a key without a field is seen nowhere."""
    for target in contact_import.mapping.values():
        if target and target.startswith("new:"):
            raise FileProblem("unknown_field", field=target.split(":", 2)[2])
    return ImportPlan.from_mapping(contact_import.mapping, load_field_kinds(contact_import.tenant_id), column_count)


def _apply_settings(contact_import: ContactImport, settings: FileSettings, path: Path) -> None:
    """`path`: where the rows are, read so. FileProblem; then the import is what it was."""
    headers, body = split_header(read_sample(path, settings), settings)
    targets = guess_targets(headers, [row for _, row in body], load_field_labels(contact_import.tenant))
    contact_import.settings = settings.as_json()
    contact_import.mapping = {str(index): target for index, target in enumerate(targets)}


def _settle_target(tenant: Tenant, target: str | None, user: User | None) -> str | None:
    """A target that names an existing field; `new:KIND:LABEL` becomes one."""
    if not target or not target.startswith("new:"):
        return target or None
    _, kind, label = target.split(":", 2)
    existing = ContactField.objects.filter(tenant=tenant, key=fold_key(label)).first()
    field = existing or create_field(tenant=tenant, label=label, kind=kind, actor=user)
    return f"field:{field.key}"
