"""The revision of a list: one up with every change of who is on it or of what is known of them, in that transaction.

Audiences are compared by it: a change that was under way when one was prepared shows as soon as it is committed.
"""

from collections.abc import Iterable, Sequence

from django.db import connection
from django.db.models import F

from ..models import ContactGroup


def bump_revisions(group_ids: Iterable[int]) -> None:
    """One up for each. Locks them."""
    if held := lock_groups(group_ids):
        ContactGroup.objects.filter(pk__in=held).update(revision=F("revision") + 1)


def lock_groups(group_ids: Iterable[int]) -> list[int]:
    """Those of the lists that are there, held by id until the transaction ends.

    Contacts come before lists, lists before who is on them: whoever keeps to that waits for nobody who waits for him.
    """
    groups = ContactGroup.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=set(group_ids))
    return list(groups.order_by("pk").values_list("pk", flat=True))


def find_groups_of(tenant_id: int, contact_ids: Sequence[int]) -> set[int]:
    """Ids of the lists that any of the contacts is on."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT group_id FROM contacts_contactgroupmember WHERE tenant_id = %s AND contact_id = ANY(%s)",
            [tenant_id, list(contact_ids)],
        )
        return {group_id for (group_id,) in cursor.fetchall()}
