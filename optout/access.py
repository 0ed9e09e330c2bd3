"""The only way a view obtains a row of this app; missing and foreign look the same."""

from uuid import UUID

from django.shortcuts import get_object_or_404

from accounts.actor import Actor

from .models import OptOutKeyword, SuppressionEntry


def access_suppression(actor: Actor, public_id: UUID) -> SuppressionEntry:
    """An entry of the actor's own tenant, active or removed; the platform's entries are nobody's to touch."""
    return get_object_or_404(SuppressionEntry, tenant=actor.tenant, public_id=public_id)


def access_keyword(actor: Actor, keyword_id: int) -> OptOutKeyword:
    """A keyword of the tenant's own."""
    return get_object_or_404(OptOutKeyword, tenant=actor.tenant, pk=keyword_id)
