"""Test send from the composer."""

import pytest
from django.urls import reverse

from accounts.scope import platform_scope, tenant_scope
from gateways.models import GatewayAccount
from gateways.routing.book import create_rule
from messaging.models import Message

pytestmark = pytest.mark.django_db


@pytest.fixture
def send(shop):
    shop.add_contacts(1, name="Zeynep")
    shop.add_contacts(1, start=1, name="Ali")
    campaign = shop.draft(text="Merhaba [İsim]")

    def post(user=None, **data):
        client = shop.cast.client(user or shop.cast.ayse)
        url = reverse("campaigns:test_send", args=[campaign.public_id])
        return client.post(url, {"number": "0555 111 22 33", **data}, headers={"hx-request": "true"})

    return post


def test_goes_as_the_recipient_in_the_phone_gets_it(shop, send):
    assert "alert-success" in send(position="2").content.decode()
    with tenant_scope(shop.pk):
        message = Message.objects.get()
        assert (message.msisdn, message.text.splitlines()[0]) == ("+905551112233", "Merhaba Ali")


@pytest.mark.parametrize("number", ["", "0212 555 00 00", "abc", "1" * 60])
def test_a_number_that_is_none_is_refused(shop, send, number):
    assert "alert-danger" in send(number=number).content.decode()
    with tenant_scope(shop.pk):
        assert not Message.objects.exists()


def test_a_blocked_number_is_refused(shop, send):
    shop.suppress("+905551112233")
    assert "alert-danger" in send().content.decode()


def test_the_number_is_remembered(shop, send):
    client = shop.cast.client(shop.cast.ayse)
    campaign = shop.draft()
    client.post(reverse("campaigns:test_send", args=[campaign.public_id]), {"number": "05551112233"})
    assert "555 111 22 33" in client.get(reverse("campaigns:message", args=[campaign.public_id])).content.decode()


def test_a_double_click_sends_once(shop, send):
    assert "alert-success" in send().content.decode()
    assert "alert-success" in send().content.decode()
    send(position="2")  # another text
    with tenant_scope(shop.pk):
        assert Message.objects.count() == 2


def test_a_number_without_a_price_is_refused(shop, send):
    with platform_scope(reason="test"):
        create_rule(name="Almanya", accounts=[GatewayAccount.objects.get()], prefix="+49")
    assert "alert-danger" in send(number="+4915112345678").content.decode()
    with tenant_scope(shop.pk):
        assert not Message.objects.exists()
