from django.db.models import QuerySet

from ..models import ContactGroup


def list_groups(tenant_id: int) -> "QuerySet[ContactGroup, ContactGroup]":
    """The tenant's lists by name."""
    groups: QuerySet[ContactGroup, ContactGroup] = ContactGroup.objects.filter(tenant_id=tenant_id)
    return groups.order_by("name", "pk")
