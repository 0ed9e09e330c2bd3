"""SMPP 3.4 as a gateway: settings in, a kept link and readable events out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

from gateways.adapters.smpp.fields import FIELDS
from gateways.adapters.smpp.link import SmppLink
from gateways.adapters.smpp.pair import PairedLink
from gateways.adapters.smpp.receipts import EventReader
from gateways.adapters.smpp.session import SmppSession
from gateways.adapters.smpp.settings import SmppSettings
from gateways.base import BadSettings, EventBatch, Gateway, GatewayError, LinkState, Listener, LoginRefused
from gateways.types import Capabilities, CheckResult, GatewayEvent, SubmitOutcome


class SmppGateway(Gateway):
    slug = "smpp"
    title = "SMPP 3.4"
    capabilities = Capabilities(
        batch_size=1, receipts="push", receipts_per_part=True, inbound=True, national_tables=True, keeps_link=True
    )
    secret_settings = frozenset({"password"})
    settings_fields = FIELDS

    def __init__(self, settings: SmppSettings) -> None:
        self.settings = settings
        self._reader = EventReader(settings)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Self:
        return cls(SmppSettings.from_mapping(settings))

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
        modes = ["receiver", "transmitter"] if self.settings.bind_mode == "separate" else [self.settings.bind_mode]
        for mode in modes:
            result = await self._check_bind(mode)
            if not result.ok:
                return result
        return CheckResult(True, "", "Connected and logged in.")

    async def _check_bind(self, mode: str) -> CheckResult:
        session = SmppSession(replace(self.settings, bind_mode=mode), _Nobody())
        try:
            await session.open()
        except BadSettings as error:
            return CheckResult(False, str(error), "The connection's settings cannot work.")
        except LoginRefused as error:
            return CheckResult(False, error.code, "The operator refused the login (system_id or password).")
        except GatewayError as error:
            return CheckResult(False, error.code, "The operator's message centre cannot be reached.")
        await session.close(grace_seconds=1.0)
        return CheckResult(True, "", "Connected and logged in.")


class _Nobody:
    """Listener of a connection test: takes nothing, so that no receipt is acknowledged and lost."""

    def on_outcomes(self, outcomes: list[SubmitOutcome]) -> None:
        return None

    def on_events(self, batch: EventBatch) -> None:
        batch.refused()

    def on_state(self, state: LinkState, code: str) -> None:
        return None
