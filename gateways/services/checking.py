"""Runs a connection test and brings home what the provider tells about the account. Never inside a transaction."""

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.scope import platform_scope
from common.crypto import DecryptionError

from ..base import BadSettings, Gateway, GatewayError
from ..findings import Finding
from ..models import ConnectionCheck, GatewayAccount
from ..opening import open_account_gateway
from ..registry import UnknownGateway
from ..types import CheckResult
from .approvals import apply_provider_list

log = logging.getLogger(__name__)
CHECK_SECONDS = 9.0
MOST_SENDERS = 500


@dataclass
class Findings:
    """What is known so far; the deadline may end the asking at any point."""

    result: CheckResult = field(default_factory=lambda: CheckResult(False, finding=Finding.NO_ANSWER))
    balance: str = ""
    senders: list[str] | None = None


def run_check(account_id: int) -> ConnectionCheck | None:
    """Test the connection within CHECK_SECONDS and store what came out; None if the account is gone, or if another
    test was asked for meanwhile: the settings may be others by now."""
    with platform_scope(reason="connection test"):
        account = GatewayAccount.objects.filter(pk=account_id).first()
        asked_at = _find_asked_at(account_id)
    if account is None:
        return None
    found = check_account(account)
    with platform_scope(reason="connection test"):
        return _store(account, found) if _find_asked_at(account_id) == asked_at else None


def _find_asked_at(account_id: int) -> datetime | None:
    return ConnectionCheck.objects.filter(gateway_account=account_id).values_list("asked_at", flat=True).first()


def check_account(account: GatewayAccount) -> Findings:
    """Never raises for what settings, network or provider do."""
    found = Findings()
    try:
        gateway = open_account_gateway(account)
    except (BadSettings, UnknownGateway, ValueError, TypeError) as error:
        found.result = CheckResult(False, "", str(error)[:300], Finding.BAD_SETTINGS)
        return found
    except DecryptionError:
        found.result = CheckResult(False, "DecryptionError", "", Finding.FAULT)
        return found
    try:
        asyncio.run(_ask_in_time(gateway, found))
    except Exception as error:  # whatever an adapter does wrong must end as a finding, not as an error page
        log.exception("gateway.check_failed", extra={"account": account.pk})
        found.result = CheckResult(False, type(error).__name__, "", Finding.FAULT)
    return found


async def _ask_in_time(gateway: Gateway, found: Findings) -> None:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await _ask(gateway, found)
    except TimeoutError:
        pass  # `found` says how far it came
    finally:
        close: Any = getattr(gateway, "close", None)
        if close is not None:
            await close()


async def _ask(gateway: Gateway, found: Findings) -> None:
    try:
        found.result = await gateway.check()
    except GatewayError as error:
        found.result = CheckResult(False, error.code, "", Finding.UNSUPPORTED)
    if not found.result.ok:
        return
    try:
        if gateway.capabilities.balance:
            found.balance = await gateway.get_balance()
        if type(gateway).list_senders is not Gateway.list_senders:
            found.senders = (await gateway.list_senders())[:MOST_SENDERS]
    except (GatewayError, LookupError, ValueError, TypeError, AttributeError) as error:
        log.warning("gateway.facts_not_read", extra={"gateway": gateway.slug, "error": type(error).__name__})


def _store(account: GatewayAccount, found: Findings) -> ConnectionCheck:
    now = timezone.now()
    result = found.result
    values: dict[str, Any] = {
        "state": ConnectionCheck.State.DONE,
        "finished_at": now,
        "is_ok": result.ok,
        "finding": str(result.finding),
        "code": result.code[:80],
        "diagnosis": result.diagnosis[:300],
    }
    if found.balance or found.senders is not None:
        values |= {"balance": found.balance[:40], "facts_at": now}
    check, _created = ConnectionCheck.objects.update_or_create(
        gateway_account=account, defaults=values, create_defaults={**values, "tenant": account.tenant, "asked_at": now}
    )
    if found.senders is not None:
        GatewayAccount.objects.filter(pk=account.pk).update(listed_senders=found.senders)
        account.listed_senders = found.senders
        apply_provider_list(account=account)
    return check
