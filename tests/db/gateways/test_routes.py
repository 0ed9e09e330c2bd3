"""Rules out of their tables: whose connection may carry whose messages."""

import pytest

from accounts.scope import platform_scope, tenant_scope
from gateways.models import GatewayAccount
from gateways.routing.book import create_rule, list_ways, load_book, load_rules
from gateways.routing.rules import Why

NUMBER = "+905321234567"


@pytest.fixture
def rule(cast):
    """The platform's rule for everybody, whose one connection became Can's own afterwards."""
    with platform_scope(reason="test"):
        account = GatewayAccount(name="Operatör", adapter="smpp")
        account.save()
        rule = create_rule(name="Herkes", accounts=[account], prefix="+90")
        account.tenant = cast.rakip
        account.save()
    return rule


def test_a_connection_that_became_a_tenants_own_is_nobody_elses(cast, rule):
    """Its agency's neither: connections are not shared."""
    with platform_scope(reason="as waiting messages are moved"):
        for tenant in (cast.butik, cast.ajans):
            [target] = load_rules([rule.pk], tenant_id=tenant.pk, sender="")[rule.pk].targets
            assert target.obstacle == Why.INACTIVE
            assert load_book(tenant.pk).find(NUMBER) is None
            assert list_ways(tenant.pk) == []
        [target] = load_rules([rule.pk], tenant_id=cast.rakip.pk, sender="")[rule.pk].targets
        assert target.obstacle == ""


def test_nor_does_a_tenant_see_it_there(cast, rule):
    with tenant_scope(cast.butik.pk):
        assert load_book(cast.butik.pk).find(NUMBER) is None
    with tenant_scope(cast.rakip.pk):
        assert load_book(cast.rakip.pk).find(NUMBER).account_id == rule.targets.get().gateway_account_id


def test_a_foreign_number_does_not_wait_at_a_connection_that_carries_turkish_ones_only(cast):
    """Its own rule "everything" comes first, and the platform's carries the rest: both are ways of its messages."""
    with platform_scope(reason="test"):
        world = GatewayAccount(name="Dünya", adapter="smpp")
        world.save()
        create_rule(name="Herkes", accounts=[world])
        own = GatewayAccount(name="Netgsm", adapter="netgsm", tenant=cast.butik)
        own.save()
        create_rule(name="Kendi", accounts=[own], tenant_id=cast.butik.pk)
    with tenant_scope(cast.butik.pk):
        book = load_book(cast.butik.pk)
        assert book.find(NUMBER).account_id == own.pk
        assert book.find("+4915112345678").account_id == world.pk
        assert list_ways(cast.butik.pk) == [world, own]
