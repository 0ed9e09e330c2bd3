"""What a marketer reads about characters that the connection does not carry."""

import pytest
from django.urls import reverse

from accounts.scope import platform_scope, tenant_scope
from gateways.models import GatewayAccount
from messaging.models import Message

pytestmark = pytest.mark.django_db

NOBODY, SOME = "Bu mesaj kimseye ulaşmaz", "2 alıcı bu mesajı alamaz"


@pytest.fixture
def plain(shop):
    """The shop's only connection is one that knows GSM-7 and Turkish."""
    with platform_scope(reason="test"):
        GatewayAccount.objects.update(adapter="netgsm")


def url(name, campaign):
    return reverse(f"campaigns:{name}", args=[campaign.public_id])


def save(shop, campaign, text):
    """The autosave, as it comes after a pause in typing."""
    data = {"text": text, "content_class": "informational", "sender": shop.sender.pk, "version": campaign.version}
    answer = shop.cast.client(shop.cast.ayse).post(url("save_message", campaign), data, headers={"hx-request": "true"})
    return answer.content.decode()


def test_the_live_panel_says_that_nobody_gets_it(shop, plain):
    shop.add_contacts(3)
    page = save(shop, shop.draft(content_class="informational"), "Afiyet olsun 🍰")
    assert NOBODY in page and "🍰" in page and "Bu karakterleri metinden çıkarın" in page
    assert NOBODY in save(shop, shop.draft(include_group_ids=frozenset()), "Afiyet olsun 🍰"), "without recipients too"


def test_the_live_panel_says_how_many_do_not_get_it(shop, plain):
    shop.add_contacts(3)
    shop.add_contacts(2, start=10, name="Zeynep 🍰")
    page = save(shop, shop.draft(content_class="informational"), "Sayın [İsim]")
    assert SOME in page and "kişilerin bilgilerinden geliyor" in page and NOBODY not in page
    assert SOME not in save(shop, shop.draft(content_class="informational"), "Sayın [Kod], ışığı söndürün")


def test_a_connection_that_carries_everything_says_nothing(shop):
    shop.add_contacts(3)
    page = save(shop, shop.draft(content_class="informational"), "Afiyet olsun 🍰")
    assert NOBODY not in page and "alıcı bu mesajı alamaz" not in page


def test_the_check_page_stops_or_warns(shop, plain):
    shop.add_contacts(3)
    shop.add_contacts(2, start=10, name="Zeynep 🍰")
    client = shop.cast.client(shop.cast.ayse)
    stopped = shop.draft(content_class="informational", text="Afiyet olsun 🍰")
    page = client.get(url("check", stopped)).content.decode()
    assert NOBODY in page and url("prepare", stopped) not in page
    warned = shop.draft(content_class="informational", text="Sayın [İsim]")
    shop.prepare(warned)
    page = client.get(url("check", warned)).content.decode()
    assert SOME in page and "Bağlantının taşıyamadığı karakter" in page
    assert client.post(url("launch", warned), {"version": warned.version})["Location"] == url("detail", warned)


def test_a_test_message_is_refused_with_the_reason(shop, plain):
    shop.add_contacts(1, name="Zeynep 🍰")
    campaign = shop.draft(content_class="informational", text="Sayın [İsim]")
    answer = shop.cast.client(shop.cast.ayse).post(
        url("test_send", campaign), {"number": "0555 111 22 33"}, headers={"hx-request": "true"}
    )
    assert "1 alıcı bu mesajı alamaz" in answer.content.decode()
    with tenant_scope(shop.pk):
        assert not Message.objects.exists()
