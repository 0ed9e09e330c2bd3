"""From an account's row to its adapter."""

import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from gateways.base import BadSettings, Gateway
from gateways.http.gateway import HttpGateway
from gateways.models import GatewayAccount
from gateways.push_addresses import find_push_url
from gateways.registry import get_gateway_class
from gateways.setting_fields import FieldKind, list_fields
from gateways.simulator.accounts import SIMULATOR


def open_account_gateway(account: GatewayAccount, slot: int = 0) -> Gateway:
    """The account's adapter with its settings, credentials and limits; what it may send a second is split over its
    slots, so that no count has to be shared (S9).

    Raises UnknownGateway, BadSettings, DecryptionError.
    """
    adapter = get_gateway_class(account.adapter)
    values = _complete(adapter, account.settings, account.get_secret(), is_own=account.tenant_id is not None)
    if issubclass(adapter, HttpGateway):
        values["push_url"] = find_push_url(account)
        values["slots"] = len(account.slot_rates)
    values["tps"] = account.slot_rates[slot]
    values["window_size"] = account.window_size
    return adapter.from_settings(values)


def check_settings(slug: str, values: Mapping[str, Any], secret: str, *, is_own: bool = False) -> None:
    """Whether a connection with these settings and this (plain) secret could be opened.

    Raises UnknownGateway, or BadSettings that names the field.
    """
    adapter = get_gateway_class(slug)
    complete = _complete(adapter, values, secret, is_own=is_own)
    adapter.from_settings(complete)
    for field in list_fields(adapter):  # a class may have an address that leads nowhere, to be made without settings
        if field.required and field.kind is FieldKind.URL and not complete.get(field.name):
            raise BadSettings(f"{field.name} is missing")


def seal_secrets(adapter: type[Gateway], secrets: Mapping[str, str]) -> str:
    """The text that `GatewayAccount.set_secret` takes: the adapter's one secret, or a JSON object of several."""
    if len(adapter.secret_settings) == 1:
        return next(iter(secrets.values()), "")
    return json.dumps(dict(secrets), ensure_ascii=False)


def read_secrets(adapter: type[Gateway], sealed: str) -> dict[str, Any]:
    """What `seal_secrets` made. Raises BadSettings."""
    if not sealed:
        return {}
    if len(adapter.secret_settings) == 1:
        return dict.fromkeys(adapter.secret_settings, sealed)
    try:
        secrets = json.loads(sealed)
    except ValueError:
        secrets = None
    if not isinstance(secrets, dict):
        raise BadSettings("secret: a JSON object of " + ", ".join(sorted(adapter.secret_settings)))
    return secrets


def _complete(adapter: type[Gateway], stored: Mapping[str, Any], secret: str, *, is_own: bool) -> dict[str, Any]:
    """The settings with where the simulator listens, with the secrets, and with the leash of a tenant's own."""
    values = dict(stored)
    if values.get("port") == SIMULATOR:
        values |= {"host": "127.0.0.1", "port": settings.SIMULATOR_SMPP_PORT}
    if values.get("base_url") == SIMULATOR:
        values["base_url"] = f"{settings.SIMULATOR_HTTP_URL}/{adapter.slug}"
    values |= read_secrets(adapter, secret)
    if is_own and settings.GUARD_TENANT_HOSTS:
        if not adapter.guards_host:
            raise BadSettings("this provider cannot be connected by an account of its own")
        values["public_only"] = True
    return values
