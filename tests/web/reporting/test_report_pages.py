from datetime import timedelta
from functools import partial
from io import BytesIO
from uuid import uuid4

import openpyxl
import pytest
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, User
from accounts.scope import tenant_scope
from campaigns.models import Campaign
from contacts.models import Contact
from messaging.models import Message, RunTally, SendRun
from messaging.selectors import list_messages
from tests.engine_runs import make_rows
from tests.launched import complete, launch, move

FIRST = "+905300000000"


@pytest.fixture
def campaign(cast):
    with tenant_scope(cast.butik.pk):
        contact = Contact(tenant=cast.butik, msisdn=FIRST, name="=Şükrü")
        contact.save()
    rows = make_rows(10)
    campaign = launch(cast, rows=[rows[0]._replace(contact_id=contact.pk), *rows[1:]])
    move(campaign, range(8), "accepted")
    move(campaign, range(5), "delivered")
    move(campaign, [5], "undelivered", reason="absent_subscriber", code="UNDELIV/001")
    return campaign


def url(name, campaign, *args):
    return reverse(f"reporting:{name}", args=[campaign.public_id, *args])


def first_message(campaign):
    with tenant_scope(campaign.run.tenant_id):
        return Message.objects.get(run=campaign.run, msisdn=FIRST)


def control(name, campaign):
    return reverse(f"campaigns:{name}", args=[campaign.public_id])


ALL_GETS = ["campaign_report", "campaign_live", "recipient_list"]


def test_report_shows_the_figures(cast, campaign):
    response = cast.client(cast.ayse).get(url("campaign_report", campaign))
    page = response.content.decode()
    figures = response.context["figures"]
    assert (figures.sent_count, figures.total_count, figures.undelivered_count) == (8, 10, 1)
    assert "<strong>8 / 10</strong>" in page
    assert "%83,3" in page
    assert "+90 530 000 00 00" in page
    assert "Turkcell" in page
    assert control("pause", campaign) in page
    assert url("export", campaign, "xlsx") in page


def test_live_part_polls_while_it_lasts_and_stops_at_the_end(cast, campaign):
    client = cast.client(cast.ayse)
    page = client.get(url("campaign_report", campaign))
    live = client.get(url("campaign_live", campaign), {"state": page.context["shown_state"]}).content.decode()
    assert "<html" not in live
    assert 'hx-trigger="every 2s"' in live
    assert "hx-swap-oob" not in live
    complete(campaign)
    ended = client.get(url("campaign_live", campaign), {"state": page.context["shown_state"]}).content.decode()
    assert "hx-trigger" not in ended
    assert 'id="report-state" hx-swap-oob="true"' in ended


def test_polling_slows_down_when_nothing_moves_any_more(cast, campaign):
    move(campaign, [8, 9], "accepted")
    client = cast.client(cast.ayse)
    page = client.get(url("campaign_report", campaign)).content.decode()
    assert 'hx-trigger="every 2s"' in page
    assert control("pause", campaign) not in page
    with tenant_scope(cast.butik.pk):
        RunTally.objects.filter(run=campaign.run).update(minute=F("minute") - timedelta(minutes=10))
    assert 'hx-trigger="every 15s"' in client.get(url("campaign_report", campaign)).content.decode()


def test_recipients_follow_the_run_until_all_on_the_page_are_settled(cast, campaign):
    client = cast.client(cast.ayse)
    follows = 'hx-include="#recipient-filter"'
    assert follows in client.get(url("campaign_report", campaign)).content.decode()
    assert follows in client.get(url("recipient_list", campaign), {"state": "waiting"}).content.decode()
    assert follows not in client.get(url("recipient_list", campaign), {"state": "delivered"}).content.decode()
    complete(campaign)
    assert follows not in client.get(url("campaign_report", campaign)).content.decode()


def test_a_cancelled_run_does_not_claim_that_all_was_sent(cast, campaign):
    live = partial(cast.client(cast.ayse).get, url("campaign_live", campaign))
    move(campaign, [8, 9], "accepted")
    assert "Hepsi gönderildi" in live().content.decode()
    move(campaign, [8, 9], "cancelled")
    page = live().content.decode()
    assert "Raporlar gelmeye devam ediyor." in page
    assert "Hepsi gönderildi" not in page


def test_pause_resume_and_cancel(cast, campaign):
    client = cast.client(cast.burak)
    for name, state in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelling")):
        assert client.post(control(name, campaign)).status_code == 302
        with tenant_scope(cast.butik.pk):
            assert SendRun.objects.get(pk=campaign.run.pk).state == state, name


def test_viewer_reads_only(cast, campaign):
    client = cast.client(cast.vildan)
    page = client.get(url("campaign_report", campaign)).content.decode()
    assert control("pause", campaign) not in page
    assert url("export", campaign, "csv") not in page
    for name in ("pause", "resume", "cancel"):
        assert client.post(control(name, campaign)).status_code == 403
    assert client.get(url("export", campaign, "csv")).status_code == 403
    assert client.get(url("recipient", campaign, first_message(campaign).pk)).status_code == 200


def test_stranger_gets_404_everywhere(cast, campaign):
    client = cast.client(cast.can)
    message = first_message(campaign)
    for name in ALL_GETS:
        assert client.get(url(name, campaign)).status_code == 404, name
    assert client.get(url("recipient", campaign, message.pk)).status_code == 404
    assert client.get(url("export", campaign, "csv")).status_code == 404
    for name in ("pause", "resume", "cancel"):
        assert client.post(control(name, campaign)).status_code == 404
    with tenant_scope(cast.butik.pk):
        assert SendRun.objects.get(pk=campaign.run.pk).state == "running"
    assert campaign.name not in client.get(reverse("reporting:report_list")).content.decode()
    assert campaign.name not in client.get(reverse("reporting:dashboard")).content.decode()


def test_bad_ids_are_404_and_wrong_methods_405(cast, campaign):
    client = cast.client(cast.ayse)
    assert client.get(reverse("reporting:campaign_report", args=[uuid4()])).status_code == 404
    assert client.get(url("recipient", campaign, 10**12)).status_code == 404
    assert client.get(url("export", campaign, "pdf")).status_code == 404
    for name in ALL_GETS:
        assert client.post(url(name, campaign)).status_code == 405


def test_a_draft_has_no_report(cast):
    with tenant_scope(cast.butik.pk):
        draft = Campaign(tenant=cast.butik, name="Taslak")
        draft.save()
    assert cast.client(cast.ayse).get(url("campaign_report", draft)).status_code == 404


def test_a_message_of_another_campaign_is_404(cast, campaign):
    other = launch(cast, 1, name="Başka")
    with tenant_scope(cast.butik.pk):
        foreign = Message.objects.get(run=other.run)
    assert cast.client(cast.ayse).get(url("recipient", campaign, foreign.pk)).status_code == 404


@pytest.mark.parametrize(
    ("params", "count"),
    [
        ({}, 10),
        ({"state": "delivered"}, 5),
        ({"state": "undelivered"}, 1),
        ({"state": "queued"}, 2),
        ({"state": "nonsense"}, 10),
        ({"q": "0530 000 00 03"}, 1),
        ({"q": "99999"}, 0),
        ({"q": "5300", "state": "waiting"}, 2),
        ({"after": "nonsense"}, 10),
    ],
)
def test_recipients_filter_and_search(cast, campaign, params, count):
    response = cast.client(cast.ayse).get(url("recipient_list", campaign), params, headers={"hx-request": "true"})
    assert b"<html" not in response.content
    assert len(response.context["recipients"]) == count


def test_recipients_page_by_number(cast):
    campaign = launch(cast, 120)
    client = cast.client(cast.ayse)
    seen, params = [], {}
    for _ in range(5):
        page = client.get(url("recipient_list", campaign), params).context["page"]
        seen += [message.msisdn for message in page]
        params = {"after": page.next_cursor}
    assert len(seen) == len(set(seen)) == 120
    assert page.next_cursor == ""


def test_leafing_on_a_report_brings_recipients_and_not_the_report_again(cast):
    campaign = launch(cast, 30)
    client = cast.client(cast.ayse)
    report = client.get(url("campaign_report", campaign))
    link = f"{url('recipient_list', campaign)}?after={report.context['page'].next_cursor}"
    assert f'hx-get="{link}"' in report.content.decode()
    answer = client.get(link, headers={"hx-request": "true"})
    assert b"<html" not in answer.content
    assert len(answer.context["recipients"]) == 5


def test_recipient_tells_its_story(cast, campaign):
    client = cast.client(cast.ayse)
    with tenant_scope(cast.butik.pk):
        failed = Message.objects.get(run=campaign.run, state="undelivered")
    page = client.get(url("recipient", campaign, failed.pk))
    assert len(page.context["events"]) == 4
    assert "UNDELIV/001" in page.content.decode()
    assert "=Şükrü" in client.get(url("recipient", campaign, first_message(campaign).pk)).content.decode()


def read_xlsx(response):
    return list(openpyxl.load_workbook(BytesIO(b"".join(response.streaming_content))).active.values)


def test_export_holds_every_recipient_and_no_formula(cast, campaign):
    client = cast.client(cast.burak)
    rows = read_xlsx(client.get(url("export", campaign, "xlsx")))
    assert len(rows) == 11
    assert rows[1][:2] == (FIRST, "'=Şükrü")
    text = b"".join(client.get(url("export", campaign, "csv")).streaming_content).decode("utf-8-sig")
    assert len(text.splitlines()) == 11
    assert text.splitlines()[1].startswith("905300000000;'=Şükrü;")


def test_export_follows_the_filter(cast, campaign):
    rows = read_xlsx(cast.client(cast.ayse).get(url("export", campaign, "xlsx") + "?state=delivered"))
    assert len(rows) == 6
    with tenant_scope(cast.butik.pk):
        entry = AuditEntry.objects.get(action="report.exported")
    assert (entry.actor, entry.target, entry.data["state"]) == (cast.ayse, campaign.name, "delivered")
    assert len({row[2] for row in rows[1:]}) == 1


def test_report_list_filters_by_name_and_date(cast, campaign):
    client = cast.client(cast.ayse)
    address = reverse("reporting:report_list")
    today = campaign.launched_at.astimezone().date()
    for params, found in [
        ({}, True),
        ({"q": "sonbahar"}, True),
        ({"q": "yaz"}, False),
        ({"since": today.isoformat(), "until": today.isoformat()}, True),
        ({"since": "2100-01-01"}, False),
        ({"until": "9999-12-31"}, True),
        ({"since": "0001-01-01"}, True),
        ({"until": "2000-01-01"}, False),
        ({"since": "not a date"}, True),
    ]:
        response = client.get(address, params)
        assert (campaign.name in response.content.decode()) is found, params
    (row, _badge) = client.get(address).context["rows"][0]
    assert (row.delivered_count, row.undelivered_count) == (5, 1)
    assert client.post(address).status_code == 405


def test_dashboard_of_a_new_account_teaches(cast):
    page = cast.client(cast.can).get(reverse("reporting:dashboard"))
    assert page.context["is_new"]
    assert page.context["next_step"] == "contacts"
    assert "month" not in page.context


def test_dashboard_shows_figures_and_what_is_running(cast, campaign):
    client = cast.client(cast.ayse)
    page = client.get(reverse("reporting:dashboard"))
    assert not page.context["is_new"]
    assert page.context["month"].sent_count == 8
    assert page.context["balance"].reserved == 10
    assert campaign.name in client.get(reverse("reporting:running")).content.decode()
    complete(campaign)
    assert "hx-trigger" not in client.get(reverse("reporting:running")).content.decode()
    assert client.post(reverse("reporting:dashboard")).status_code == 405


def test_signed_out_people_are_sent_to_the_door(client, db):
    for name in ("dashboard", "running", "report_list"):
        assert client.get(reverse(f"reporting:{name}")).status_code == 302


@pytest.fixture
def dropped(campaign):
    """Its month went by age (messaging.services.retention)."""
    complete(campaign)
    with tenant_scope(campaign.run.tenant_id):
        list_messages(campaign.run).delete()
        SendRun.objects.filter(pk=campaign.run.pk).update(messages_dropped_at=timezone.now())
    return campaign


@pytest.mark.parametrize("name", ["campaign_report", "recipient_list"])
@pytest.mark.parametrize(("language", "words"), [("tr", "36 ay"), ("en", "36 months")])
def test_deleted_recipients_are_said_to_be_deleted(cast, dropped, name, language, words, settings):
    with tenant_scope(dropped.run.tenant_id):
        User.objects.filter(pk=cast.ayse.pk).update(language=language)
    page = cast.client(cast.ayse).get(url(name, dropped)).content.decode()
    assert words in page
    assert url("export", dropped, "xlsx") not in page
    assert 'id="id_q"' not in page


def test_figures_outlive_the_recipients(cast, dropped):
    response = cast.client(cast.ayse).get(url("campaign_report", dropped))
    assert response.context["figures"].total_count == 10
    assert response.context["opt_out_rate"] is None
    assert cast.client(cast.ayse).get(url("recipient", dropped, 1)).status_code == 404


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_an_export_says_that_recipients_were_deleted(cast, dropped, kind):
    response = cast.client(cast.ayse).get(url("export", dropped, kind))
    body = b"".join(response.streaming_content)
    if kind == "xlsx":
        text = str([cell.value for row in openpyxl.load_workbook(BytesIO(body)).active for cell in row])
    else:
        text = body.decode()
    assert "36 ay" in text and "+90530" not in text
