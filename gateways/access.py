"""The only way from a URL to a row of gateways. Missing and foreign look the same: 404."""

from uuid import UUID

from django.http import Http404

from accounts.actor import Actor

from .models import GatewayAccount, SenderId


def access_sender(actor: Actor, public_id: UUID) -> SenderId:
    sender = SenderId.objects.filter(tenant=actor.tenant, public_id=public_id).first()
    if sender is None:
        raise Http404
    return sender


def access_connection(actor: Actor, public_id: UUID) -> GatewayAccount:
    """An account's own; the platform's rows are readable in its scope, but not its business."""
    account = GatewayAccount.objects.filter(tenant=actor.tenant, public_id=public_id).first()
    if account is None:
        raise Http404
    return account
