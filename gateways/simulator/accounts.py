"""The connection to the operator simulator, for demo data, demo runs and tests."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from ..models import GatewayAccount
from ..routing.book import create_rule
from .providers.host import get_double_class, list_doubles

NAME = "Operatör simülatörü"
SIMULATOR = "simulator"
"""As host and port: wherever the simulator of this installation listens now (settings.SIMULATOR_SMPP_PORT)."""


HTTP_SETTINGS = {
    "base_url": SIMULATOR,
    "send_token": True,
    "total_seconds": 2.0,
    "throttle_seconds": 0.5,
    "batch_size": 50,
    "receipt_polls": [1.0, 3.0, 6.0, 10.0, 15.0],
    "receipt_queries_per_minute": 1200,
    "pulls_inbound": False,
}
"""A day in a minute: what a provider is asked after minutes and hours is asked after seconds."""
SMPP_SETTINGS = {"port": SIMULATOR, "send_token": True}


def offers_simulator(slug: str) -> bool:
    """Whether accounts may connect to the simulator instead of this provider: where a demo has one."""
    is_there = settings.SIMULATOR_HTTP_URL and settings.SIMULATOR_SMPP_PORT and not settings.GUARD_TENANT_HOSTS
    return bool(is_there) and slug in ("smpp", *list_doubles())


def is_simulated(stored: Mapping[str, Any]) -> bool:
    return SIMULATOR in (stored.get("port"), stored.get("base_url"))


def list_simulated_settings(slug: str) -> dict[str, Any]:
    """What leads an account of this provider to its double, and how often it is asked. Raises LookupError."""
    if slug == "smpp":
        return dict(SMPP_SETTINGS)
    return {**HTTP_SETTINGS, **get_double_class(slug).demo_settings}


def create_provider_account(slug: str, *, rate_per_second: int) -> GatewayAccount:
    """A connection to this provider's double, and the route that sends everything there. Platform scope.

    Raises LookupError for a provider without a double.
    """
    double = get_double_class(slug)
    account = GatewayAccount(name=f"{NAME}: {slug}", adapter=slug, rate_per_second=rate_per_second, window_size=4)
    account.settings = list_simulated_settings(slug)
    account.set_secret(double.demo_secret)
    account.save()
    create_rule(name=account.name, accounts=[account], prefix="+90", position=1)  # before the simulator's
    return account


def ensure_simulator_account(*, rate_per_second: int, window_size: int, slots: int = 1) -> GatewayAccount:
    """The platform's connection to the simulator and the route that sends everything there. Platform scope.

    An account that is there already keeps its limits.
    """
    account: GatewayAccount | None = GatewayAccount.objects.filter(tenant=None, name=NAME).first()
    if account is None:
        account = GatewayAccount(
            name=NAME, adapter="smpp", rate_per_second=rate_per_second, window_size=window_size, slots=slots
        )
        account.settings = {**SMPP_SETTINGS, "system_id": "peyk"}
        account.set_secret("peyk")
        account.save()
        create_rule(name=NAME, accounts=[account], prefix="+90")
    return account
