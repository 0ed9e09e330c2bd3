"""Sessions end by themselves, and what matters needs a second step (reliability, section 7)."""

import time
from urllib.parse import quote
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from django.urls import reverse

from accounts.middleware import SESSION_BEGAN, SESSION_SEEN
from accounts.models import Membership, User
from accounts.scope import tenant_scope

URL = reverse("accounts:settings")
MINUTE = 60


def age(client, **seconds):
    """Put the marks of the session into the past."""
    session = client.session
    for name, value in seconds.items():
        session[name] = int(time.time()) - value
    session.save()


@pytest.fixture
def client(cast):
    client = cast.client(cast.ayse)
    assert client.get(URL).status_code == 200
    return client


def is_signed_in(client):
    return "_auth_user_id" in client.session


@pytest.mark.parametrize(("idle", "expected"), [(29 * MINUTE, True), (31 * MINUTE, False)])
def test_who_does_nothing_is_signed_out(client, idle, expected):
    age(client, **{SESSION_SEEN: idle})
    response = client.get(URL)
    assert is_signed_in(client) is expected
    assert response.status_code == (200 if expected else 302)


def test_acts_keep_it_open_until_the_day_is_over(client):
    for _ in range(3):
        age(client, **{SESSION_SEEN: 20 * MINUTE})
        assert client.get(URL).status_code == 200
    age(client, **{SESSION_BEGAN: 12 * 3600 + 1})
    assert client.get(URL).status_code == 302


def test_a_page_that_looks_by_itself_keeps_nothing_open(client):
    age(client, **{SESSION_SEEN: 20 * MINUTE})
    client.get(URL, headers={"x-poll": "1"})
    assert time.time() - client.session[SESSION_SEEN] > 19 * MINUTE


def test_a_part_of_a_page_does_not_become_a_sign_in_form(client):
    age(client, **{SESSION_SEEN: 31 * MINUTE})
    response = client.get(reverse("reporting:running"), headers={"hx-request": "true"})
    assert (response.status_code, response["HX-Refresh"]) == (204, "true")


PAGE = reverse("accounts:member_list") + "?after=x"


@pytest.mark.parametrize(
    ("page", "back"),
    [(f"http://testserver{PAGE}", PAGE), ("https://evil.example/account/", "/"), ("//evil.example/", "/"), ("", "/")],
)
def test_a_button_pressed_too_late_leads_back_to_its_page(cast, client, page, back):
    age(client, **{SESSION_SEEN: 31 * MINUTE})
    button = reverse("accounts:member_remove", args=[cast.burak.public_id])
    answer = client.post(button, headers={"referer": page})
    assert answer["Location"] == f"{reverse('account_login')}?next={quote(back, safe='/')}"
    assert "Oturumunuz bu arada kapandı" in client.get(answer["Location"]).content.decode()
    with tenant_scope(cast.butik.pk):
        assert Membership.objects.filter(user=cast.burak).exists()


def test_switching_too_late_does_not_lead_to_an_address_without_a_page(cast, client):
    age(client, **{SESSION_SEEN: 31 * MINUTE})
    button = reverse("accounts:switch", args=[cast.butik.public_id])
    assert client.post(button)["Location"] == f"{reverse('account_login')}?next=/"


def test_a_draft_that_saves_itself_too_late_says_so(cast, client):
    age(client, **{SESSION_SEEN: 31 * MINUTE})
    answer = client.post(reverse("campaigns:save_message", args=[uuid4()]), headers={"hx-request": "true"})
    assert (answer.status_code, answer["HX-Refresh"]) == (204, "true")
    assert "Oturumunuz bu arada kapandı" in client.get(reverse("account_login")).content.decode()


SENSITIVE = ["accounts:member_add", "billing:sub_accounts", "gateways:sender_new"]


@pytest.mark.parametrize("name", SENSITIVE)
def test_the_second_step_is_asked_for_where_it_is_required(cast, client, settings, name):
    assert client.get(reverse(name)).status_code == 200
    settings.TOTP_REQUIRED = True
    assert client.get(reverse(name))["Location"] == reverse("mfa_activate_totp")
    assert client.get(URL).status_code == 200  # looking is free
    assert client.post(URL, {})["Location"] == reverse("mfa_activate_totp")
    Authenticator.objects.create(user=cast.ayse, type=Authenticator.Type.TOTP, data={"secret": "x"})
    assert client.get(reverse(name)).status_code == 200


def test_staff_need_it_for_the_administration(cast, settings):
    staff = User.objects.create_superuser("admin@example.com", None)
    client = cast.client(staff)
    assert client.get(reverse("admin:index")).status_code == 200
    settings.TOTP_REQUIRED = True
    assert client.get(reverse("admin:index"))["Location"] == reverse("mfa_activate_totp")


def test_numbers_leave_only_by_a_recent_sign_in(cast, client, monkeypatch):
    url = reverse("contacts:export", kwargs={"kind": "csv"})
    assert client.get(url).status_code == 200
    monkeypatch.setattr("accounts.recent.signed_in_recently", lambda request: False)
    for name in ("contacts:export", "optout:export"):
        answer = client.get(reverse(name, kwargs={"kind": "csv"}))
        assert answer["Location"].startswith(reverse("account_reauthenticate"))
