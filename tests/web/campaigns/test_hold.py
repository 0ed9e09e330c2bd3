"""Platform staff hold a campaign: it stands still, and nobody in the account lets it go on."""

import pytest
from django.urls import reverse

from accounts.models import AuditEntry, User
from accounts.scope import platform_scope, tenant_scope
from messaging.models import SendRun
from messaging.services import pause_send_run
from tests.launched import launch

ADMIN = "admin:campaigns_campaign_changelist"


@pytest.fixture(autouse=True)
def _no_bells(monkeypatch):
    monkeypatch.setattr("messaging.tasks.ring_senders.delay_on_commit", lambda *args, **kwargs: None)


@pytest.fixture
def staff(cast):
    return cast.client(User.objects.create_superuser("staff@example.com", None))


def act(staff, name, campaign):
    return staff.post(reverse(ADMIN), {"action": name, "_selected_action": [campaign.pk]})


def state(campaign):
    with tenant_scope(campaign.tenant_id):
        return SendRun.objects.values_list("state", "pause_reason").get(pk=campaign.run_id)


def resume(cast, campaign):
    url = reverse("campaigns:resume", args=[campaign.public_id])
    response = cast.client(cast.ayse).post(url, follow=True)
    return [str(message) for message in response.context["messages"]]


@pytest.mark.parametrize("was_paused", [False, True])
def test_a_held_campaign_is_resumed_only_after_staff_gave_it_back(cast, staff, was_paused):
    campaign = launch(cast)
    if was_paused:
        with tenant_scope(cast.butik.pk):
            pause_send_run(run_id=campaign.run_id, tenant_id=cast.butik.pk)
    act(staff, "hold", campaign)
    assert state(campaign) == ("paused", "abuse")
    [refusal] = resume(cast, campaign)
    assert "destek" in refusal
    assert state(campaign) == ("paused", "abuse")
    act(staff, "lift_hold", campaign)
    assert state(campaign) == ("paused", "checked")
    resume(cast, campaign)
    assert state(campaign) == ("running", "")
    with platform_scope(reason="test"):
        trail = AuditEntry.objects.filter(tenant=cast.butik, actor__email="staff@example.com")
        assert [entry.action for entry in trail.order_by("pk")] == ["campaign.held", "campaign.hold_lifted"]


def test_staff_without_the_right_hold_nothing(cast):
    campaign = launch(cast)
    looker = User.objects.create_user("bakan@example.com", None, is_staff=True)
    act(cast.client(looker), "hold", campaign)
    assert state(campaign) == ("running", "")


def test_lifting_what_is_not_held_changes_nothing(cast, staff):
    campaign = launch(cast)
    act(staff, "lift_hold", campaign)
    assert state(campaign) == ("running", "")
