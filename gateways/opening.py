"""From an account's row to its adapter."""

import json
from typing import Any

from django.conf import settings

from gateways.base import Gateway
from gateways.models import GatewayAccount
from gateways.registry import get_gateway_class
from gateways.simulated import SIMULATOR


def open_account_gateway(account: GatewayAccount, slot: int = 0) -> Gateway:
    """The account's adapter with its settings, credentials and limits; what it may send a second is split over its
    slots, so that no count has to be shared (S9).

    Raises UnknownGateway, BadSettings, DecryptionError.
    """
    adapter = get_gateway_class(account.adapter)
    values: dict[str, Any] = dict(account.settings)
    if values.get("port") == SIMULATOR:
        values |= {"host": "127.0.0.1", "port": settings.SIMULATOR_SMPP_PORT}
    values.update(_read_secrets(account, adapter))
    if adapter.capabilities.keeps_link:
        values["tps"] = account.slot_rates[slot]
        values["window_size"] = account.window_size
    return adapter.from_settings(values)


def _read_secrets(account: GatewayAccount, adapter: type[Gateway]) -> dict[str, Any]:
    """The sealed text is the one secret the adapter has, or a JSON object of several."""
    sealed = account.get_secret()
    if not sealed:
        return {}
    if len(adapter.secret_settings) == 1:
        return dict.fromkeys(adapter.secret_settings, sealed)
    secrets: dict[str, Any] = json.loads(sealed)
    return secrets
