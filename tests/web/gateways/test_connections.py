"""An account's own connections: their page, switch, window, deletion; nobody else's business."""

from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, User
from accounts.scope import platform_scope, tenant_scope
from gateways.models import ConnectionCheck, GatewayAccount, RouteRule
from gateways.services.senders import request_sender
from messaging.models import SendRun
from tests.engine_runs import make_rows, make_run
from tests.web.bad_input import speak
from tests.web.gateways.connecting import VALUES, add, get_account, page

pytestmark = pytest.mark.usefixtures("asked")


def test_the_page_leads_on(cast, account):
    """From a connection nothing goes over, or whose test failed, to its settings; from a listed sender ID to ours."""
    client = cast.client(cast.ayse)
    show, edit = page("connection", account), page("connection_edit", account)
    assert client.get(show).context["has_route"]
    client.post(edit, {**VALUES, "set_password": "", "use_for": ""})
    with tenant_scope(cast.butik.pk):
        GatewayAccount.objects.update(listed_senders=["AYSEBUTIK", "MAGAZA", "8503021234"])
        ConnectionCheck.objects.update(state="done", is_ok=False, finding="login_refused", finished_at=timezone.now())
        request_sender(tenant=cast.butik, name="AYSEBUTIK", actor=cast.ayse)
    response = client.get(show)
    assert f"{edit}#id_use_for" in response.content.decode()
    assert f'class="btn" href="{edit}"' in response.content.decode()
    assert response.context["charts"] == []
    assert list(response.context["check"].unclaimed) == ["MAGAZA"]


def test_switches_off_and_on(cast, account):
    client = cast.client(cast.ayse)
    for value, is_active in (("0", False), ("0", False), ("1", True)):
        client.post(page("connection_switch", account), {"on": value})
        assert get_account(cast).is_active is is_active
    with tenant_scope(cast.butik.pk):
        actions = list(AuditEntry.objects.filter(action__startswith="gateway.sw").values_list("action", flat=True))
    assert sorted(actions) == ["gateway.switched_off", "gateway.switched_on"]


def test_sets_a_window_and_lifts_it(cast, account):
    client, url = cast.client(cast.ayse), page("connection_maintenance", account)
    client.post(url, {"begins_at": "2030-01-01T22:00", "ends_at": "2030-01-02T04:00"})
    window = get_account(cast)
    assert (window.maintenance_until - window.maintenance_from).total_seconds() == 6 * 3600
    assert "22:00" in client.get(page("connection", account)).content.decode()
    client.post(url, {"begins_at": "2030-01-01T22:00", "ends_at": "2029-01-02T04:00"})
    client.post(url, {"begins_at": "2030-01-01T22:00", "ends_at": "9999-12-31T23:59"})
    client.post(url, {"begins_at": "0001-01-01T00:00"})
    assert get_account(cast).maintenance_until == window.maintenance_until
    client.post(url, {"end": "1"})
    assert get_account(cast).maintenance_from is None


def test_deletes_only_what_nothing_needs(cast, account):
    client, url = cast.client(cast.ayse), page("connection_delete", account)
    speak(cast, "en")
    make_run(cast.butik, account, make_rows(3), start=False)
    answer = client.post(url, follow=True).content.decode()
    assert "3 messages still wait" in answer
    with platform_scope(reason="test"):
        SendRun.objects.update(state="completed")
    assert "Reports name this connection" in client.post(url, follow=True).content.decode()
    assert get_account(cast).pk == account.pk


def test_deletes_what_was_never_used(cast, account):
    answer = cast.client(cast.ayse).post(page("connection_delete", account))
    assert answer["Location"] == reverse("gateways:connection_list")
    with tenant_scope(cast.butik.pk):
        assert not GatewayAccount.objects.filter(tenant=cast.butik).exists()
        assert not RouteRule.objects.filter(tenant=cast.butik, state="active").exists()


PAGES = ["connection", "connection_edit", "connection_test_state"]
POSTS = ["connection_switch", "connection_maintenance", "connection_delete", "connection_test", "connection_edit"]


def test_teammates_strangers_and_wrong_methods(cast, account):
    for name in PAGES:
        assert cast.client(cast.burak).get(page(name, account)).status_code == 403
        assert cast.client(cast.vildan).get(page(name, account)).status_code == 403
        assert cast.client(cast.can).get(page(name, account)).status_code == 404
        assert cast.client(cast.ayse).get(reverse(f"gateways:{name}", args=[uuid4()])).status_code == 404
    for name in POSTS:
        assert cast.client(cast.burak).post(page(name, account)).status_code == 403
        assert cast.client(cast.can).post(page(name, account)).status_code == 404
    for name in set(POSTS) - {"connection_edit"}:
        assert cast.client(cast.ayse).get(page(name, account)).status_code == 405
    assert cast.client(cast.ayse).post(page("connection", account)).status_code == 405
    assert add(cast.client(cast.burak)).status_code == 403
    assert get_account(cast).is_active


def test_the_platforms_connection_is_nobodys_page(cast):
    with platform_scope(reason="test"):
        ours = GatewayAccount(name="Platform hattı", adapter="smpp")
        ours.save()
    client = cast.client(cast.ayse)
    assert "Platform hattı" not in client.get(reverse("gateways:connection_list")).content.decode()
    for name in PAGES:
        assert client.get(page(name, ours)).status_code == 404
    assert client.post(page("connection_switch", ours), {"on": "0"}).status_code == 404


def test_staff_test_and_switch_in_the_admin(cast, account, asked, django_capture_on_commit_callbacks):
    staff = cast.client(User.objects.create_superuser("staff@example.com", None))
    url = reverse("admin:gateways_gatewayaccount_changelist")
    with tenant_scope(cast.butik.pk):
        ConnectionCheck.objects.all().delete()
    with django_capture_on_commit_callbacks(execute=True):
        staff.post(url, {"action": "test", "_selected_action": [account.pk]})
    assert asked == [account.pk]
    staff.post(url, {"action": "switch_off", "_selected_action": [account.pk]})
    assert not get_account(cast).is_active
    change = reverse("admin:gateways_gatewayaccount_change", args=[account.pk])
    values = {"name": "x", "adapter": "smpp", "settings": '{"prt": 1}', "rate_per_second": 1, "window_size": 1}
    answer = staff.post(change, {**values, "slots": 1, "tenant": cast.butik.pk, "new_secret": ""})
    assert "prt diye bir ayar yok." in answer.content.decode()
