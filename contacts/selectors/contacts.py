import re
from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import QuerySet

from common.searching import contains_words
from smscore import normalise_msisdn

from ..models import Contact, ContactGroup

COUNT_LIMIT = 100_000


def list_contacts(
    tenant_id: int, *, query: str = "", group: ContactGroup | None = None
) -> "QuerySet[Contact, Contact]":
    """The tenant's contacts, by number or name and by list; unordered."""
    contacts: QuerySet[Contact, Contact] = Contact.objects.filter(tenant_id=tenant_id)
    if group is not None:
        contacts = contacts.filter(group_links__group=group)
    query = query.strip()
    if not query:
        return contacts
    if any(char.isalpha() for char in query):
        return contacts.filter(contains_words("name", query))
    exact = normalise_msisdn(query)
    if isinstance(exact, str):
        return contacts.filter(msisdn=exact)
    digits = re.sub("[^0-9]", "", query)
    if not digits:
        return contacts.none()
    return (
        contacts.filter(msisdn__startswith=prefix)
        if (prefix := _as_prefix(query, digits))
        else contacts.filter(msisdn__contains=digits)
    )


def count_contacts(contacts: "QuerySet[Contact, Contact]") -> int:
    """How many, up to COUNT_LIMIT: past it nobody reads the figure to the unit, and it would cost a scan."""
    return contacts.values("pk")[:COUNT_LIMIT].count()


def iter_contacts(contacts: "QuerySet[Contact, Contact]") -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(msisdn, name, attributes) of all, newest first, read through a server-side cursor."""
    return contacts.order_by("-pk").values_list("msisdn", "name", "attributes").iterator(chunk_size=2000)


def list_contact_groups(contact: Contact) -> "QuerySet[ContactGroup, ContactGroup]":
    """Lists that the contact is on."""
    groups: QuerySet[ContactGroup, ContactGroup] = ContactGroup.objects.filter(
        tenant_id=contact.tenant_id, members__contact=contact
    )
    return groups


def list_owned_ids(tenant_id: int, public_ids: Sequence[str]) -> list[int]:
    """Primary keys of the tenant's own contacts among these ids; others are left out."""
    return list(Contact.objects.filter(tenant_id=tenant_id, public_id__in=public_ids).values_list("pk", flat=True))


def _as_prefix(query: str, digits: str) -> str:
    """The start of an E.164 number as people type it; "" if these may be digits from the middle."""
    if query.startswith("+"):
        return f"+{digits}"
    if digits.startswith("05"):
        return f"+9{digits}"
    if digits.startswith("905"):
        return f"+{digits}"
    return f"+90{digits}" if digits.startswith("5") and len(digits) >= 3 else ""
