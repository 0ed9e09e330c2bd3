"""What pages show of connections. Figures are read from five-minute rows, never from messages."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db.models import Max, Q, QuerySet, Sum
from django.utils import timezone

from ..http.gateway import HttpGateway
from ..models import (
    ConnectionCheck,
    ConnectionFigures,
    ConnectionIncident,
    GatewayAccount,
    LinkStatus,
    RouteRule,
    RouteTarget,
)
from ..models.health import SWEEP_SLOT
from ..registry import UnknownGateway, get_gateway_class

BUCKET = timedelta(minutes=5)
BUCKET_FIGURES = ("accepted", "refused", "unknown", "waiting", "answer_ms", "receipt_seconds")
RECENT = timedelta(minutes=15)
STALE_SECONDS = 45
"""A link whose process has not spoken for so long has no process."""


class Light(StrEnum):
    """Traffic light of a connection."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    OFF = "off"


@dataclass(frozen=True)
class Recent:
    """The last 15 minutes. Ratios are None without a single answer."""

    accepted: int = 0
    refused: int = 0
    deferred: int = 0
    unknown: int = 0
    answer_ms: int | None = None
    receipt_seconds: int | None = None
    waiting: int = 0
    last_receipt_at: datetime | None = None

    @property
    def answered(self) -> int:
        return self.accepted + self.refused + self.unknown

    @property
    def success(self) -> float | None:
        return self.accepted / self.answered if self.answered else None


@dataclass(frozen=True)
class Health:
    account: GatewayAccount
    light: Light
    state: str  # "up", "held", "failing", "down", "connecting", "refused", "stopped", "off", "maintenance", "silent"
    code: str = ""
    recent: Recent = field(default_factory=Recent)
    incidents: list[ConnectionIncident] = field(default_factory=list)


def list_connections(tenant_id: int) -> QuerySet[GatewayAccount]:
    """An account's own; the platform's are none of its business."""
    return GatewayAccount.objects.filter(tenant_id=tenant_id).order_by("name", "pk")


def has_route(account: GatewayAccount) -> bool:
    """Whether a rule in force names the connection."""
    targets = RouteTarget.objects.filter(gateway_account=account, is_active=True, rule__state=RouteRule.State.ACTIVE)
    return targets.exists()


def find_check(account: GatewayAccount) -> ConnectionCheck | None:
    """The last test and, from one look at the database, the connection with what it brought home: `account` may be
    older than the test's end."""
    return ConnectionCheck.objects.filter(gateway_account=account).select_related("gateway_account").first()


def list_open_incidents(accounts: Iterable[int]) -> list[ConnectionIncident]:
    return list(
        ConnectionIncident.objects.filter(gateway_account__in=list(accounts), closed_at=None).select_related(
            "gateway_account"
        )
    )


def list_incidents(tenant_id: int | None) -> list[ConnectionIncident]:
    """Open ones of an account's own connections, or (None) of the platform's."""
    whose = Q(tenant_id__isnull=True) if tenant_id is None else Q(tenant_id=tenant_id)
    rows = ConnectionIncident.objects.filter(whose, closed_at=None)
    return list(rows.select_related("gateway_account").order_by("opened_at")[:5])


def list_health(accounts: Sequence[GatewayAccount], *, now: datetime | None = None) -> list[Health]:
    """One for each account, in their order, with five queries for all."""
    now = now or timezone.now()
    ids = [account.pk for account in accounts]
    recent = load_recent(ids, now)
    links: dict[int, list[LinkStatus]] = {}
    for link in LinkStatus.objects.filter(gateway_account__in=ids).order_by("slot"):
        links.setdefault(link.gateway_account_id, []).append(link)
    incidents: dict[int, list[ConnectionIncident]] = {}
    for incident in list_open_incidents(ids):
        incidents.setdefault(incident.gateway_account_id, []).append(incident)
    failed = ConnectionCheck.objects.filter(
        gateway_account__in=ids, state=ConnectionCheck.State.DONE, is_ok=False
    ).in_bulk(field_name="gateway_account_id")
    return [
        _judge(
            account,
            links.get(account.pk, []),
            recent.get(account.pk, Recent()),
            incidents.get(account.pk, []),
            failed.get(account.pk),
            now,
        )
        for account in accounts
    ]


def load_recent(account_ids: Sequence[int], now: datetime) -> dict[int, Recent]:
    """The buckets that reach into the last RECENT, summed by account."""
    rows = ConnectionFigures.objects.filter(gateway_account__in=account_ids, bucket__gt=now - RECENT - BUCKET)
    beside = {"deferred": Sum("deferred_count"), "last_receipt_at": Max("last_receipt_at")}
    waiting = _load_waiting(account_ids, now)
    return {
        account_id: Recent(**sums, waiting=waiting.get(account_id, 0))
        for account_id, sums in _sum_figures(rows, "gateway_account_id", **beside).items()
    }


def _sum_figures(rows: QuerySet[ConnectionFigures], key: str, **beside: Any) -> dict[Any, dict[str, Any]]:
    """By `key`: accepted, refused, unknown, answer_ms and receipt_seconds (None without a sample), and `beside`."""
    summed = rows.values(key).annotate(
        accepted=Sum("accepted_count"),
        refused=Sum("rejected_count"),
        unknown=Sum("unknown_count"),
        ms=Sum("answer_ms_sum"),
        ms_samples=Sum("answer_samples"),
        seconds=Sum("receipt_seconds_sum"),
        seconds_samples=Sum("receipt_samples"),
        **beside,
    )
    found = {}
    for row in map(dict, summed):
        row["answer_ms"] = _average(row.pop("ms"), row.pop("ms_samples"))
        row["receipt_seconds"] = _average(row.pop("seconds"), row.pop("seconds_samples"))
        found[row.pop(key)] = row
    return found


def _average(total: int, samples: int) -> int | None:
    return total // samples if samples else None


def _load_waiting(account_ids: Sequence[int], now: datetime) -> dict[int, int]:
    newest: dict[int, int] = {}
    rows = ConnectionFigures.objects.filter(
        gateway_account__in=account_ids, slot=SWEEP_SLOT, bucket__gt=now - 2 * BUCKET
    ).order_by("bucket")
    for account_id, waiting in rows.values_list("gateway_account_id", "waiting_count"):
        newest[account_id] = waiting
    return newest


def list_buckets(account: GatewayAccount, *, hours: int, now: datetime | None = None) -> list[dict[str, Any]]:
    """Figures of each five minutes, oldest first, those without traffic too: `at` and BUCKET_FIGURES, 0 without any."""
    now = now or timezone.now()
    last = now.replace(minute=now.minute - now.minute % 5, second=0, microsecond=0)
    first = last - timedelta(hours=hours) + BUCKET
    rows = ConnectionFigures.objects.filter(gateway_account=account, bucket__gte=first)
    waiting = Max("waiting_count", filter=Q(slot=SWEEP_SLOT), default=0)
    found = _sum_figures(rows, "bucket", waiting=waiting)
    buckets = []
    at = first
    while at <= last:
        sums = found.get(at, {})
        buckets.append({"at": at, **{name: sums.get(name) or 0 for name in BUCKET_FIGURES}})
        at += BUCKET
    return buckets


def _judge(
    account: GatewayAccount,
    links: list[LinkStatus],
    recent: Recent,
    incidents: list[ConnectionIncident],
    failed: ConnectionCheck | None,
    now: datetime,
) -> Health:
    state, code = describe_link(account, links, now)
    if state == "up" and failed is not None and not recent.accepted and _proves_nothing(account):
        state, code = "failing", failed.code
    if state == "off":
        light = Light.OFF
    elif incidents or state in ("refused", "stopped", "failing"):
        light = Light.BAD
    elif state == "up" and (recent.success is None or recent.success >= 0.95):
        light = Light.GOOD
    else:
        light = Light.WARN
    return Health(account, light, state, code, recent, incidents)


def _proves_nothing(account: GatewayAccount) -> bool:
    """Over HTTP a link is up without having spoken to anybody: a failed test knows more."""
    try:
        return issubclass(get_gateway_class(account.adapter), HttpGateway)
    except UnknownGateway:
        return False


def describe_link(account: GatewayAccount, links: Sequence[LinkStatus], now: datetime) -> tuple[str, str]:
    """(state, provider's code): the worst of the links that live; "silent" if no process has the connection."""
    if not account.is_active:
        return "off", ""
    if account.is_in_maintenance(now):
        return "maintenance", ""
    living = [link for link in links if link.seen_at > now - timedelta(seconds=STALE_SECONDS)]
    for state in ("stopped", "refused", "down", "connecting", "held"):
        for link in living:
            if link.state == state:
                return state, link.code
    return ("up", "") if living else ("silent", "")
