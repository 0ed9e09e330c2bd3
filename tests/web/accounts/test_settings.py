import pytest
from django.urls import reverse

from accounts.models import AuditEntry, Tenant
from accounts.scope import tenant_scope

URL = "accounts:settings"
GOOD = {
    "name": "Ayşe Butik A.Ş.",
    "time_zone": "Europe/Berlin",
    "opt_out_code": "AYSE",
    "opt_out_number": "4610",
    "mersis_number": "0123456789012345",
}


def test_saves_and_audits_what_was_there_before(cast):
    assert cast.client(cast.ayse).post(reverse(URL), GOOD).status_code == 302
    tenant = Tenant.objects.get(pk=cast.butik.pk)
    assert (tenant.name, tenant.time_zone, tenant.opt_out_code) == ("Ayşe Butik A.Ş.", "Europe/Berlin", "AYSE")
    with tenant_scope(tenant.pk):
        data = AuditEntry.objects.get(action="tenant.updated").data
    assert data["opt_out_code"] == {"from": "AYSEBUTIK", "to": "AYSE"}


def test_bad_values_change_nothing(cast):
    bad = {**GOOD, "opt_out_code": "ayşe!", "mersis_number": "12", "time_zone": "Mars/Base"}
    response = cast.client(cast.ayse).post(reverse(URL), bad)
    assert set(response.context["form"].errors) == {"opt_out_code", "mersis_number", "time_zone"}
    assert Tenant.objects.get(pk=cast.butik.pk).name == "Ayşe Butik"


@pytest.mark.parametrize("code", ["RET", "STOP", "EVE", "CANMARKET"])
def test_a_code_that_would_catch_other_accounts_replies_is_refused(cast, code):
    Tenant.objects.filter(pk=cast.rakip.pk).update(opt_out_code="CANMARKET")
    response = cast.client(cast.ayse).post(reverse(URL), {**GOOD, "opt_out_code": code})
    assert response.context["form"].errors
    assert Tenant.objects.get(pk=cast.butik.pk).opt_out_code == "AYSEBUTIK"


@pytest.mark.parametrize("zone", ["Istanbul", "", "Europe", "../etc"])
def test_a_broken_zone_locks_nobody_out(cast, zone):
    Tenant.objects.filter(pk=cast.butik.pk).update(time_zone=zone)
    client = cast.client(cast.ayse)
    assert client.get(reverse(URL)).status_code == 200
    assert client.post(reverse(URL), GOOD).status_code == 302


def test_others_read_but_do_not_write(cast):
    for user in (cast.burak, cast.vildan):
        client = cast.client(user)
        assert client.get(reverse(URL)).status_code == 200
        assert client.post(reverse(URL), GOOD).status_code == 403
    assert Tenant.objects.get(pk=cast.butik.pk).name == "Ayşe Butik"


def test_audit_trail_is_searched_and_kept_to_the_account(cast):
    client = cast.client(cast.ayse)
    client.post(reverse(URL), GOOD)
    page = client.get(reverse("accounts:audit"), {"q": "butik"})
    assert {row["entry"].action for row in page.context["rows"]} == {"tenant.created", "tenant.updated"}
    assert client.get(reverse("accounts:audit"), {"q": "nothing like it"}).context["rows"] == []
    assert cast.client(cast.vildan).get(reverse("accounts:audit")).status_code == 403
    others = cast.client(cast.can).get(reverse("accounts:audit")).context["rows"]
    assert {row["entry"].target for row in others} == {"Can Market"}
