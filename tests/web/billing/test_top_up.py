from decimal import Decimal

import pytest
from django.urls import reverse

from accounts.models import User
from accounts.scope import tenant_scope
from billing.selectors import get_balance

ADD = reverse("admin:billing_ledgertransaction_add")


@pytest.fixture
def staff(cast):
    return cast.client(User.objects.create_superuser("staff@example.com", None))


def balance(tenant):
    with tenant_scope(tenant.pk):
        return get_balance(tenant.pk).available


def test_staff_load_credits_once(cast, staff):
    form = {"tenant": cast.butik.pk, "amount": "2500", "reference": "INV-1", "note": "Eylül"}
    assert staff.post(ADD, form).status_code == 302
    assert balance(cast.butik) == 2500
    again = staff.post(ADD, form)
    assert again.status_code == 200 and again.context["errors"]
    assert balance(cast.butik) == Decimal(2500)
    assert "2500" in staff.get(reverse("admin:billing_ledgertransaction_changelist")).content.decode().replace(".", "")


@pytest.mark.parametrize(
    "change",
    [{"amount": "0"}, {"amount": "-5"}, {"amount": "x"}, {"amount": "1.0000"}, {"tenant": ""}, {"reference": ""}],
)
def test_bad_input_changes_nothing(cast, staff, change):
    form = {"tenant": cast.butik.pk, "amount": "10", "reference": "INV-1", "note": "", **change}
    assert staff.post(ADD, form).status_code == 200
    assert balance(cast.butik) == 0


def test_only_staff(cast):
    assert cast.client(cast.ayse).post(ADD, {}).status_code == 302
