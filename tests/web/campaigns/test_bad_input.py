"""Campaigns that cannot go out as they are, each answered in the reader's language, and nothing is changed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry
from accounts.scope import platform_scope, tenant_scope
from billing.models import CreditAccount, LedgerTransaction
from billing.selectors import get_balance
from campaigns.models import Campaign, MessageTemplate
from messaging import tasks
from messaging.models import SendRun

from ..bad_input import nothing_changes, read_alert, speak

pytestmark = pytest.mark.django_db

UNFIT = {
    "unknown field": (
        "Merhaba [İsim], [Puan] puanınız var.",
        {
            "tr": "[Puan] adında bir alan yok. Kullanabilecekleriniz: [İsim], [Ad], [Kod].",
            "en": "There is no field called [Puan]. You can use: [Name], [First name], [Kod].",
        },
    ),
    "more than 10 parts": (
        "Uzun bir mesaj. " * 100,
        {
            "tr": "Mesaj 11 boy; en çok 10 boy gönderilebilir. Kısaltın.",
            "en": "The message is 11 parts long; at most 10 can be sent. Shorten it.",
        },
    ),
}


@pytest.fixture(autouse=True)
def nudges(monkeypatch):
    rung = []
    monkeypatch.setattr(tasks.ring_senders, "delay", lambda **names: rung.append(names))
    return rung


def address(name: str, campaign: Campaign) -> str:
    return reverse(f"campaigns:{name}", args=[campaign.public_id])


@pytest.mark.parametrize("language", ["tr", "en"])
@pytest.mark.parametrize(("text", "expected"), UNFIT.values(), ids=UNFIT.keys())
def test_a_text_that_cannot_be_sent(shop, text, expected, language):
    """Told while it is written, at the check and at the test send; no audience, no run, no credits."""
    speak(shop.cast, language)
    shop.add_contacts(3)
    campaign, client = shop.draft(text=""), shop.cast.client(shop.cast.ayse)
    written = {"version": 1, "text": text, "sender": shop.sender.pk, "content_class": "commercial"}
    written |= {"append_opt_out": "on"}
    assert expected[language] in read_alert(client.post(address("save_message", campaign), written))
    with nothing_changes():
        answer = client.post(address("prepare", campaign), {"version": 2}, follow=True)
        assert expected[language] in read_alert(answer)
        assert address("message", campaign) in answer.content.decode()  # the way to put it right
        answer = client.post(address("test_send", campaign), {"number": "0532 123 41 07"}, follow=True)
        assert expected[language] in read_alert(answer)
        answer = client.post(address("launch", campaign), {"version": 2, "now": "1"}, follow=True)
        assert expected[language] in read_alert(answer)


@pytest.mark.parametrize(
    ("language", "text"),
    [("tr", "[Puan] adında bir alan yok"), ("en", "There is no field called [Puan]")],
)
def test_a_template_with_an_unknown_field(shop, language, text):
    speak(shop.cast, language)
    client = shop.cast.client(shop.cast.ayse)
    with nothing_changes():
        answer = client.post(reverse("campaigns:template_create"), {"name": "Puan", "text": "[Puan] puanınız var"})
    assert text in read_alert(answer)
    assert "[Puan] puanınız var" in answer.content.decode()
    with tenant_scope(shop.pk):
        assert not MessageTemplate.objects.exists()


@pytest.mark.parametrize(
    ("language", "text"),
    [("tr", "Bu zaman geçti. Daha ileri bir zaman seçin."), ("en", "This time is over. Choose a later one.")],
)
@pytest.mark.parametrize("name", ["schedule", "save_schedule"])
def test_a_schedule_in_the_past(shop, name, language, text):
    speak(shop.cast, language)
    campaign, client = shop.draft(), shop.cast.client(shop.cast.ayse)
    with nothing_changes():
        answer = client.post(
            address(name, campaign), {"version": 1, "when": "later", "on": "2026-01-01", "at": "10:00"}
        )
    assert text in read_alert(answer)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("tr", "Seçilen zaman geçti. Daha ileri bir zaman seçin ya da şimdi gönderin."),
        ("en", "The chosen time is over. Choose a later one, or send now."),
    ],
)
def test_a_schedule_that_went_by_before_the_launch(shop, language, text):
    speak(shop.cast, language)
    campaign, client = shop.ready(scheduled_at=timezone.now() + timedelta(hours=2)), shop.cast.client(shop.cast.ayse)
    with tenant_scope(shop.pk):
        Campaign.objects.filter(pk=campaign.pk).update(scheduled_at=timezone.now() - timedelta(minutes=1))
    with nothing_changes():
        answer = client.post(address("launch", campaign), {"version": 1}, follow=True)
    assert text in read_alert(answer)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("tr", "Kredi yetersiz: 5 gerekli, 2 var, 3 eksik."),
        ("en", "Not enough credit: 5 needed, 2 available, 3 missing."),
    ],
)
def test_not_enough_credit(shop, language, text):
    speak(shop.cast, language)
    campaign, client = shop.ready(5), shop.cast.client(shop.cast.ayse)
    with platform_scope(reason="test"):
        CreditAccount.objects.filter(tenant=shop.cast.butik).update(available=2)
    with nothing_changes():
        answer = client.post(address("launch", campaign), {"version": 1, "now": "1"}, follow=True)
    assert text in read_alert(answer)
    assert reverse("billing:overview") in answer.content.decode()


@pytest.mark.parametrize(
    ("language", "whose", "kept"),
    [
        ("tr", "Burak bu taslağı", "ama kaybolmadı da. Şu anki hali:"),
        ("en", "Burak changed this draft at", "nothing was lost. What stands now:"),
    ],
)
@pytest.mark.parametrize("name", ["message", "save_message"])
def test_the_second_editor_of_a_draft_sees_whose_version_stands(shop, name, language, whose, kept):
    speak(shop.cast, language)
    campaign = shop.draft(text="")
    ayse, burak = (shop.cast.client(user) for user in (shop.cast.ayse, shop.cast.burak))
    seen = {"version": 1, "sender": shop.sender.pk, "content_class": "commercial"}
    burak.post(address("save_message", campaign), {**seen, "text": "Burak yazdı"})
    with nothing_changes():
        answer = ayse.post(address(name, campaign), {**seen, "text": "Ayşe yazdı"})
    page = read_alert(answer)
    assert whose in page and kept in page and "Burak yazdı" in page
    assert "Ayşe yazdı" in page  # what she wrote is before her still
    ayse.post(address("message", campaign), {**seen, "version": 0, "keep": 2, "text": "Ayşe yazdı"})
    assert shop.reload(campaign).text == "Ayşe yazdı"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("language", "text"),
    [("tr", "“Sonbahar indirimi” gönderiliyor."), ("en", "“Sonbahar indirimi” is being sent.")],
)
def test_a_double_click_on_launch_is_one_run_and_one_hold(shop, nudges, language, text):
    speak(shop.cast, language)
    campaign = shop.ready(20)
    clients = [shop.cast.client(shop.cast.ayse) for _click in range(2)]
    barrier = Barrier(len(clients))

    def click(client):
        barrier.wait()
        try:
            return client.post(address("launch", campaign), {"version": 1, "now": "1"})
        finally:
            connection.close()

    with ThreadPoolExecutor(len(clients)) as pool:
        answers = list(pool.map(click, clients))
    assert [answer.status_code for answer in answers] == [302, 302]
    assert {answer.url for answer in answers} == {address("detail", campaign)}
    for client in clients:
        assert text in read_alert(client.get(address("detail", campaign), follow=True))
    with platform_scope(reason="test"):
        assert list(SendRun.objects.values_list("pk", "state")) == [(shop.reload(campaign).run_id, "running")]
        assert LedgerTransaction.objects.filter(kind=LedgerTransaction.Kind.HOLD).count() == 1
        assert AuditEntry.objects.filter(action="campaign.launched").count() == 1
        assert (get_balance(shop.pk).reserved, get_balance(shop.pk).available) == (20, 9_980)
