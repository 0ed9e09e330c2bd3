"""Writes to connections: the panel's, for an account's own. The admin writes the platform's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Tenant, User
from accounts.services import record_audit
from common.crypto import DecryptionError

from ..models import ConnectionCheck, GatewayAccount, RouteTarget, SenderId, make_push_token
from ..opening import read_secrets, seal_secrets
from ..registry import get_gateway_class
from ..routing import book as routes
from ..waiting import count_waiting
from .approvals import request_approvals

MOST_CONNECTIONS = 10
CHECK_AGAIN_SECONDS = 3
WAYS = ("+90", "+")
CHECK_LOST_SECONDS = 20


class TooManyConnections(Exception):
    """The account has MOST_CONNECTIONS already: each keeps binds and processes busy."""


class ConnectionBusy(Exception):
    """Messages or reports still wait for the connection; `waiting` says how many."""

    def __init__(self, waiting: int) -> None:
        super().__init__(waiting)
        self.waiting = waiting


class ConnectionUsed(Exception):
    """Messages were sent over it: reports name it, so it can only be switched off."""


@dataclass(frozen=True)
class ConnectionContent:
    """What the form gives. `secrets`: only those that were typed; the others stay. `prefix`: what goes over it, one of
    WAYS, or "" for nothing; routes with another prefix are left alone."""

    name: str
    settings: Mapping[str, Any]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    rate_per_second: int = 10
    prefix: str = ""


def create_connection(*, tenant: Tenant, adapter: str, content: ConnectionContent, actor: User) -> GatewayAccount:
    """Raises TooManyConnections."""
    with transaction.atomic():
        Tenant.objects.select_for_update().get(pk=tenant.pk)  # two at once must not both be the last one allowed
        if GatewayAccount.objects.filter(tenant=tenant).count() >= MOST_CONNECTIONS:
            raise TooManyConnections
        account = GatewayAccount(tenant=tenant, adapter=adapter, needs_sender_approval=True)
        _apply(account, content)
        account.save()
        _set_way(account, content.prefix)
        for sender in SenderId.objects.filter(tenant=tenant).exclude(status=SenderId.Status.REFUSED):
            request_approvals(sender=sender, accounts=[account])
        record_audit(tenant=tenant, actor=actor, action="gateway.created", target=account.name)
    return account


def update_connection(*, account: GatewayAccount, content: ConnectionContent, actor: User) -> None:
    """The trail names the fields that changed, never their values: those may be credentials."""
    with transaction.atomic():
        locked = GatewayAccount.objects.select_for_update().get(pk=account.pk)
        before = (locked.name, locked.settings, locked.rate_per_second)
        _apply(locked, content)
        locked.save(update_fields=["name", "settings", "secret", "rate_per_second"])
        changed_way = _set_way(locked, content.prefix)
        after = (locked.name, locked.settings, locked.rate_per_second)
        names = ("name", "settings", "rate_per_second")
        changed = [name for name, old, new in zip(names, before, after, strict=True) if old != new]
        changed += ["secret"] if content.secrets else []
        changed += ["route"] if changed_way else []
        data = {"fields": changed}
        record_audit(tenant=locked.tenant, actor=actor, action="gateway.updated", target=locked.name, data=data)


def switch_connection(*, account: GatewayAccount, is_active: bool, actor: User | None) -> bool:
    """The kill switch: no message leaves after the commit. False if it was so already."""
    with transaction.atomic():
        others = GatewayAccount.objects.filter(pk=account.pk).exclude(is_active=is_active)
        changed = others.update(is_active=is_active, switched_at=Now())
        if changed:
            action = "gateway.switched_on" if is_active else "gateway.switched_off"
            record_audit(tenant=account.tenant, actor=actor, action=action, target=account.name)
    return bool(changed)


def set_maintenance(
    *, account: GatewayAccount, begins_at: datetime | None, ends_at: datetime | None, actor: User | None
) -> None:
    """Nothing is sent between these; an open end lasts until it is lifted, both None lift it. ValueError: reversed."""
    if ends_at is not None and (begins_at is None or ends_at <= begins_at):
        raise ValueError("a maintenance window ends after it begins")
    with transaction.atomic():
        GatewayAccount.objects.filter(pk=account.pk).update(maintenance_from=begins_at, maintenance_until=ends_at)
        data = {"begins_at": begins_at and begins_at.isoformat(), "ends_at": ends_at and ends_at.isoformat()}
        record_audit(tenant=account.tenant, actor=actor, action="gateway.maintenance", target=account.name, data=data)


def renew_push_token(*, account: GatewayAccount, actor: User | None) -> None:
    """A new address for the provider's calls; who calls the old one finds nobody from the commit on."""
    with transaction.atomic():
        GatewayAccount.objects.filter(pk=account.pk).update(push_token=make_push_token())
        record_audit(tenant=account.tenant, actor=actor, action="gateway.push_renewed", target=account.name)


def delete_connection(*, account: GatewayAccount, actor: User) -> None:
    """Only one that nothing was ever sent over. Raises ConnectionBusy, ConnectionUsed."""
    with transaction.atomic():
        locked = GatewayAccount.objects.select_for_update().get(pk=account.pk)
        waiting = count_waiting(locked.pk)
        if waiting:
            raise ConnectionBusy(waiting)
        try:
            with transaction.atomic():
                routes.set_way(locked, "", WAYS)
                RouteTarget.objects.filter(gateway_account=locked).delete()
                locked.delete()
        except ProtectedError as error:
            raise ConnectionUsed from error
        record_audit(tenant=account.tenant, actor=actor, action="gateway.deleted", target=account.name)


def ask_for_check(*, account: GatewayAccount, has_changed: bool = False) -> bool:
    """Note that a test is wanted; the caller has a worker run it after the commit. False while one is under way, unless
    the settings have changed: then its result says nothing any more."""
    now = timezone.now()
    check, is_new = ConnectionCheck.objects.select_for_update().get_or_create(
        gateway_account=account, defaults={"tenant": account.tenant, "asked_at": now}
    )
    if is_new:
        return True
    is_open = check.state == ConnectionCheck.State.ASKED
    wait = CHECK_LOST_SECONDS if is_open else CHECK_AGAIN_SECONDS
    if check.asked_at > now - timedelta(seconds=wait) and not has_changed:
        return False
    check.state, check.asked_at = ConnectionCheck.State.ASKED, now
    check.save(update_fields=["state", "asked_at"])
    return True


def find_way(account: GatewayAccount) -> str:
    """The prefix that the form set for this connection, "" if none."""
    return routes.find_way(account, WAYS)


def _set_way(account: GatewayAccount, prefix: str) -> bool:
    """True if something changed."""
    if find_way(account) == prefix:
        return False
    routes.set_way(account, prefix, WAYS)
    return True


def _apply(account: GatewayAccount, content: ConnectionContent) -> None:
    account.name = content.name
    account.rate_per_second = content.rate_per_second
    account.settings = dict(content.settings)
    if content.secrets:
        adapter = get_gateway_class(account.adapter)
        account.set_secret(seal_secrets(adapter, {**_present_secrets(account), **content.secrets}))


def _present_secrets(account: GatewayAccount) -> dict[str, Any]:
    try:
        return read_secrets(get_gateway_class(account.adapter), account.get_secret())
    except DecryptionError:
        return {}  # its key is gone; what was typed now replaces it
