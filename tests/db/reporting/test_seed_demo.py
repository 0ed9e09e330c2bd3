import json

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditEntry, Tenant, User
from accounts.scope import platform_scope, tenant_scope
from billing.selectors import get_balance
from campaigns.models import Campaign
from campaigns.selectors.checks import list_problems
from contacts.models import Contact, ContactGroup, ContactImport
from gateways.models import GatewayAccount, RouteRule, SenderId
from gateways.opening import open_account_gateway
from optout.models import SuppressionEntry

COUNTED = (
    Contact,
    ContactGroup,
    ContactImport,
    Campaign,
    GatewayAccount,
    RouteRule,
    SenderId,
    SuppressionEntry,
    AuditEntry,
)


def count_all():
    with platform_scope(reason="test"):
        return {model.__name__: model.objects.count() for model in COUNTED} | {"User": User.objects.count()}


@pytest.fixture
def var(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    settings.STORAGES["default"]["OPTIONS"]["location"] = tmp_path / "media"
    settings.SIMULATOR_SMPP_PORT = 2999
    return tmp_path


def test_seeds_once_and_follows_the_simulator(db, var, client, settings):
    call_command("seed_demo", verbosity=0)
    first = count_all()
    call_command("seed_demo", verbosity=0)
    assert count_all() == first
    with platform_scope(reason="test"):
        account = GatewayAccount.objects.get()
    for port in (2999, 3001):
        settings.SIMULATOR_SMPP_PORT = port
        assert open_account_gateway(account).settings.port == port
    logins = json.loads((var / "demo.json").read_text())["logins"]
    for login in logins:
        assert client.login(username=login["email"], email=login["email"], password=login["password"]), login


def test_the_shop_could_send_at_once(db, var):
    call_command("seed_demo", verbosity=0)
    shop = Tenant.objects.get(slug="ayse-butik")
    with tenant_scope(shop.pk):
        campaign = Campaign.objects.select_related("sender", "tenant").get()
        assert [problem for problem in list_problems(campaign) if problem.level == "stop"] == []
        assert Contact.objects.count() > 300
        assert get_balance(shop.pk).available == 150_000


def test_refuses_in_production(db, var, settings):
    settings.IS_PRODUCTION = True
    with pytest.raises(CommandError, match="production"):
        call_command("seed_demo", verbosity=0)
    assert User.objects.count() == 0
