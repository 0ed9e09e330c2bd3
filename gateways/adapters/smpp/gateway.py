"""SMPP 3.4 as a gateway: settings in, a kept link and readable events out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from gateways.adapters.smpp.fields import FIELDS
from gateways.adapters.smpp.link import SmppLink
from gateways.adapters.smpp.pair import PairedLink
from gateways.adapters.smpp.probe import check_account
from gateways.adapters.smpp.receipts import EventReader
from gateways.adapters.smpp.settings import SmppSettings
from gateways.base import Gateway, Listener
from gateways.types import Capabilities, CheckResult, GatewayEvent

DESTINATION = {"host": "", "port": 2775, "tls": False, "tls_server_name": ""}
"""What decides who gets the password, and whether anybody on the way reads it; with what an empty one means."""


class SmppGateway(Gateway):
    slug = "smpp"
    title = "SMPP 3.4"
    capabilities = Capabilities(
        batch_size=1, receipts="push", receipts_per_part=True, inbound=True, national_tables=True
    )
    secret_settings = frozenset({"password"})
    settings_fields = FIELDS
    guards_host = True

    def __init__(self, settings: SmppSettings) -> None:
        self.settings = settings
        self._reader = EventReader(settings)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Self:
        return cls(SmppSettings.from_mapping(settings))

    @classmethod
    def find_destination(cls, settings: Mapping[str, Any]) -> Any:
        return tuple(settings.get(name, default) for name, default in DESTINATION.items())

    def create_link(self, listener: Listener) -> SmppLink | PairedLink:
        """A link that binds again by itself. Call inside a running event loop."""
        if self.settings.bind_mode == "separate":
            return PairedLink(self.settings, listener)
        return SmppLink(self.settings, listener)

    def read_events(self, raws: Sequence[bytes]) -> list[GatewayEvent]:
        read = self._reader.read
        return [read(raw) for raw in raws]

    async def check(self) -> CheckResult:
        """Bind once (``separate``: twice) and unbind."""
        return await check_account(self.settings)
