"""The check page, the launch button and what it refuses."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry
from accounts.scope import platform_scope, tenant_scope
from billing.models import CreditAccount
from campaigns.models import Campaign
from campaigns.services import schedule_campaign
from contacts.models import Contact
from contacts.services.contacts import delete_contacts
from messaging.models import SendRun

pytestmark = pytest.mark.django_db


def post(shop, name, campaign, user=None, **data):
    client = shop.cast.client(user or shop.cast.ayse)
    return client.post(reverse(f"campaigns:{name}", args=[campaign.public_id]), data)


def get(shop, name, campaign, *args, user=None):
    client = shop.cast.client(user or shop.cast.ayse)
    return client.get(reverse(f"campaigns:{name}", args=[campaign.public_id, *args]))


def test_prepare_asks_for_the_audience(shop):
    shop.add_contacts(3)
    campaign = shop.draft()
    answer = post(shop, "prepare", campaign, version=1)
    assert answer.url == reverse("campaigns:check", args=[campaign.public_id])
    assert shop.reload(campaign).status == "preparing"
    assert 'hx-trigger="every 1s"' in get(shop, "check", campaign).content.decode()


def test_the_check_lists_what_has_to_be_put_right(shop):
    campaign = shop.draft(text="Puan: [Puan]", content_class="", sender_id=None)
    page = get(shop, "check", campaign).content.decode()
    assert page.count("alert-danger") == 3
    assert "[Puan]" in page
    post(shop, "prepare", campaign, version=1)
    assert shop.reload(campaign).status == "draft"


def test_the_check_of_a_ready_campaign_shows_funnel_and_cost(shop):
    shop.suppress(shop.add_contacts(1, start=500)[0].msisdn)
    campaign = shop.ready(4)
    page = get(shop, "check", campaign).content.decode()
    assert 'class="funnel-listed"' in page and "data-confirm=" in page
    assert reverse("campaigns:launch", args=[campaign.public_id]) in page


def test_launch_twice_is_one_and_leads_to_the_report(shop):
    campaign = shop.ready()
    for _ in range(2):
        answer = post(shop, "launch", campaign, version=campaign.version, now="1")
        assert answer.url == reverse("campaigns:detail", args=[campaign.public_id])
    assert get(shop, "detail", campaign).url == reverse("reporting:campaign_report", args=[campaign.public_id])
    with tenant_scope(shop.pk):
        assert SendRun.objects.filter(state="running").count() == 1


def test_not_enough_credit_names_the_missing_sum_and_how_to_top_up(shop):
    campaign = shop.ready(5)
    with platform_scope(reason="test"):
        CreditAccount.objects.filter(tenant=shop.cast.butik).update(available=2)
    page = get(shop, "check", campaign).content.decode()
    assert reverse("billing:overview") in page and "data-confirm-label" in page
    post(shop, "launch", campaign, version=1, now="1")
    page = get(shop, "check", campaign).content.decode()
    assert shop.reload(campaign).status == "ready"
    assert " 3 " in page or ">3<" in page


def test_a_colleague_edited_meanwhile(shop):
    campaign = shop.ready()
    post(shop, "save_message", campaign, user=shop.cast.burak, version=1, text="Yeni", content_class="commercial")
    answer = post(shop, "launch", campaign, version=1, now="1")
    page = shop.cast.client(shop.cast.ayse).get(answer.url).content.decode()
    assert shop.reload(campaign).status == "draft"
    assert "Yeni" in page


def make_scheduled(shop) -> Campaign:
    campaign = shop.ready(scheduled_at=timezone.now() + timedelta(hours=2))
    post(shop, "launch", campaign, version=1)
    return shop.reload(campaign)


def test_a_later_time_puts_it_on_schedule_and_it_can_be_taken_back(shop):
    campaign = make_scheduled(shop)
    assert campaign.status == "scheduled"
    assert reverse("campaigns:unschedule", args=[campaign.public_id]) in get(shop, "check", campaign).content.decode()
    post(shop, "unschedule", campaign)
    assert shop.reload(campaign).status == "ready"


def test_a_time_that_is_over_is_refused_until_the_user_says_now(shop):
    campaign = shop.ready(scheduled_at=timezone.now() + timedelta(hours=2))
    with tenant_scope(shop.pk):
        Campaign.objects.update(scheduled_at=timezone.now() - timedelta(hours=1))
    post(shop, "launch", campaign, version=1)
    assert shop.reload(campaign).status == "ready"
    assert 'name="now"' in get(shop, "check", campaign).content.decode()
    post(shop, "launch", campaign, version=1, now="1")
    assert shop.reload(campaign).status == "launched"


def test_cancel_before_the_start(shop):
    campaign = make_scheduled(shop)
    post(shop, "cancel", campaign)
    assert shop.reload(campaign).status == "cancelled"
    assert get(shop, "check", campaign).status_code == 200


def test_pause_resume_cancel_of_a_running_one(shop):
    campaign = shop.ready()
    post(shop, "launch", campaign, version=1, now="1")
    for name, state in [("pause", "paused"), ("resume", "running"), ("cancel", "cancelling")]:
        post(shop, name, campaign)
        assert shop.reload(campaign).run.state == state


def list_steps(shop, *names):
    actions = [f"campaign.{name}" for name in names]
    with tenant_scope(shop.pk):
        return list(AuditEntry.objects.filter(action__in=actions).order_by("pk").values_list("action", flat=True))


@pytest.mark.parametrize("name", ["pause", "resume", "cancel"])
def test_a_button_on_a_campaign_that_has_ended_meanwhile_says_that_nothing_was_done(shop, name):
    campaign = shop.ready()
    post(shop, "launch", campaign, version=1, now="1")
    with tenant_scope(shop.pk):
        SendRun.objects.update(state=SendRun.State.COMPLETED, completed_at=timezone.now())
    client = shop.cast.client(shop.cast.ayse)
    answer = client.post(reverse(f"campaigns:{name}", args=[campaign.public_id]))
    said = client.get(answer["Location"], follow=True).context["messages"]
    assert [str(message) for message in said] == ["Kampanya artık o durumda değildi; hiçbir şey değişmedi."]
    assert list_steps(shop, "paused", "resumed", "cancelled") == []


def test_pressing_twice_is_one_step_in_the_trail(shop):
    campaign = shop.ready()
    post(shop, "launch", campaign, version=1, now="1")
    for name in ("pause", "pause", "resume", "resume", "cancel", "cancel"):
        post(shop, name, campaign)
    assert list_steps(shop, "paused", "resumed", "cancelled") == [
        "campaign.paused",
        "campaign.resumed",
        "campaign.cancelled",
    ]


def test_who_may_launch_and_control(shop):
    campaign = shop.ready()
    for name in ("launch", "unschedule", "pause", "resume", "cancel", "prepare", "delete", "duplicate", "test_send"):
        assert post(shop, name, campaign, user=shop.cast.vildan, version=1, now="1").status_code == 403, name
        assert post(shop, name, campaign, user=shop.cast.can, version=1, now="1").status_code == 404, name
        assert get(shop, name, campaign).status_code == 405, name
    assert shop.reload(campaign).status == "ready"


def test_who_was_left_out_is_a_download_safe_for_spreadsheets(shop):
    shop.add_contacts(1, start=700, attributes={})
    shop.suppress(shop.add_contacts(1, start=800)[0].msisdn)
    campaign = shop.draft(text="Kodunuz [Kod]")
    shop.prepare(campaign)
    body = b"".join(get(shop, "export_exclusions", campaign, "csv").streaming_content).decode()
    assert body.startswith("\ufeff") and "905320000700" in body and "905320000800" in body and "Kod" in body
    assert b"".join(get(shop, "export_exclusions", campaign, "xlsx").streaming_content)[:2] == b"PK"
    assert get(shop, "export_exclusions", campaign, "exe").status_code == 404
    assert get(shop, "export_exclusions", campaign, "csv", user=shop.cast.can).status_code == 404
    assert get(shop, "export_exclusions", campaign, "csv", user=shop.cast.vildan).status_code == 403


def test_schedule_stays_frozen_against_edits(shop):
    campaign = make_scheduled(shop)
    with tenant_scope(shop.pk):
        again = schedule_campaign(campaign=campaign, version=1, actor=shop.cast.burak)
    assert again.launched_by == shop.cast.ayse
    assert get(shop, "message", campaign).status_code == 302


def test_the_audit_trail_names_the_campaign(shop):
    campaign = make_scheduled(shop)
    page = shop.cast.client(shop.cast.ayse).get(reverse("accounts:audit"))
    rows = {row["label"]: row for row in page.context["rows"]}
    assert rows["Kampanya ileri tarihe alındı"]["entry"].target == campaign.name
    assert rows["Kampanya alıcıları hazırlandı"]["details"] == ["mesaj türü: Ticari"]
    assert str(campaign.public_id) not in page.content.decode()


def test_lists_that_changed_since_are_said_and_the_audience_is_prepared_again(shop):
    campaign = shop.ready()
    page = get(shop, "check", campaign).content.decode()
    assert 'name="again"' in page and "Hazırlanma zamanı" in page and "alert-danger" not in page
    with tenant_scope(shop.pk):
        delete_contacts(tenant=shop.cast.butik, contact_ids=[Contact.objects.earliest("pk").pk])
    page = get(shop, "check", campaign).content.decode()
    assert "kişiler değişti" in page
    answer = post(shop, "launch", campaign, version=1, now="1")
    assert "kişiler değişti" in shop.cast.client(shop.cast.ayse).get(answer.url).content.decode()
    post(shop, "prepare", campaign, version=1, again="1")
    campaign = shop.reload(campaign)
    assert (campaign.status, campaign.version) == ("preparing", 2)


def test_who_an_older_draft_left_out_is_not_exported(shop):
    shop.suppress(shop.add_contacts(1, start=500)[0].msisdn)
    campaign = shop.ready(4)
    assert get(shop, "export_exclusions", campaign, "csv").status_code == 200
    post(shop, "save_message", campaign, version=1, text="Yeni", content_class="commercial")
    assert get(shop, "export_exclusions", campaign, "csv").status_code == 404
