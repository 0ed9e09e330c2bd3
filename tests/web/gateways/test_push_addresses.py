"""The addresses that people enter in a provider's portal: shown to who manages the connection, and renewed."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from accounts.models import AuditEntry, User
from accounts.scope import platform_scope, tenant_scope
from gateways.models import GatewayAccount
from gateways.push_addresses import list_push_addresses


def make(cast, adapter, settings=None):
    with tenant_scope(cast.butik.pk):
        account = GatewayAccount(tenant=cast.butik, name="Hat", adapter=adapter, settings=settings or {})
        account.save()
    return account


def page(name, account):
    return reverse(f"gateways:{name}", args=[account.public_id])


@pytest.mark.parametrize(
    ("adapter", "settings", "ends"),
    [
        ("netgsm", {}, ["inbound"]),
        ("iletimerkezi", {}, ["receipts"]),
        ("verimor", {}, ["receipts"]),
        ("vonage", {}, ["receipts", "inbound"]),
        ("infobip", {}, ["inbound"]),
        ("twilio", {}, ["inbound"]),
        ("generic", {"receipt": {"id": "id"}}, ["receipts"]),
        ("generic", {}, []),
        ("mutlucell", {}, []),
        ("figensoft", {}, []),
        ("smpp", {}, []),
        ("gone", {}, []),
    ],
)
def test_what_has_to_be_entered(cast, settings, adapter, ends):
    account = make(cast, adapter, settings)
    urls = [address.url for address in list_push_addresses(account)]
    assert urls == [f"http://127.0.0.1:8000/gateways/{account.push_token}/{end}" for end in ends]


def test_the_connections_page_shows_them(cast):
    account = make(cast, "netgsm")
    body = cast.client(cast.ayse).get(page("connection", account)).content.decode()
    assert f"/gateways/{account.push_token}/inbound</p>" in body and "data-copy-from" in body
    assert "Sağlayıcıya verilecek adresler" in body
    assert account.push_token not in cast.client(cast.ayse).get(page("connection_edit", account)).content.decode()
    smpp = make(cast, "smpp")
    assert smpp.push_token not in cast.client(cast.ayse).get(page("connection", smpp)).content.decode()


def test_new_ones_replace_them_at_once(cast, client):
    account = make(cast, "netgsm", {"username": "8503021234"})
    url = page("connection_addresses", account)
    assert cast.client(cast.burak).post(url).status_code == 403
    assert cast.client(cast.can).post(url).status_code == 404
    assert cast.client(cast.ayse).get(url).status_code == 405
    assert cast.client(cast.ayse).post(url).status_code == 302
    with tenant_scope(cast.butik.pk):
        renewed = GatewayAccount.objects.get(pk=account.pk)
        entry = AuditEntry.objects.get(action="gateway.push_renewed")
    assert renewed.push_token != account.push_token and len(renewed.push_token) == 64
    assert renewed.push_token not in str(entry.data)
    for token, answer in ((account.push_token, 404), (renewed.push_token, 503)):  # 503: it has no password yet
        assert client.post(f"/gateways/{token}/inbound", b"{}", content_type="text/plain").status_code == answer


def test_staff_who_may_change_connections_see_them(cast, client):
    account = make(cast, "netgsm")
    change = reverse("admin:gateways_gatewayaccount_change", args=[account.pk])
    staff = cast.client(User.objects.create_superuser("staff@example.com", None))
    body = staff.get(change).content.decode()
    assert f'data-copy="http://127.0.0.1:8000/gateways/{account.push_token}/inbound"' in body and "panel.js" in body
    reader = User.objects.create_user("reader@example.com", None, is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_gatewayaccount"))
    answer = cast.client(reader).get(change)
    assert answer.status_code == 200 and account.push_token not in answer.content.decode()
    listing = reverse("admin:gateways_gatewayaccount_changelist")
    staff.post(listing, {"action": "renew_addresses", "_selected_action": [account.pk]})
    with platform_scope(reason="test"):
        assert GatewayAccount.objects.get(pk=account.pk).push_token != account.push_token
