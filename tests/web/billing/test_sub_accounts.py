import time
from decimal import Decimal
from uuid import uuid4

import pytest
from django.urls import reverse

from accounts.models import Tenant, User
from accounts.scope import platform_scope, tenant_scope
from billing.models import LedgerTransaction
from billing.selectors import get_balance
from billing.services import open_credit_account, top_up_credits
from tests.conftest import PASSWORD


@pytest.fixture
def agency(cast):
    with tenant_scope(cast.ajans.pk):
        top_up_credits(tenant=cast.ajans, amount=Decimal(1000), reference="start", actor=None)
    open_credit_account(cast.butik)
    return cast


def available(tenant):
    with platform_scope(reason="test"):
        return get_balance(tenant.pk).available


def transfer(client, tenant, amount, key=None):
    url = reverse("billing:sub_account_transfer", args=[tenant.public_id])
    return client.post(url, {"amount": amount, "key": key or uuid4()})


def test_lists_accounts_below_with_balances(agency):
    transfer(agency.client(agency.deniz), agency.butik, "250")
    rows = agency.client(agency.deniz).get(reverse("billing:sub_accounts")).context["rows"]
    assert [(row.tenant, row.available) for row in rows] == [(agency.butik, Decimal(250))]
    assert rows[0].last_movement_at is not None


def test_leafs_through_many_accounts_by_name(agency):
    Tenant.objects.bulk_create(
        Tenant(name=f"{letter} {n:02d}", slug=f"{place}-{n}", parent=agency.ajans)
        for place, letter in enumerate("ÇZ")
        for n in range(40)
    )
    client, names, params = agency.client(agency.deniz), [], {}
    while params is not None:
        page = client.get(reverse("billing:sub_accounts"), params)
        names += [row.tenant.name for row in page.context["rows"]]
        assert len(page.context["rows"]) <= 50
        after = page.context["page"].next_cursor
        params = {"after": after} if after else None
    assert len(names) == len(set(names)) == 81
    assert names[:2] == ["Ayşe Butik", "Ç 00"] and names[-1] == "Z 39"


def test_opens_a_sub_account(agency):
    client = agency.client(agency.deniz)
    assert client.post(reverse("billing:sub_account_new"), {"name": "Şık Işıltı"}).status_code == 302
    tenant = Tenant.objects.get(parent=agency.ajans, name="Şık Işıltı")
    assert tenant.slug == "sik-isilti"
    assert available(tenant) == 0
    client.post(reverse("accounts:switch", args=[tenant.public_id]))
    assert client.get(reverse("billing:overview")).context["actor"].tenant == tenant
    assert "name" in client.post(reverse("billing:sub_account_new"), {"name": ""}).context["form"].errors


@pytest.mark.parametrize(("typed", "moved"), [("250", "250"), ("1.000", "1000"), ("12,5", "12.5")])
def test_moves_credits_as_a_turkish_reader_writes_them(agency, typed, moved):
    assert transfer(agency.client(agency.deniz), agency.butik, typed).status_code == 302
    assert available(agency.butik) == Decimal(moved)
    assert available(agency.ajans) == Decimal(1000) - Decimal(moved)


@pytest.mark.parametrize(
    ("language", "typed", "moved"),
    [
        ("en", "12.50", "12.5"),
        ("en", "1,000", "1000"),
        ("en", "12,50", None),
        ("en", "1,0000", None),
        ("en", "1,00,000", None),
        ("tr", "12.50", None),
        ("tr", "1.000,00", "1000"),
        ("tr", "1,000.00", None),
    ],
)
def test_an_amount_that_could_be_meant_otherwise_is_refused(agency, language, typed, moved):
    User.objects.filter(pk=agency.deniz.pk).update(language=language)
    response = transfer(agency.client(agency.deniz), agency.butik, typed)
    assert available(agency.butik) == Decimal(moved or 0)
    if moved is None:
        example = {"en": "1,500.25", "tr": "1.500,25"}[language]
        assert example in str(response.context["form"].errors["amount"])


def test_the_same_form_twice_moves_once(agency):
    client, key = agency.client(agency.deniz), uuid4()
    transfer(client, agency.butik, "100", key)
    again = client.get(transfer(client, agency.butik, "100", key)["Location"])
    assert available(agency.butik) == 100
    assert "başka aktarım yapılmadı" in [str(message) for message in again.context["messages"]][-1]


def test_another_amount_from_a_page_that_was_used_asks_again(agency):
    client, key = agency.client(agency.deniz), uuid4()
    transfer(client, agency.butik, "100", key)
    form = transfer(client, agency.butik, "30", key).context["form"]
    assert "amount" in form.errors
    assert available(agency.butik) == 100
    transfer(client, agency.butik, "30", form["key"].value())
    assert available(agency.butik) == 130


def test_back_brings_a_fresh_page(agency):
    url = reverse("billing:sub_account_transfer", args=[agency.butik.public_id])
    assert "no-store" in agency.client(agency.deniz).get(url)["Cache-Control"]


@pytest.mark.parametrize("amount", ["0", "-5", "abc", "", "1000,01"])
def test_refuses_and_changes_nothing(agency, amount):
    response = transfer(agency.client(agency.deniz), agency.butik, amount)
    assert "amount" in response.context["form"].errors
    assert available(agency.ajans) == 1000
    with platform_scope(reason="test"):
        assert not LedgerTransaction.objects.filter(kind="transfer").exists()


def test_a_stale_sign_in_is_confirmed_first(agency):
    agency.deniz.set_password(PASSWORD)
    agency.deniz.save()
    client = agency.client(agency.deniz)
    url = reverse("billing:sub_account_transfer", args=[agency.butik.public_id])
    for response in (client.get(url), transfer(client, agency.butik, "5")):
        assert response["Location"].startswith(reverse("account_reauthenticate"))
    assert available(agency.butik) == 0
    back = client.post(client.get(url)["Location"], {"password": PASSWORD})
    assert back["Location"] == url
    assert client.get(url).status_code == 200
    session = client.session
    for record in session["account_authentication_methods"]:
        record["at"] = time.time() - 700
    session.save()
    assert client.get(url).status_code == 302


def test_only_downwards_and_only_one_step(agency):
    client = agency.client(agency.deniz)
    assert transfer(client, agency.rakip, "5").status_code == 404
    assert transfer(agency.client(agency.ayse), agency.ajans, "5").status_code == 404
    url = reverse("billing:sub_account_transfer", args=[uuid4()])
    assert client.get(url).status_code == 404


def test_editors_and_viewers_may_not(agency):
    for user in (agency.burak, agency.vildan):
        client = agency.client(user)
        assert client.get(reverse("billing:sub_accounts")).status_code == 403
        assert client.post(reverse("billing:sub_account_new"), {"name": "Yeni hesap"}).status_code == 403
    assert not Tenant.objects.filter(name="Yeni hesap").exists()
