"""A list that goes together with its contacts: asked for at once, done chunk by chunk in the background.

A contact that is on another list as well stays: an import may have met people who were there before it.
"""

from datetime import timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.scope import tenant_scope
from accounts.services import record_audit

from ..models import ContactGroup
from ..selectors.groups import list_only_here
from .contacts import delete_contacts, lock_contacts
from .groups import GroupInUse, delete_group, lock_unused_group

CHUNK: Final = 5_000
SILENCE: Final = timedelta(seconds=60)


@transaction.atomic
def begin_removal(*, group: ContactGroup, actor: User | None) -> None:
    """Mark the list; the caller nudges `tasks.remove_group` after commit. GroupInUse, GroupRefused."""
    locked = lock_unused_group(group)
    locked.removing_since = timezone.now()
    locked.save(update_fields=["removing_since", "updated_at"])
    record_audit(
        tenant=locked.tenant,
        actor=actor,
        action="contact_group.removed",
        target=locked.name,
        data={"contacts": list_only_here(locked).count()},
    )


def remove_group(*, group_id: int, tenant_id: int) -> None:
    """Delete the contacts that are on no other list, then the list. Opens a scope per chunk; may die anywhere."""
    more = True
    while more:
        with tenant_scope(tenant_id):
            more = _remove_chunk(group_id)


def list_stalled_removals() -> list[tuple[int, int]]:
    """(list, tenant) of those that nobody has worked on for a minute. Needs platform scope."""
    stalled = ContactGroup.objects.filter(removing_since__isnull=False, updated_at__lt=timezone.now() - SILENCE)
    return list(stalled.values_list("pk", "tenant_id")[:100])


def _remove_chunk(group_id: int) -> bool:
    """False if nothing is left to do. Without the list's lock: contacts come first, as everywhere."""
    group = ContactGroup.objects.filter(pk=group_id, removing_since__isnull=False).select_related("tenant").first()
    if group is None:
        return False
    if found := list(list_only_here(group)[:CHUNK]):
        # An import may have put some of them on another list while the locks were waited for: ask again under them.
        held = lock_contacts(tenant=group.tenant, contact_ids=found)
        only_here = list_only_here(group).filter(contact_id__in=held)
        delete_contacts(tenant=group.tenant, contact_ids=list(only_here))
        return True
    try:
        delete_group(group=group)
    except GroupInUse:  # by a draft saved at the moment of the question: the list stays, with whoever is left
        ContactGroup.objects.filter(pk=group_id).update(removing_since=None)
    return False
