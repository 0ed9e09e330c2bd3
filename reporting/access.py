"""The only way a view obtains a campaign to report on; missing, foreign and never launched look the same."""

from uuid import UUID

from django.shortcuts import get_object_or_404

from accounts.actor import Actor
from campaigns.models import Campaign
from messaging.models import Message, SendRun


def access_report(actor: Actor, public_id: UUID) -> tuple[Campaign, SendRun]:
    """A launched campaign of the actor's tenant and its send run."""
    campaigns = Campaign.objects.select_related("run", "sender", "launched_by", "tenant")
    campaign = get_object_or_404(campaigns, tenant=actor.tenant, public_id=public_id, run__started_at__isnull=False)
    assert campaign.run is not None  # it was started
    return campaign, campaign.run


def access_recipient(run: SendRun, message_id: int) -> Message:
    """A message of this very run. Messages are too many for a public id; the run guards the number."""
    return get_object_or_404(Message, tenant_id=run.tenant_id, run_id=run.pk, pk=message_id)
