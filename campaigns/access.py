"""The only way a view obtains a row of this app; missing and foreign look the same."""

from uuid import UUID

from django.shortcuts import get_object_or_404

from accounts.actor import Actor

from .models import Campaign, MessageTemplate


def access_campaign(actor: Actor, public_id: UUID) -> Campaign:
    campaigns = Campaign.objects.select_related("tenant", "sender", "run", "updated_by", "launched_by")
    return get_object_or_404(campaigns, tenant=actor.tenant, public_id=public_id)


def access_template(actor: Actor, public_id: UUID) -> MessageTemplate:
    return get_object_or_404(MessageTemplate, tenant=actor.tenant, public_id=public_id)
