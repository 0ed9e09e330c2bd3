"""The only way a view obtains a row of this app; missing and foreign look the same."""

from uuid import UUID

from django.shortcuts import get_object_or_404

from accounts.actor import Actor

from .models import Contact, ContactField, ContactGroup, ContactImport


def access_contact(actor: Actor, public_id: UUID) -> Contact:
    return get_object_or_404(Contact, tenant=actor.tenant, public_id=public_id)


def access_group(actor: Actor, public_id: UUID) -> ContactGroup:
    return get_object_or_404(ContactGroup, tenant=actor.tenant, public_id=public_id, removing_since=None)


def access_field(actor: Actor, field_id: int) -> ContactField:
    return get_object_or_404(ContactField, tenant=actor.tenant, pk=field_id)


def access_import(actor: Actor, public_id: UUID) -> ContactImport:
    return get_object_or_404(ContactImport, tenant=actor.tenant, public_id=public_id)
