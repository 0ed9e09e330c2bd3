"""allauth's pages in our look, and what they promise."""

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.urls import reverse

from accounts.models import User
from tests.conftest import PASSWORD

PAGES = ["account_login", "account_reset_password", "account_reset_password_done", "account_signup", "account_inactive"]
OWN_PAGES = ["account_change_password", "mfa_index", "account_logout"]


@pytest.fixture(autouse=True)
def _fresh_limits():
    cache.clear()


@pytest.fixture
def signed_in(cast, client):
    cast.ayse.set_password(PASSWORD)
    cast.ayse.save()
    client.post(reverse("account_login"), {"login": cast.ayse.email, "password": PASSWORD})
    return client


@pytest.mark.parametrize("name", PAGES)
def test_pages_for_visitors(client, db, name):
    response = client.get(reverse(name))
    assert response.status_code == 200
    assert "entrance-card" in response.content.decode()


@pytest.mark.parametrize("name", OWN_PAGES)
def test_pages_for_members(signed_in, name):
    response = signed_in.get(reverse(name))
    assert response.status_code == 200
    assert "peyk.css" in response.content.decode()


def test_sign_in_leads_to_the_overview(cast, client):
    cast.ayse.set_password(PASSWORD)
    cast.ayse.save()
    response = client.post(reverse("account_login"), {"login": "AYSE@example.com", "password": PASSWORD})
    assert response["Location"] == "/"
    wrong = client.post(reverse("account_login"), {"login": cast.can.email, "password": "nope"})
    assert wrong.status_code in (200, 302)
    assert client.session["_auth_user_id"] == str(cast.ayse.pk)


def test_nobody_signs_up(client, db):
    client.post(reverse("account_signup"), {"email": "x@example.com", "password1": PASSWORD, "password2": PASSWORD})
    assert not User.objects.filter(email="x@example.com").exists()


def test_nobody_takes_an_address_that_is_not_theirs(cast, signed_in):
    for address in ("gelecek.uye@example.com", cast.can.email):
        for act in ("action_add", "action_primary"):
            assert signed_in.post("/auth/email/", {"email": address, act: ""}).status_code == 404
    cast.ayse.refresh_from_db()
    assert cast.ayse.email == "ayse@example.com"
    assert not EmailAddress.objects.filter(user=cast.ayse).exclude(email=cast.ayse.email).exists()


def test_password_reset_speaks_alike_to_known_and_unknown(cast, client):
    for address in (cast.ayse.email, "kimse@example.com"):
        response = client.post(reverse("account_reset_password"), {"email": address})
        assert response["Location"] == reverse("account_reset_password_done")
    assert len(mail.outbox) == 2
    assert "/auth/password/reset/key/" in mail.outbox[0].body
    assert "/auth/password/reset/key/" not in mail.outbox[1].body


def test_the_authenticator_app_is_set_up_and_asked_for(cast, signed_in):
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

    asked = signed_in.get(reverse("mfa_activate_totp"))
    assert asked["Location"].startswith(reverse("account_reauthenticate"))
    assert "entrance-card" in signed_in.get(asked["Location"]).content.decode()
    signed_in.post(asked["Location"], {"password": PASSWORD})
    page = signed_in.get(reverse("mfa_activate_totp"))
    assert page.status_code == 200
    secret = page.context["form"].secret
    code = format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))
    done = signed_in.post(reverse("mfa_activate_totp"), {"code": code})
    assert done["Location"] == reverse("mfa_view_recovery_codes")
    assert signed_in.get(reverse("mfa_view_recovery_codes")).status_code == 200
    for name in ("mfa_generate_recovery_codes", "mfa_deactivate_totp", "mfa_index"):
        assert signed_in.get(reverse(name)).status_code == 200
    signed_in.post(reverse("account_logout"))
    again = signed_in.post(reverse("account_login"), {"login": cast.ayse.email, "password": PASSWORD})
    assert again["Location"] == reverse("mfa_authenticate")
    assert signed_in.get(reverse("mfa_authenticate")).status_code == 200
    assert "_auth_user_id" not in signed_in.session


def test_errors_wear_our_look(cast):
    client = cast.client(cast.ayse)
    client.raise_request_exception = False
    missing = client.get("/nothing-here/")
    assert missing.status_code == 404
    assert "entrance-card" in missing.content.decode()
    refused = cast.client(cast.vildan).get(reverse("accounts:audit"))
    assert refused.status_code == 403
    assert "entrance-card" in refused.content.decode()


def test_an_expired_form_is_explained(cast):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.ayse)
    response = client.post(reverse("accounts:profile"), {})
    assert response.status_code == 403
    assert "entrance-card" in response.content.decode()


def test_no_inline_style_or_script_leaves_the_house(signed_in):
    policy = signed_in.get(reverse("accounts:profile"))["Content-Security-Policy"]
    assert "unsafe" not in policy
    for name in ("accounts:profile", "accounts:member_list", "mfa_index"):
        page = signed_in.get(reverse(name)).content.decode()
        assert " style=" not in page
        assert "<script>" not in page
        assert "https://" not in page
