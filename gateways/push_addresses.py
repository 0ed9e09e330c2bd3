"""Addresses of ours that people enter in a provider's portal, so that it tells us by itself."""

from typing import NamedTuple

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from .http.gateway import HttpGateway
from .models import GatewayAccount
from .registry import UnknownGateway, get_gateway_class

_KINDS = {
    "receipts": (_("Delivery reports"), "receipts"),
    "inbound": (_("Replies"), "inbound"),
    "all": (_("Delivery reports and replies"), "receipts"),
}


class PushAddress(NamedTuple):
    title: str
    url: str


def find_push_url(account: GatewayAccount) -> str:
    """Where the provider reaches us for this account, without /receipts or /inbound."""
    return f"{settings.PUBLIC_URL}/gateways/{account.push_token}"


def list_push_addresses(account: GatewayAccount) -> list[PushAddress]:
    """Those that have to be entered for this account; none where the provider is told with each call, or pushes
    nothing. Whoever knows one can send us reports: for people who manage the connection."""
    try:
        adapter = get_gateway_class(account.adapter)
    except UnknownGateway:
        return []
    if not issubclass(adapter, HttpGateway):
        return []
    kinds = [_KINDS[kind] for kind in adapter.list_typed_pushes(account.settings)]
    return [PushAddress(str(title), f"{find_push_url(account)}/{path}") for title, path in kinds]
