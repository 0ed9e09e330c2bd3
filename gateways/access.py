"""The only way from a URL to a row of gateways. Missing and foreign look the same: 404."""

from uuid import UUID

from django.shortcuts import get_object_or_404

from accounts.actor import Actor

from .models import GatewayAccount, SenderId


def access_sender(actor: Actor, public_id: UUID) -> SenderId:
    return get_object_or_404(SenderId, tenant=actor.tenant, public_id=public_id)


def access_connection(actor: Actor, public_id: UUID) -> GatewayAccount:
    """An account's own; the platform's rows are readable in its scope, but not its business."""
    return get_object_or_404(GatewayAccount, tenant=actor.tenant, public_id=public_id)
