"""The only way a view obtains a row of this app; missing and foreign look the same."""

from typing import Any
from uuid import UUID

from django.http import Http404

from accounts.actor import Actor

from .models import Contact, ContactField, ContactGroup, ContactImport


def access_contact(actor: Actor, public_id: UUID) -> Contact:
    return _access(Contact, actor, public_id=public_id)  # type: ignore[no-any-return]


def access_group(actor: Actor, public_id: UUID) -> ContactGroup:
    return _access(ContactGroup, actor, public_id=public_id, removing_since=None)  # type: ignore[no-any-return]


def access_field(actor: Actor, field_id: int) -> ContactField:
    return _access(ContactField, actor, pk=field_id)  # type: ignore[no-any-return]


def access_import(actor: Actor, public_id: UUID) -> ContactImport:
    return _access(ContactImport, actor, public_id=public_id)  # type: ignore[no-any-return]


def _access(model: Any, actor: Actor, **key: Any) -> Any:
    found = model.objects.filter(tenant=actor.tenant, **key).first()
    if found is None:
        raise Http404
    return found
