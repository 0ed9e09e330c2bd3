"""The figures of a snapshot against its rows."""

from collections import Counter

from accounts.scope import tenant_scope
from campaigns.models import AudienceExclusion, AudienceSnapshot, Campaign
from messaging.models import Message, SendRun
from tests.shop import Shop


def check_funnel(shop: Shop, campaign: Campaign) -> AudienceSnapshot:
    """Every figure of the snapshot against the rows."""
    with tenant_scope(shop.pk):
        snapshot = AudienceSnapshot.objects.get(campaign=campaign)
        campaign.refresh_from_db()
        reasons = Counter(AudienceExclusion.objects.filter(snapshot=snapshot).values_list("reason", flat=True))
        assert reasons == Counter(snapshot.excluded_counts)
        messages = list(Message.objects.filter(run=campaign.run))
        assert len(messages) == len({m.msisdn for m in messages}) == snapshot.message_count
        assert sum(m.parts for m in messages) == snapshot.part_count
        assert sum(m.price for m in messages) == snapshot.credits
        assert snapshot.listed_count == snapshot.message_count + reasons.total()
        run = SendRun.objects.get(pk=campaign.run_id)
        assert (run.message_count, run.part_count, run.credits) == (
            snapshot.message_count,
            snapshot.part_count,
            snapshot.credits,
        )
        return snapshot
