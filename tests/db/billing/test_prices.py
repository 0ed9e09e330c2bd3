from decimal import Decimal

import pytest

from accounts.scope import platform_scope, tenant_scope
from billing.models import Tariff
from billing.selectors import load_price_list
from billing.selectors.prices import NoTariff


def test_turkey_costs_one_credit_without_any_tariff(in_butik):
    prices = load_price_list(in_butik.butik.pk)
    assert prices.price_per_part("+905321234567") == 1
    with pytest.raises(NoTariff):
        prices.price_per_part("+4915112345678")


def test_own_tariff_wins_then_the_longest_prefix(cast):
    with platform_scope(reason="test"):
        Tariff(tenant=None, prefix="+", credits_per_part=Decimal("9")).save()
        Tariff(tenant=None, prefix="+49", credits_per_part=Decimal("4")).save()
        Tariff(tenant=None, prefix="+4915", credits_per_part=Decimal("5")).save()
        Tariff(tenant=cast.butik, prefix="+49", credits_per_part=Decimal("2.5")).save()
        Tariff(tenant=cast.rakip, prefix="+90", credits_per_part=Decimal("7")).save()
    with tenant_scope(cast.butik.pk):
        prices = load_price_list(cast.butik.pk)
    assert prices.price_per_part("+4915112345678") == Decimal("2.5")
    assert prices.price_per_part("+905321234567") == 1
    assert prices.price_per_part("+33612345678") == 9
    with tenant_scope(cast.rakip.pk):
        prices = load_price_list(cast.rakip.pk)
    assert prices.price_per_part("+4915112345678") == 5
    assert prices.price_per_part("+905321234567") == 7
