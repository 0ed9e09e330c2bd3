"""Platform staff write a connection's settings down: told what belongs into them, stopped where they cannot work."""

import json

import pytest
from django.urls import reverse
from django.utils import translation

from accounts.models import User
from accounts.scope import platform_scope
from gateways.forms.settings_guide import list_guides
from gateways.models import GatewayAccount
from gateways.opening import check_settings
from gateways.simulator.providers.host import get_double_class
from gateways.wording.diagnosis import split_bad_settings
from tests.web.bad_input import speak

ADD = reverse("admin:gateways_gatewayaccount_add")
VALUES = {"name": "Hat", "rate_per_second": 10, "window_size": 10, "slots": 1, "is_active": "on"}


@pytest.fixture
def staff(cast):
    user = User.objects.create_superuser("staff@example.com", None)
    return cast.client(user)


@pytest.mark.parametrize(
    ("adapter", "settings", "where", "said"),
    [
        ("generic", "{}", "settings", "base_url: Eksik."),
        ("generic", "", "settings", "base_url: Eksik."),
        ("netgsm", "{}", "settings", "username: Eksik."),
        ("netgsm", '{"username": "850"}', "new_secret", "password: Eksik."),
        (
            "netgsm",
            '{"base_url": "http://example.com"}',
            "settings",
            "base_url: Adres https:// ile başlamalı.",
        ),
        ("netgsm", '{"kullanici": "850"}', "settings", "kullanici diye bir ayar yok."),
        ("netgsm", "[]", "settings", "Bir JSON nesnesi bekleniyor."),
        ("netgsm", "{", "settings", "Geçerli bir JSON girin."),
    ],
)
def test_settings_that_lead_nowhere_are_refused_in_turkish(staff, adapter, settings, where, said):
    answer = staff.post(ADD, {**VALUES, "adapter": adapter, "settings": settings})
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors[where] == [said]
    with platform_scope(reason="test"):
        assert not GatewayAccount.objects.exists()


def test_the_panel_says_it_in_turkish_too(cast):
    values = {"provider": "netgsm", "name": "Netgsm", "rate_per_second": 10, "set_username": "850"}
    values |= {"set_password": "x", "set_iys_recipient_type": "BIREYSEL", "set_base_url": "http://example.com"}
    speak(cast, "tr")
    form = cast.client(cast.ayse).post(reverse("gateways:connection_new"), values).context["form"]
    assert form.errors == {"set_base_url": ["Adres https:// ile başlamalı."]}


def test_what_nobody_translated_is_said_in_the_adapters_words():
    assert split_bad_settings("send.body: [text] is missing") == ("send.body", "[text] is missing")
    assert split_bad_settings("odd") == ("", "odd")


def test_the_guide_names_every_setting_and_its_examples_work(settings):
    settings.SIMULATOR_HTTP_URL, settings.SIMULATOR_SMPP_PORT = "http://127.0.0.1:9", 9
    with translation.override("tr"):
        guides = {guide.slug: guide for guide in list_guides()}
    assert ("username", "Kullanıcı *") in [row[:2] for row in guides["netgsm"].asked]
    assert "receipt_polls" in guides["netgsm"].others
    assert guides["netgsm"].secrets == ["password"]
    assert guides["twilio"].secrets == sorted(guides["twilio"].secrets)
    assert len(guides["twilio"].secrets) > 1
    for slug, guide in guides.items():
        secret = "peyk" if slug == "smpp" else get_double_class(slug).demo_secret
        check_settings(slug, json.loads(guide.example), secret)
    settings.GUARD_TENANT_HOSTS = True
    assert {guide.example for guide in list_guides()} == {""}


def test_the_page_shows_the_guide_and_settings_line_by_line(staff):
    page = staff.get(ADD).content.decode()
    assert page.count("<details>") == len(list_guides())
    assert "{}</textarea>" in page
    with platform_scope(reason="test"):
        account = GatewayAccount(name="Netgsm", adapter="netgsm", settings={"username": "850", "app_name": "Ş"})
        account.save()
    page = staff.get(reverse("admin:gateways_gatewayaccount_change", args=[account.pk])).content.decode()
    assert page.count("<details") == 1
    assert "&quot;app_name&quot;: &quot;Ş&quot;,\n" in page
    with translation.override("tr"):
        assert "Netgsm</option>" in page
