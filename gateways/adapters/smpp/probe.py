"""The connection test: bind, unbind, and say what stood in the way."""

from __future__ import annotations

from dataclasses import replace

from gateways.adapters.smpp.codes import RALYBND, format_code
from gateways.adapters.smpp.session import SmppSession
from gateways.adapters.smpp.settings import SmppSettings
from gateways.base import BadSettings, EventBatch, GatewayError, LinkState, LoginRefused
from gateways.findings import Finding, find_connect_failure
from gateways.types import CheckResult, Reason, SubmitOutcome

STEP_SECONDS = 4.0
_ENDINGS = {
    "garbage": Finding.WRONG_PROTOCOL,
    "bind timeout": Finding.NO_ANSWER,
    "closed by peer": Finding.CLOSED,
    "ConnectionResetError": Finding.CLOSED,
    "BrokenPipeError": Finding.CLOSED,
}


async def check_account(settings: SmppSettings) -> CheckResult:
    """Never raises for what the operator does; each of connecting and logging in has STEP_SECONDS."""
    modes = ("receiver", "transmitter") if settings.bind_mode == "separate" else (settings.bind_mode,)
    result = CheckResult(False, finding=Finding.FAULT)
    for mode in modes:
        result = await _check_bind(replace(settings, bind_mode=mode))
        if not result.ok:
            break
    return result


async def _check_bind(settings: SmppSettings) -> CheckResult:
    short = replace(
        settings,
        connect_timeout=min(STEP_SECONDS, settings.connect_timeout),
        bind_timeout=min(STEP_SECONDS, settings.bind_timeout),
    )
    session = SmppSession(short, _Nobody())
    try:
        await session.open()
    except BadSettings as error:
        return CheckResult(False, str(error), "", Finding.BAD_SETTINGS)
    except LoginRefused as error:
        is_taken = error.code == format_code(RALYBND)
        return CheckResult(False, error.code, "", Finding.ALREADY_BOUND if is_taken else Finding.LOGIN_REFUSED)
    except GatewayError as error:
        return CheckResult(False, error.code, "", _find(error))
    await session.close(grace_seconds=0.5)
    return CheckResult(True, finding=Finding.CONNECTED)


def _find(error: GatewayError) -> Finding:
    if error.reason is Reason.LINK_LOST:  # before the bind was written
        return find_connect_failure(error)
    return _ENDINGS.get(error.code, Finding.REFUSED if error.code.startswith("0x") else Finding.CLOSED)


class _Nobody:
    """Listener of a connection test: takes nothing, so that no receipt is acknowledged and lost."""

    def on_outcomes(self, outcomes: list[SubmitOutcome]) -> None:
        return None

    def on_events(self, batch: EventBatch) -> None:
        batch.refused()

    def on_state(self, state: LinkState, code: str) -> None:
        return None
