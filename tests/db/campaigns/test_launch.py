"""Launching: once, whole cost held, in time or held back; and the refusals, with nothing changed."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import AuditEntry, Tenant
from accounts.scope import platform_scope, tenant_scope
from billing.selectors import get_balance
from billing.services import NotEnoughCredits
from campaigns import tasks
from campaigns.models import Campaign
from campaigns.services.control import cancel_campaign, pause_campaign, resume_campaign
from campaigns.services.drafts import save_draft
from campaigns.services.errors import DraftConflict, NotEditable, NotReady, NumberSuppressed, ScheduleInPast
from campaigns.services.launch import launch_campaign, schedule_campaign, start_due_campaign, unschedule_campaign
from campaigns.services.sweeps import list_due_campaigns
from campaigns.services.test_send import send_test
from gateways.models import SenderId
from messaging.models import DatabaseIdentity, Message, SendRun
from messaging.services.restore import confirm_database, recognise_database
from smscore import parse_msisdn

pytestmark = pytest.mark.django_db


def test_launch_holds_the_whole_cost_and_starts_the_run(shop):
    campaign = shop.ready()
    with tenant_scope(shop.pk):
        launch_campaign(campaign=campaign, version=1, actor=shop.cast.ayse)
        assert get_balance(shop.pk) == (Decimal(9995), Decimal(5))
        assert AuditEntry.objects.filter(action="campaign.launched", actor=shop.cast.ayse).count() == 1
    campaign = shop.reload(campaign)
    assert (campaign.status, campaign.run.state, campaign.launched_by) == ("launched", "running", shop.cast.ayse)
    assert (str(campaign.run.window_opens), str(campaign.run.window_closes)) == ("09:00:00", "20:00:00")


def test_informational_traffic_has_no_hours(shop):
    campaign = shop.ready(text="Siparişiniz yola çıktı.", content_class="informational")
    assert shop.reload(campaign).run.window_opens is None


def test_second_launch_changes_nothing(shop):
    campaign = shop.ready()
    with tenant_scope(shop.pk):
        for _ in range(3):
            again = launch_campaign(campaign=campaign, version=1, actor=shop.cast.ayse)
            assert again.status == "launched"
        assert get_balance(shop.pk).reserved == 5
        assert AuditEntry.objects.filter(action="campaign.launched").count() == 1


def test_not_enough_credits_changes_nothing(shop):
    campaign = shop.ready(count=3, text="a" * 1490)
    with tenant_scope(shop.pk):
        before = get_balance(shop.pk)
        from billing.models import CreditAccount

        assert before.available == 10_000
    with platform_scope(reason="test"):
        CreditAccount.objects.filter(tenant=shop.cast.butik).update(available=10)
    with tenant_scope(shop.pk):
        with pytest.raises(NotEnoughCredits) as refusal:
            launch_campaign(campaign=campaign, version=1, actor=shop.cast.ayse)
        assert (refusal.value.available, refusal.value.needed) == (10, 30)
        assert get_balance(shop.pk) == (10, 0)
    campaign = shop.reload(campaign)
    assert (campaign.status, campaign.run.state) == ("ready", "ready")


def test_a_draft_is_not_launched(shop):
    campaign = shop.draft()
    with tenant_scope(shop.pk), pytest.raises(NotEditable):
        launch_campaign(campaign=campaign, version=1, actor=shop.cast.ayse)


def test_an_audience_without_anybody_is_not_launched(shop):
    shop.suppress(shop.add_contacts(1)[0].msisdn)
    campaign = shop.draft()
    shop.prepare(campaign)
    with tenant_scope(shop.pk):
        with pytest.raises(NotReady) as refusal:
            launch_campaign(campaign=campaign, version=1, actor=shop.cast.ayse)
        assert [problem.code for problem in refusal.value.problems] == ["nobody_left"]


def test_an_edited_campaign_is_not_launched_by_who_saw_the_old_one(shop):
    campaign = shop.ready()
    with tenant_scope(shop.pk):
        save_draft(campaign=campaign, version=1, actor=shop.cast.burak, text="Değişti")
        with pytest.raises(DraftConflict) as conflict:
            launch_campaign(campaign=campaign, version=1, actor=shop.cast.ayse)
        assert conflict.value.campaign.updated_by == shop.cast.burak


def test_a_sender_withdrawn_after_the_check_stops_the_launch(shop):
    campaign = shop.ready()
    with tenant_scope(shop.pk):
        SenderId.objects.update(status="refused")
        with pytest.raises(NotReady):
            launch_campaign(campaign=campaign, version=1, actor=shop.cast.ayse)


def make_scheduled(shop, **delta) -> Campaign:
    campaign = shop.ready(scheduled_at=timezone.now() + timedelta(hours=1))
    with tenant_scope(shop.pk):
        schedule_campaign(campaign=campaign, version=1, actor=shop.cast.ayse)
        Campaign.objects.filter(pk=campaign.pk).update(scheduled_at=timezone.now() + timedelta(**delta))
    return campaign


def list_due() -> list[int]:
    with platform_scope(reason="test"):
        return [due.campaign_id for due in list_due_campaigns()]


def test_schedule_waits_for_its_time_and_holds_nothing(shop):
    campaign = make_scheduled(shop, hours=1)
    assert list_due() == []
    with tenant_scope(shop.pk):
        assert start_due_campaign(campaign_id=campaign.pk) == "scheduled"
        assert get_balance(shop.pk).reserved == 0
    assert shop.reload(campaign).status == "scheduled"


@pytest.mark.parametrize("late", [0, 29])
def test_schedule_starts_when_due_and_up_to_half_an_hour_late(shop, late, monkeypatch):
    monkeypatch.setattr(tasks.ring_senders, "delay", lambda *args, **kwargs: None)
    campaign = make_scheduled(shop, minutes=-late)
    assert list_due() == [campaign.pk]
    tasks.start_due_campaigns()
    campaign = shop.reload(campaign)
    assert (campaign.status, campaign.run.state) == ("launched", "running")


def test_a_schedule_missed_by_more_is_held_and_asks(shop):
    campaign = make_scheduled(shop, minutes=-31)
    tasks.start_due_campaigns()
    campaign = shop.reload(campaign)
    assert (campaign.status, campaign.failure, campaign.run.state) == ("ready", "missed_schedule", "ready")
    with tenant_scope(shop.pk):  # the user says: start it now
        launch_campaign(campaign=campaign, version=1, actor=shop.cast.ayse)
    assert shop.reload(campaign).status == "launched"


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(-5, ("ready", "history_missing", "ready")), (-1, ("launched", "", "running"))],
    ids=["in the missing time", "since the doubt"],
)
def test_a_schedule_that_may_have_started_before_a_restore_asks(shop, monkeypatch, minutes, expected):
    """W4: nothing starts while nobody knows what has; what came due in the missing time may have."""
    monkeypatch.setattr(tasks.ring_senders, "delay", lambda *args, **kwargs: None)
    campaign = make_scheduled(shop, minutes=minutes)
    with platform_scope(reason="test"):
        recognise_database()
        DatabaseIdentity.objects.update(timeline=7)
    tasks.start_due_campaigns()
    assert shop.reload(campaign).status == "scheduled"
    with platform_scope(reason="test"):
        recognise_database()
        DatabaseIdentity.objects.update(doubted_at=timezone.now() - timedelta(minutes=2))
        confirm_database(actor=shop.cast.ayse, since=timezone.now() - timedelta(minutes=10))
    tasks.start_due_campaigns()
    campaign = shop.reload(campaign)
    assert (campaign.status, campaign.failure, campaign.run.state) == expected


def test_the_schedule_of_a_closed_account_is_held(shop):
    campaign = make_scheduled(shop, minutes=0)
    Tenant.objects.filter(pk=shop.pk).update(is_active=False)
    tasks.start_due_campaigns()
    campaign = shop.reload(campaign)
    assert (campaign.status, campaign.failure, campaign.run.state) == ("ready", "account_closed", "ready")


def test_a_schedule_without_credit_is_held(shop):
    from billing.models import CreditAccount

    campaign = make_scheduled(shop, minutes=0)
    with platform_scope(reason="test"):
        CreditAccount.objects.filter(tenant=shop.cast.butik).update(available=4)
    tasks.start_due_campaigns()
    campaign = shop.reload(campaign)
    assert (campaign.status, campaign.failure, campaign.run.state) == ("ready", "not_enough_credits", "ready")


def test_schedule_in_the_past_is_refused(shop):
    campaign = shop.ready(scheduled_at=timezone.now() + timedelta(seconds=5))
    with tenant_scope(shop.pk):
        Campaign.objects.update(scheduled_at=timezone.now() - timedelta(minutes=1))
        with pytest.raises(ScheduleInPast):
            schedule_campaign(campaign=campaign, version=1, actor=shop.cast.ayse)


def test_taking_a_schedule_back_keeps_the_audience(shop):
    campaign = make_scheduled(shop, hours=1)
    with tenant_scope(shop.pk):
        with pytest.raises(NotEditable):
            save_draft(campaign=campaign, version=1, actor=shop.cast.ayse, text="Değişti")
        unschedule_campaign(campaign=campaign, actor=shop.cast.ayse)
        assert Message.objects.count() == 5
    assert shop.reload(campaign).status == "ready"


def test_pause_resume_cancel_are_the_runs(shop):
    campaign = shop.ready()
    with tenant_scope(shop.pk):
        with pytest.raises(NotEditable):
            pause_campaign(campaign=campaign, actor=shop.cast.ayse)
        launch_campaign(campaign=campaign, version=1, actor=shop.cast.ayse)
        for act, state in [
            (pause_campaign, "paused"),
            (pause_campaign, "paused"),
            (resume_campaign, "running"),
            (cancel_campaign, "cancelling"),
            (cancel_campaign, "cancelling"),
        ]:
            act(campaign=campaign, actor=shop.cast.ayse)
            assert SendRun.objects.get(pk=shop.reload(campaign).run_id).state == state


def test_a_test_send_is_one_message_with_somebodys_values_and_is_charged(shop):
    contact = shop.add_contacts(1, name="Zeynep")[0]
    campaign = shop.draft(text="Merhaba [İsim], kodunuz [Kod]")
    with tenant_scope(shop.pk):
        run = send_test(campaign=campaign, msisdn=parse_msisdn("0555 111 22 33"), contact=contact, actor=shop.cast.ayse)
        message = Message.objects.get(run=run)
        assert (message.msisdn, message.text.splitlines()[0]) == ("+905551112233", "Merhaba Zeynep, kodunuz SNB-0")
        assert (run.origin_type, run.origin_id, run.priority) == ("test", campaign.pk, SendRun.Priority.TEST)
        assert SendRun.objects.get(pk=run.pk).state == "running"
        assert get_balance(shop.pk).reserved == message.price == 1
        assert shop.reload(campaign).status == "draft"


def test_a_test_send_to_a_blocked_number_is_refused(shop):
    shop.suppress("+905551112233")
    campaign = shop.draft()
    with tenant_scope(shop.pk):
        with pytest.raises(NumberSuppressed):
            send_test(campaign=campaign, msisdn=parse_msisdn("05551112233"), contact=None, actor=shop.cast.ayse)
        assert not SendRun.objects.exists()
