from django.db.models import Exists, OuterRef, QuerySet

from common.ordering import turkish_key

from ..models import ContactGroup, ContactGroupMember


def list_groups(tenant_id: int, *, with_removed: bool = False) -> "QuerySet[ContactGroup, ContactGroup]":
    """The tenant's lists by name, with its sort key as `name_key`; those that are being removed only for the eye."""
    groups: QuerySet[ContactGroup, ContactGroup] = ContactGroup.objects.filter(tenant_id=tenant_id)
    if not with_removed:
        groups = groups.filter(removing_since=None)
    return groups.annotate(name_key=turkish_key("name")).order_by("name_key", "pk")


def list_only_here(group: ContactGroup) -> "QuerySet[ContactGroupMember, int]":
    """Ids of the list's contacts that are on no other list, in order."""
    elsewhere = ContactGroupMember.objects.filter(contact=OuterRef("contact")).exclude(group=group)
    members = ContactGroupMember.objects.filter(group=group).exclude(Exists(elsewhere))
    ids: QuerySet[ContactGroupMember, int] = members.order_by("contact_id").values_list("contact_id", flat=True)
    return ids
