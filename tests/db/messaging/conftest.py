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


@pytest.fixture
def bells(monkeypatch):
    """Doorbells that were rung: (account, slot, queue)."""
    rung = []
    monkeypatch.setattr(
        "messaging.tasks.drain.apply_async", lambda args, queue, **_: rung.append((args[0], args[1], queue))
    )
    monkeypatch.setattr("messaging.tasks.ring_all_senders.delay", lambda: rung.append("all"))
    for name in ("offer_slot", "hand_over_slot"):
        monkeypatch.setattr(
            f"messaging.tasks.{name}.apply_async", lambda args, queue, name=name, **_: rung.append((name, *args, queue))
        )
    return rung
