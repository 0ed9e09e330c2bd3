"""Lists of contacts and who is in them."""

from collections.abc import Callable, Sequence

from django.db import IntegrityError, connection, transaction
from django.db.models import Value
from django.db.models.functions import Lower

from accounts.models import Tenant, User
from accounts.services import record_audit

from ..models import ContactGroup, ContactGroupMember, ContactImport
from .revisions import lock_groups

MAX_NAME_LENGTH = 120


class GroupRefused(Exception):
    """A list cannot have this name, or not be removed, or not be filled. `code`: empty, too_long, taken, removing,
    importing, gone."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class GroupInUse(Exception):
    """The list cannot go: what is named in `users` would reach others without it."""

    def __init__(self, users: Sequence[str]) -> None:
        super().__init__(", ".join(users))
        self.users = tuple(users)


_find_users: list[Callable[[ContactGroup], list[str]]] = []


def protect_groups(find_users: Callable[[ContactGroup], list[str]]) -> None:
    """For apps above this one, once at start-up: names of what of theirs keeps a list from being deleted."""
    if find_users not in _find_users:
        _find_users.append(find_users)


def find_or_create_group(*, tenant: Tenant, name: str, actor: User | None = None) -> ContactGroup:
    """The list of this name, made if it is not there; locked, so that it is not removed before it is used.
    GroupRefused."""
    name = _clean_name(name)
    group = _find_by_name(tenant, name, lock=True)
    if group is not None and group.removing_since is not None:
        raise GroupRefused("removing")
    try:
        return group or create_group(tenant=tenant, name=name, actor=actor)
    except GroupRefused:
        made_meanwhile = _find_by_name(tenant, name, lock=True)
        if made_meanwhile is None:
            raise
        return made_meanwhile


def create_group(*, tenant: Tenant, name: str, actor: User | None = None) -> ContactGroup:
    """GroupRefused."""
    name = _clean_name(name)
    if _find_by_name(tenant, name):
        raise GroupRefused("taken")
    group = ContactGroup(tenant=tenant, name=name)
    _save(group)
    record_audit(tenant=tenant, actor=actor, action="contact_group.created", target=name)
    return group


def rename_group(*, group: ContactGroup, name: str, actor: User | None = None) -> ContactGroup:
    """GroupRefused."""
    name = _clean_name(name)
    twin = _find_by_name(group.tenant, name)
    if twin is not None and twin.pk != group.pk:
        raise GroupRefused("taken")
    old, group.name = group.name, name
    _save(group)
    data = {"name": {"from": old, "to": name}}
    record_audit(tenant=group.tenant, actor=actor, action="contact_group.renamed", target=name, data=data)
    return group


@transaction.atomic
def delete_group(*, group: ContactGroup, actor: User | None = None) -> None:
    """Remove the list; its contacts stay. GroupInUse, GroupRefused."""
    group = lock_unused_group(group)
    members = ContactGroupMember.objects.filter(group=group)
    count = members._raw_delete(members.db)
    record_audit(
        tenant=group.tenant, actor=actor, action="contact_group.deleted", target=group.name, data={"contacts": count}
    )
    group.delete()


def lock_unused_group(group: ContactGroup) -> ContactGroup:
    """The row, held until the transaction ends, so that nobody begins to use it meanwhile.

    GroupInUse; GroupRefused "gone", or "importing": the rest of the file would go to no list.
    """
    locked = ContactGroup.objects.select_for_update(of=("self",)).filter(pk=group.pk).first()
    if locked is None:
        raise GroupRefused("gone")
    State = ContactImport.State
    if ContactImport.objects.filter(group=locked, state__in=[State.QUEUED, State.RUNNING]).exists():
        raise GroupRefused("importing")
    if users := [name for find_users in _find_users for name in find_users(locked)]:
        raise GroupInUse(users)
    return locked


def add_to_group(*, group: ContactGroup, contact_ids: Sequence[int]) -> int:
    """Put contacts into a list; return how many were not in it before. GroupRefused "gone"."""
    present = _hold(group, contact_ids)
    if not ContactGroup.objects.filter(pk=group.pk, removing_since=None).exists():
        raise GroupRefused("gone")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO contacts_contactgroupmember (tenant_id, group_id, contact_id) "
            "SELECT %s, %s, unnest(%s::bigint[]) ON CONFLICT DO NOTHING",
            [group.tenant_id, group.pk, present],
        )
        added: int = cursor.rowcount
    _change_count(group, added)
    return added


def remove_from_group(*, group: ContactGroup, contact_ids: Sequence[int]) -> int:
    """Take contacts out of a list; return how many were in it."""
    members = ContactGroupMember.objects.filter(group=group, contact_id__in=_hold(group, contact_ids))
    removed: int = members._raw_delete(members.db)
    _change_count(group, -removed)
    return removed


def _hold(group: ContactGroup, contact_ids: Sequence[int]) -> list[int]:
    """Those of the contacts that are there; they and the list stay until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM contacts_contact WHERE tenant_id = %s AND id = ANY(%s) ORDER BY id FOR KEY SHARE",
            [group.tenant_id, list(contact_ids)],
        )
        present = [pk for (pk,) in cursor.fetchall()]
    lock_groups([group.pk])
    return present


def _change_count(group: ContactGroup, change: int) -> None:
    if not change:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE contacts_contactgroup SET contact_count = greatest(contact_count + %s, 0), "
            "revision = revision + 1, updated_at = now() WHERE id = %s AND tenant_id = %s",
            [change, group.pk, group.tenant_id],
        )
    group.refresh_from_db(fields=["contact_count"])


def _save(group: ContactGroup) -> None:
    """The name only. GroupRefused also where somebody took it a moment ago."""
    try:
        with transaction.atomic():
            group.save(update_fields=None if group.pk is None else ["name", "updated_at"])
    except IntegrityError as error:
        raise GroupRefused("taken") from error


def _clean_name(name: str) -> str:
    name = " ".join(name.replace("\0", "").split())
    if not name:
        raise GroupRefused("empty")
    if len(name) > MAX_NAME_LENGTH:
        raise GroupRefused("too_long")
    return name


def _find_by_name(tenant: Tenant, name: str, *, lock: bool = False) -> ContactGroup | None:
    groups = ContactGroup.objects.all()
    if lock:
        groups = groups.select_for_update(of=("self",), no_key=True)
    # The database folds both sides: the same function as the unique index.
    found: ContactGroup | None = (
        groups.alias(folded=Lower("name")).filter(tenant=tenant, folded=Lower(Value(name))).first()
    )
    return found
