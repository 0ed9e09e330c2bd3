"""Custom fields of contacts."""

from django.db import IntegrityError, connection, transaction
from django.db.models import Max

from accounts.models import Tenant, User
from accounts.services import record_audit
from smscore.folding import fold_key

from ..models import ContactField, ContactGroup, ContactImport
from ..tabular.headers import MAX_LABEL_LENGTH, RESERVED_KEYS, clean_label
from .revisions import bump_revisions

MAX_FIELDS = 60


class FieldRefused(Exception):
    """A field cannot have this name, or there are too many, or an import fills it. `code`: bad_label, too_long,
    reserved, taken, too_many, importing."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def create_field(
    *, tenant: Tenant, label: str, kind: str = ContactField.Kind.TEXT, actor: User | None = None
) -> ContactField:
    """Add a field at the end. FieldRefused."""
    label = _check_label(tenant, label)
    fields = ContactField.objects.filter(tenant=tenant)
    if fields.count() >= MAX_FIELDS:
        raise FieldRefused("too_many")
    last = fields.aggregate(last=Max("position"))["last"] or 0
    field = ContactField(tenant=tenant, key=fold_key(label), label=label, kind=kind, position=last + 1)
    _save(field)
    record_audit(tenant=tenant, actor=actor, action="contact_field.created", target=label)
    return field


@transaction.atomic
def rename_field(*, field: ContactField, label: str, actor: User | None = None) -> ContactField:
    """Change what users see and write in messages; the contacts' values move along. FieldRefused."""
    label = _check_label(field.tenant, label, own=field)
    if fold_key(label) != field.key:
        _keep_imports_out(field)
    old_key, old_label = field.key, field.label
    field.label, field.key = label, fold_key(label)
    _save(field)
    if field.key != old_key:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE contacts_contact SET attributes = attributes - %(old)s "
                "|| jsonb_build_object(%(new)s, attributes -> %(old)s) "
                "WHERE tenant_id = %(tenant)s AND jsonb_exists(attributes, %(old)s)",
                {"old": old_key, "new": field.key, "tenant": field.tenant_id},
            )
            _bump_all(field, cursor.rowcount)
    data = {"name": {"from": old_label, "to": label}}
    record_audit(tenant=field.tenant, actor=actor, action="contact_field.renamed", target=label, data=data)
    return field


@transaction.atomic
def delete_field(*, field: ContactField, actor: User | None = None) -> None:
    """Remove the field and its values from every contact. FieldRefused."""
    _keep_imports_out(field)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE contacts_contact SET attributes = attributes - %(key)s "
            "WHERE tenant_id = %(tenant)s AND jsonb_exists(attributes, %(key)s)",
            {"key": field.key, "tenant": field.tenant_id},
        )
        count = cursor.rowcount
        _bump_all(field, count)
    record_audit(
        tenant=field.tenant, actor=actor, action="contact_field.deleted", target=field.label, data={"values": count}
    )
    field.delete()


def _bump_all(field: ContactField, count: int) -> None:
    """Any list may hold some of the contacts; to ask which would take longer than to prepare an audience again."""
    if count:
        bump_revisions(ContactGroup.objects.filter(tenant=field.tenant).values_list("pk", flat=True))


def _save(field: ContactField) -> None:
    """The name only. FieldRefused also where somebody took it a moment ago."""
    try:
        with transaction.atomic():
            field.save(update_fields=None if field.pk is None else ["label", "key"])
    except IntegrityError as error:
        raise FieldRefused("taken") from error


def _keep_imports_out(field: ContactField) -> None:
    """FieldRefused "importing": chunks on their way would write values under the old key, where nobody finds them.

    `queue_import` locks the fields it fills as well, so that an import about to begin is seen here, or sees the change.
    """
    ContactField.objects.select_for_update(of=("self",)).get(pk=field.pk)
    State = ContactImport.State
    if ContactImport.objects.filter(tenant=field.tenant, state__in=[State.QUEUED, State.RUNNING]).exists():
        raise FieldRefused("importing")


def _check_label(tenant: Tenant, label: str, own: ContactField | None = None) -> str:
    label = " ".join(label.split())
    if not label or clean_label(label) != label:
        raise FieldRefused("bad_label")
    key = fold_key(label)
    if len(key) > MAX_LABEL_LENGTH:  # folded, ß is two letters
        raise FieldRefused("too_long")
    if key in RESERVED_KEYS:
        raise FieldRefused("reserved")
    twins = ContactField.objects.filter(tenant=tenant, key=key)
    if own is not None:
        twins = twins.exclude(pk=own.pk)
    if twins.exists():
        raise FieldRefused("taken")
    return label
