"""The only way a view obtains a row of this app; missing and foreign look the same."""

from uuid import UUID

from django.http import Http404

from accounts.actor import Actor

from .models import Campaign, MessageTemplate


def access_campaign(actor: Actor, public_id: UUID) -> Campaign:
    campaign = (
        Campaign.objects.select_related("tenant", "sender", "run", "updated_by", "launched_by")
        .filter(tenant=actor.tenant, public_id=public_id)
        .first()
    )
    if campaign is None:
        raise Http404
    return campaign


def access_template(actor: Actor, public_id: UUID) -> MessageTemplate:
    template = MessageTemplate.objects.filter(tenant=actor.tenant, public_id=public_id).first()
    if template is None:
        raise Http404
    return template
