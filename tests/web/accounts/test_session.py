"""Switching accounts, language and theme."""

import pytest
from django.urls import reverse

from accounts.models import AuditEntry, User
from accounts.scope import platform_scope, tenant_scope
from accounts.services import create_sub_account
from contacts.models import ContactGroup


def trail(tenant, action):
    with platform_scope(reason="test"):
        return list(AuditEntry.objects.filter(tenant=tenant, action=action).values_list("actor__email", flat=True))


def test_an_agency_switches_into_a_sub_account_and_back(cast):
    client = cast.client(cast.deniz)
    response = client.post(reverse("accounts:switch", args=[cast.butik.public_id]))
    assert response.status_code == 302
    page = client.get(reverse("accounts:settings"))
    assert page.context["actor"].tenant == cast.butik
    assert page.context["actor"].via_agency
    assert "acting" in page.content.decode()
    assert trail(cast.butik, "tenant.switched") == [cast.deniz.email]
    assert trail(cast.ajans, "subaccount.entered") == [cast.deniz.email]
    client.post(reverse("accounts:switch", args=[cast.ajans.public_id]))
    assert client.get(reverse("accounts:settings")).context["actor"].tenant == cast.ajans


def test_the_agency_whose_member_acts_has_the_entry(cast):
    with tenant_scope(cast.butik.pk):
        below = create_sub_account(agency=cast.butik, name="Ayşe Şube", actor=cast.ayse)
    cast.client(cast.deniz).post(reverse("accounts:switch", args=[below.public_id]))
    assert trail(below, "tenant.switched") == [cast.deniz.email]
    assert trail(cast.ajans, "subaccount.entered") == [cast.deniz.email]
    assert trail(cast.butik, "subaccount.entered") == []


@pytest.mark.parametrize("is_htmx", [False, True])
def test_a_page_of_another_account_changes_nothing(cast, is_htmx):
    """Two tabs: the second switches, then the first one sends what was written for the account before."""
    client = cast.client(cast.deniz)
    page = client.get(reverse("contacts:group_list")).content.decode()
    assert f'data-acting-in="{cast.ajans.public_id}"' in page
    client.post(reverse("accounts:switch", args=[cast.butik.public_id]), {"acting_in": cast.ajans.public_id})
    data, headers = {"name": "Ajansın listesi"}, {}
    if is_htmx:
        headers = {"X-Acting-In": str(cast.ajans.public_id)}
    else:
        data["acting_in"] = str(cast.ajans.public_id)
    answer = client.post(reverse("contacts:group_add"), data, headers=headers)
    assert answer.status_code == 409
    assert "Ayşe Butik" in answer.content.decode() and "Ay%C5%9Fe" in answer["X-Error-Text"]
    with platform_scope(reason="test"):
        assert not ContactGroup.objects.filter(name="Ajansın listesi").exists()
    data["acting_in"], headers = str(cast.butik.public_id), {}
    assert client.post(reverse("contacts:group_add"), data, headers=headers).status_code == 302


def test_nobody_switches_where_they_have_no_role(cast):
    client = cast.client(cast.can)
    assert client.post(reverse("accounts:switch", args=[cast.butik.public_id])).status_code == 404
    assert client.get(reverse("accounts:settings")).context["actor"].tenant == cast.rakip
    assert trail(cast.butik, "tenant.switched") == []


def test_a_member_below_does_not_reach_the_agency(cast):
    assert cast.client(cast.ayse).post(reverse("accounts:switch", args=[cast.ajans.public_id])).status_code == 404


def test_switching_needs_a_post(cast):
    assert cast.client(cast.deniz).get(reverse("accounts:switch", args=[cast.butik.public_id])).status_code == 405


def test_preferences_are_kept_in_profile_and_cookie(cast):
    client = cast.client(cast.ayse)
    response = client.post(
        reverse("accounts:preferences"), {"language": "en", "theme": "dark", "next": reverse("accounts:profile")}
    )
    assert response["Location"] == reverse("accounts:profile")
    assert (client.cookies["django_language"].value, client.cookies["theme"].value) == ("en", "dark")
    user = User.objects.get(pk=cast.ayse.pk)
    assert (user.language, user.theme) == ("en", "dark")
    page = client.get(reverse("accounts:profile")).content.decode()
    assert '<html lang="en" data-theme="dark" data-bs-theme="dark">' in page


def test_the_profile_decides_the_language_after_sign_in(cast):
    User.objects.filter(pk=cast.ayse.pk).update(language="en")
    client = cast.client(cast.ayse)
    client.cookies["django_language"] = "tr"
    response = client.get(reverse("accounts:profile"))
    assert '<html lang="en"' in response.content.decode()
    assert response.cookies["django_language"].value == "en"


def test_visitors_choose_too_and_the_browser_does_not(client, db):
    login = reverse("account_login")
    assert '<html lang="tr"' in client.get(login, headers={"accept-language": "en"}).content.decode()
    client.post(reverse("accounts:preferences"), {"language": "en"})
    assert '<html lang="en"' in client.get(login).content.decode()


def test_preferences_refuse_nonsense(cast):
    client = cast.client(cast.ayse)
    answer = client.post(
        reverse("accounts:preferences"), {"language": "xx", "theme": "pink", "next": "https://evil.example/"}
    )
    assert answer["Location"] == "/"
    user = User.objects.get(pk=cast.ayse.pk)
    assert (user.language, user.theme) == ("tr", "auto")
