from django.db.models import QuerySet

from common.ordering import turkish_key

from ..models import ContactGroup


def list_groups(tenant_id: int) -> "QuerySet[ContactGroup, ContactGroup]":
    """The tenant's lists by name, with its sort key as `name_key`."""
    groups: QuerySet[ContactGroup, ContactGroup] = ContactGroup.objects.filter(tenant_id=tenant_id)
    return groups.annotate(name_key=turkish_key("name")).order_by("name_key", "pk")
