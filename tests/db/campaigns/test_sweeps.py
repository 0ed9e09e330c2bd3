"""Nothing depends on a nudge: dead walkers, lost tasks and stale audiences are found in the rows."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.scope import platform_scope, tenant_scope
from campaigns import tasks
from campaigns.models import AudienceSnapshot, Campaign
from campaigns.services.audience import prepare_audience
from campaigns.services.drafts import save_draft
from campaigns.services.snapshot import walk_audience
from campaigns.services.sweeps import MOST_STALLS, resume_stalled_audiences
from messaging.models import Message, SendRun

pytestmark = pytest.mark.django_db


def start(shop) -> Campaign:
    shop.add_contacts(10)
    campaign = shop.draft()
    with tenant_scope(shop.pk):
        return prepare_audience(campaign=campaign, version=1, actor=shop.cast.ayse)


def silence(shop, campaign: Campaign, seconds: int) -> None:
    past = timezone.now() - timedelta(seconds=seconds)
    with tenant_scope(shop.pk):
        Campaign.objects.filter(pk=campaign.pk).update(preparing_at=past)
        AudienceSnapshot.objects.filter(campaign=campaign).update(heartbeat_at=past)


def sweep() -> list[int]:
    with platform_scope(reason="test"):
        return [due.campaign_id for due in resume_stalled_audiences()]


def test_a_nudge_that_was_lost_is_made_up_for(shop):
    campaign = start(shop)
    assert sweep() == []
    silence(shop, campaign, 31)
    assert sweep() == [campaign.pk]
    assert sweep() == []  # the next sweep leaves it the time to start


def test_a_walk_that_died_in_the_middle_goes_on_where_it_stopped(shop, monkeypatch):
    campaign = start(shop)
    chunks = []

    def die():
        chunks.append(1)
        if len(chunks) == 2:
            raise RuntimeError("worker died")

    with pytest.raises(RuntimeError):
        walk_audience(campaign_id=campaign.pk, tenant_id=shop.pk, chunk_size=3, on_chunk=die)
    silence(shop, campaign, 31)
    monkeypatch.setattr(tasks.walk_audience, "delay", tasks.walk_audience)
    tasks.resume_stalled_audiences()
    assert shop.reload(campaign).status == "ready"
    with tenant_scope(shop.pk):
        assert Message.objects.count() == 10
        assert SendRun.objects.count() == 1


def test_a_living_walk_is_left_alone(shop):
    campaign = start(shop)
    walk_audience(campaign_id=campaign.pk, tenant_id=shop.pk, chunk_size=3)
    silence(shop, campaign, 300)
    assert sweep() == []  # ready, not preparing


def test_what_always_stalls_fails_in_the_end_and_can_be_tried_again(shop):
    campaign = start(shop)
    for _ in range(MOST_STALLS):
        silence(shop, campaign, 31)
        assert sweep() == [campaign.pk]
    silence(shop, campaign, 31)
    assert sweep() == []
    failed = shop.reload(campaign)
    assert (failed.status, failed.failure) == ("failed", "preparing_failed")
    with tenant_scope(shop.pk):
        prepare_audience(campaign=failed, version=1, actor=shop.cast.ayse)
    assert walk_audience(campaign_id=campaign.pk, tenant_id=shop.pk)


def test_an_audience_that_an_edit_left_behind_is_freed(shop, monkeypatch):
    campaign = shop.ready()
    with tenant_scope(shop.pk):
        save_draft(campaign=campaign, version=1, actor=shop.cast.ayse, text="Yeni")
        Campaign.objects.update(updated_at=timezone.now() - timedelta(minutes=2))
    monkeypatch.setattr(tasks.discard_stale_audience, "delay", tasks.discard_stale_audience)
    tasks.discard_stale_audiences()
    with tenant_scope(shop.pk):
        assert not Message.objects.exists()
        assert not AudienceSnapshot.objects.exists()
        assert SendRun.objects.get().state == "discarded"
    assert shop.reload(campaign).status == "draft"


def test_one_broken_campaign_does_not_hold_up_the_others(shop, monkeypatch):
    begun, bells = [], []

    def start_due(*, campaign_id):
        begun.append(campaign_id)
        if campaign_id == 1:
            raise RuntimeError("broken")
        return "launched"

    monkeypatch.setattr(tasks.sweeps, "list_due_campaigns", lambda: [(1, shop.pk), (2, shop.pk)])
    monkeypatch.setattr(tasks, "start_due_campaign", start_due)
    monkeypatch.setattr(tasks.ring_senders, "delay", lambda: bells.append(1))
    tasks.start_due_campaigns()
    assert (begun, bells) == ([1, 2], [1])
