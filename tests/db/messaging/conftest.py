from decimal import Decimal

import pytest

from accounts.scope import platform_scope
from billing.services import top_up_credits
from gateways.models import GatewayAccount
from messaging.services.check import check_engine

from .engine import HandSlot


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


@pytest.fixture
def slot(account):
    return HandSlot(account).open()


@pytest.fixture
def checked_books(db):
    """Whatever a test does, the engine's books must be right at its end."""
    yield
    with platform_scope(reason="test"):
        assert check_engine() == []
