from django.db.models import QuerySet

from accounts.models import Tenant

from ..models import ContactField


def list_fields(tenant: Tenant) -> "QuerySet[ContactField, ContactField]":
    """The tenant's custom fields in their order."""
    fields: QuerySet[ContactField, ContactField] = ContactField.objects.filter(tenant=tenant)
    return fields


def load_field_labels(tenant: Tenant) -> dict[str, str]:
    """key → label."""
    return dict(list_fields(tenant).values_list("key", "label"))


def load_field_kinds(tenant_id: int) -> dict[str, str]:
    """key → kind."""
    return dict(ContactField.objects.filter(tenant_id=tenant_id).values_list("key", "kind"))
