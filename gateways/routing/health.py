"""Circuit breakers in their rows: one transaction takes in what a sender saw and tells what holds now."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection

from ..models import AccountHealth
from .breaker import Breaker, Limits, Seen


class Health(NamedTuple):
    """What a sender must keep to. `is_trial`: half open, and no good answer yet."""

    state: str
    share: int
    is_trial: bool
    trial_messages: int


class Turn(NamedTuple):
    """A connection whose breaker changed its state just now."""

    gateway_account_id: int
    state: str
    cause: str


def get_limits() -> Limits:
    return Limits(**settings.ROUTING_BREAKER)


def report_health(seen: Mapping[int, list[Seen]]) -> tuple[dict[int, Health], list[Turn]]:
    """Take in what senders saw, by connection; what holds now, and whose state changed.

    In platform scope, inside the caller's transaction, which should be short: other senders wait for the rows.
    """
    _create_missing(seen)
    return _advance(sorted(seen), seen)


def advance_health() -> list[Turn]:
    """What time alone does: rests end, also while nobody sends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT gateway_account_id FROM gateways_accounthealth WHERE state <> 'closed' ORDER BY 1")
        accounts = [row[0] for row in cursor.fetchall()]
    return _advance(accounts, {})[1]


def _create_missing(seen: Mapping[int, list[Seen]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO gateways_accounthealth"
            " (tenant_id, gateway_account_id, state, cause, share, changed_at, memory, updated_at)"
            " SELECT a.tenant_id, a.id, 'closed', '', 100, now(), '{}', now() FROM gateways_gatewayaccount a"
            " WHERE a.id = ANY(%s) AND NOT EXISTS"
            " (SELECT 1 FROM gateways_accounthealth h WHERE h.gateway_account_id = a.id)"
            " ORDER BY a.id ON CONFLICT DO NOTHING",
            [list(seen)],
        )


def _advance(accounts: list[int], seen: Mapping[int, list[Seen]]) -> tuple[dict[int, Health], list[Turn]]:
    limits = get_limits()
    rows = AccountHealth.objects.select_for_update(of=("self",)).filter(gateway_account_id__in=accounts)
    held: dict[int, Health] = {}
    turns: list[Turn] = []
    for row in rows.order_by("gateway_account_id"):
        now = _read_clock()
        before = _read(row)
        after = before
        reports: list[Seen | None] = [*seen.get(row.gateway_account_id, [])]
        for report in reports or [None]:
            after = after.advance(report, now, limits)
        if after != before:
            _write(row, after, now)
        if after.state != before.state:
            turns.append(Turn(row.gateway_account_id, after.state, after.cause))
        is_trial = after.state == "half_open" and not after.is_proven
        held[row.gateway_account_id] = Health(after.state, after.share, is_trial, limits.trial_messages)
    return held, turns


def _read_clock() -> float:
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float")
        row: tuple[float] = cursor.fetchone()
    return row[0]


def _read(row: AccountHealth) -> Breaker:
    return Breaker(**{"state": row.state, "cause": row.cause, "share": row.share, **row.memory})


def _write(row: AccountHealth, breaker: Breaker, now: float) -> None:
    memory: dict[str, Any] = asdict(breaker)
    row.state, row.cause, row.share = (memory.pop(name) for name in ("state", "cause", "share"))
    row.memory = memory
    row.changed_at = datetime.fromtimestamp(breaker.changed_at or now, UTC)
    row.opened_at = datetime.fromtimestamp(breaker.opened_at, UTC) if breaker.opened_at else None
    row.updated_at = datetime.fromtimestamp(now, UTC)
    row.save()
