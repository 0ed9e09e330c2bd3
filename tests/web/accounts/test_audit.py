"""The trail as its readers see it: no keys, no ids, no raw times."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from accounts.scope import tenant_scope
from accounts.services import record_audit
from contacts.models import ContactField
from contacts.services.fields import rename_field
from contacts.services.groups import create_group, rename_group
from gateways.models import GatewayAccount
from gateways.services.connections import set_maintenance

BEGINS, ENDS = datetime(2026, 11, 30, 9, 0, tzinfo=UTC), datetime(2026, 11, 30, 11, 30, tzinfo=UTC)


def read_details(cast):
    page = cast.client(cast.ayse).get(reverse("accounts:audit"))
    return {row["entry"].action: row["details"] for row in page.context["rows"]}


def test_what_was_renamed_says_both_names(cast):
    with tenant_scope(cast.butik.pk):
        group = create_group(tenant=cast.butik, name="Eski liste", actor=cast.ayse)
        rename_group(group=group, name="Yeni liste", actor=cast.ayse)
        field = ContactField(tenant=cast.butik, key="il", label="İl")
        field.save()
        rename_field(field=field, label="Şehir", actor=cast.ayse)
    details = read_details(cast)
    assert details["contact_group.renamed"] == ["ad: Eski liste → Yeni liste"]
    assert details["contact_field.renamed"] == ["ad: İl → Şehir"]


def test_maintenance_says_when(cast):
    with tenant_scope(cast.butik.pk):
        account = GatewayAccount(tenant=cast.butik, name="Netgsm", adapter="netgsm")
        account.save()
        set_maintenance(account=account, begins_at=BEGINS, ends_at=ENDS, actor=cast.ayse)
    assert read_details(cast)["gateway.maintenance"] == ["başlangıç: 30 Kas 2026 12:00", "bitiş: 30 Kas 2026 14:30"]


@pytest.mark.parametrize(
    ("action", "data", "expected"),
    [
        ("contact_group.renamed", {"from": "Eski liste"}, ["eski adı: Eski liste"]),
        ("gateway.maintenance", {"from": BEGINS.isoformat(), "to": None}, ["başlangıç: 30 Kas 2026 12:00"]),
        (
            "credits.transferred",
            {"amount": "5", "reference": "x", "to": "Butik", "from": "Ajans"},
            ["miktar: 5", "gönderen: Ajans", "alıcı: Butik"],
        ),
    ],
)
def test_entries_of_earlier_releases(cast, action, data, expected):
    with tenant_scope(cast.butik.pk):
        record_audit(tenant=cast.butik, actor=cast.ayse, action=action, data=data)
    assert read_details(cast)[action] == expected
