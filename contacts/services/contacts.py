"""Contacts made, changed and deleted by hand."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Greatest, Now

from accounts.models import Tenant, User
from accounts.services import record_audit
from smscore import mask_msisdn

from ..models import Contact, ContactGroup, ContactGroupMember
from .groups import add_to_group, remove_from_group
from .revisions import bump_revisions, find_groups_of, lock_groups


class NumberTaken(Exception):
    """Another contact of the tenant has this number; it is in `contact`."""

    def __init__(self, contact: Contact) -> None:
        super().__init__("number taken")
        self.contact = contact


def create_contact(
    *,
    tenant: Tenant,
    msisdn: str,
    name: str = "",
    attributes: Mapping[str, str] | None = None,
    groups: Sequence[ContactGroup] = (),
    actor: User | None = None,
) -> Contact:
    """`msisdn` is E.164, `attributes` go by field key. NumberTaken, GroupRefused."""
    with transaction.atomic():
        _check_number(tenant, msisdn)
        contact = Contact(tenant=tenant, msisdn=msisdn, name=name, attributes=_without_blanks(attributes))
        _save(contact)
        lock_groups(group.pk for group in groups)
        for group in groups:
            add_to_group(group=group, contact_ids=[contact.pk])
        record_audit(tenant=tenant, actor=actor, action="contact.created", target=mask_msisdn(msisdn))
    return contact


def update_contact(
    *,
    contact: Contact,
    msisdn: str | None = None,
    name: str | None = None,
    attributes: Mapping[str, str] | None = None,
    groups: Mapping[ContactGroup, bool] | None = None,
    actor: User | None = None,
) -> Contact:
    """What is not named stays, as others may have changed it. `groups`: list → whether the contact shall be on it.
    NumberTaken, GroupRefused."""
    with transaction.atomic():
        locked: Contact = Contact.objects.select_for_update().get(pk=contact.pk)
        before = locked.msisdn, locked.name, locked.attributes
        if msisdn is not None and msisdn != locked.msisdn:
            _check_number(locked.tenant, msisdn)
            locked.msisdn = msisdn
        locked.name = locked.name if name is None else name
        locked.attributes = _without_blanks({**locked.attributes, **(attributes or {})})
        _save(locked)
        present = find_groups_of(locked.tenant_id, [locked.pk])
        held = lock_groups(present | {group.pk for group in groups or {}})
        if (locked.msisdn, locked.name, locked.attributes) != before:
            bump_revisions(held)
        for group, is_wanted in (groups or {}).items():
            if is_wanted != (group.pk in present):
                (add_to_group if is_wanted else remove_from_group)(group=group, contact_ids=[locked.pk])
        record_audit(tenant=locked.tenant, actor=actor, action="contact.updated", target=mask_msisdn(locked.msisdn))
    return locked


def delete_contacts(*, tenant: Tenant, contact_ids: Sequence[int], actor: User | None = None) -> int:
    """Delete contacts and their memberships; return how many there were. Messages sent to them stay in reports."""
    with transaction.atomic():
        owned = lock_contacts(tenant=tenant, contact_ids=contact_ids)
        lock_groups(find_groups_of(tenant.pk, owned))
        members = ContactGroupMember.objects.filter(tenant=tenant, contact_id__in=owned)
        leaving: dict[int, int] = {}
        for group_id in members.values_list("group_id", flat=True):
            leaving[group_id] = leaving.get(group_id, 0) + 1
        members._raw_delete(members.db)
        for group_id, count in sorted(leaving.items()):
            ContactGroup.objects.filter(pk=group_id).update(
                contact_count=Greatest(F("contact_count") - count, 0), revision=F("revision") + 1, updated_at=Now()
            )
        contacts = Contact.objects.filter(tenant=tenant, pk__in=owned)
        contacts._raw_delete(contacts.db)
        if owned:
            record_audit(tenant=tenant, actor=actor, action="contacts.deleted", data={"contacts": len(owned)})
    return len(owned)


def lock_contacts(*, tenant: Tenant, contact_ids: Sequence[int]) -> list[int]:
    """Those of the contacts that are there, held until the transaction ends: nobody puts them on a list meanwhile."""
    contacts = Contact.objects.select_for_update().filter(tenant=tenant, pk__in=list(contact_ids))
    return list(contacts.order_by("pk").values_list("pk", flat=True))


def _check_number(tenant: Tenant, msisdn: str) -> None:
    twin = Contact.objects.filter(tenant=tenant, msisdn=msisdn).first()
    if twin is not None:
        raise NumberTaken(twin)


def _save(contact: Contact) -> None:
    """NumberTaken also where somebody took the number a moment ago."""
    try:
        with transaction.atomic():
            contact.save()
    except IntegrityError:
        _check_number(contact.tenant, contact.msisdn)
        raise


def _without_blanks(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: value for key, value in (attributes or {}).items() if value not in ("", None)}
