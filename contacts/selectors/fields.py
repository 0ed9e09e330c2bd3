from django.db.models import QuerySet

from accounts.models import Tenant

from ..models import ContactField


def list_fields(tenant: Tenant) -> QuerySet[ContactField]:
    """The tenant's custom fields in their order."""
    return ContactField.objects.filter(tenant=tenant)


def load_field_labels(tenant: Tenant) -> dict[str, str]:
    """key → label."""
    return dict(list_fields(tenant).values_list("key", "label"))
