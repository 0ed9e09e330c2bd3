"""The only way a view obtains a row of this app; missing and foreign look the same."""

from uuid import UUID

from django.http import Http404

from accounts.actor import Actor

from .models import OptOutKeyword, SuppressionEntry


def access_suppression(actor: Actor, public_id: UUID) -> SuppressionEntry:
    """An entry of the actor's own tenant, active or removed; the platform's entries are nobody's to touch."""
    entry = SuppressionEntry.objects.filter(tenant=actor.tenant, public_id=public_id).first()
    if entry is None:
        raise Http404
    return entry


def access_keyword(actor: Actor, keyword_id: int) -> OptOutKeyword:
    """A keyword of the tenant's own."""
    keyword = OptOutKeyword.objects.filter(tenant=actor.tenant, pk=keyword_id).first()
    if keyword is None:
        raise Http404
    return keyword
