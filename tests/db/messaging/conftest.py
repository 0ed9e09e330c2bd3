from decimal import Decimal

import pytest

from accounts.scope import platform_scope
from billing.services import top_up_credits
from gateways.models import GatewayAccount


@pytest.fixture
def account(cast):
    with platform_scope(reason="test"):
        account = GatewayAccount(name="Operator", adapter="smpp", rate_per_second=1000)
        account.save()
    return account


@pytest.fixture
def funded(cast):
    top_up_credits(tenant=cast.butik, amount=Decimal(100_000), reference="start", actor=None)
    return cast.butik
