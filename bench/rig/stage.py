"""Who sends what in an engine benchmark: tenant with credits, connection, suppression list, runs full of messages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

TEXT = "Sayin musterimiz, bu hafta sonu tum urunlerde %20 indirim sizi bekliyor. Kod: "
OPERATORS = ("turkcell", "vodafone", "turktelekom")
CHUNK = 5_000
RATE_PER_SECOND = 400_000  # far above what is measured: the pace is not what stops us
LONGEST_SECONDS = 900.0
HIT_SHARE = 100


@dataclass(frozen=True)
class Stage:
    """Keys of the rows; opened once per benchmark."""

    tenant_id: int
    account_id: int


def open_stage(*, port: int, slots: int, window: int, suppressions: int = 0, name: str = "bench") -> Stage:
    """A tenant with credits, the simulator as its way out, and a suppression list of so many numbers.

    One in HIT_SHARE of them is a number that runs write to.
    """
    from accounts.scope import platform_scope
    from gateways.models import GatewayAccount

    tenant_id = open_tenant(name)
    with platform_scope(reason="benchmark"):
        account = GatewayAccount(
            name=name, adapter="smpp", rate_per_second=RATE_PER_SECOND, window_size=window, slots=slots
        )
        account.settings = {"host": "127.0.0.1", "port": port, "system_id": "bench", "send_token": True}
        account.set_secret("bench")
        account.save()
    if suppressions:
        _suppress(tenant_id, suppressions)
    return Stage(tenant_id, account.pk)


def open_tenant(name: str) -> int:
    from accounts.services import create_tenant
    from billing.services import open_credit_account, top_up_credits

    tenant = create_tenant(name=name, slug=name)
    open_credit_account(tenant)
    top_up_credits(tenant=tenant, amount=Decimal(100_000_000), reference=f"bench:{name}", actor=None)
    return int(tenant.pk)


def write_run(stage: Stage, rows: int, *, priority: int = 5, tenant_id: int = 0, offset: int = 0) -> Any:
    """A run of `rows` single-part messages, ready to start; numbers from `offset` on, scattered like real ones."""
    from accounts.scope import tenant_scope
    from messaging.services import RunTerms, create_send_run, mark_run_ready, write_messages

    tenant_id = tenant_id or stage.tenant_id
    with tenant_scope(tenant_id):
        terms = RunTerms(sender="PEYK", content_class="informational", priority=priority, time_zone="Europe/Istanbul")
        run = create_send_run(tenant_id=tenant_id, origin_type="api", origin_id=None, terms=terms)
    for chunk in _make_rows(rows, offset):
        with tenant_scope(tenant_id):
            write_messages(run_id=run.pk, tenant_id=tenant_id, gateway_account_id=stage.account_id, rows=chunk)
    with tenant_scope(tenant_id):
        return mark_run_ready(run.pk)


def _make_rows(rows: int, offset: int) -> Iterator[list[Any]]:
    from messaging.rows import MessageRow

    price = Decimal(1)
    for start in range(offset, offset + rows, CHUNK):
        yield [
            MessageRow(None, make_msisdn(n), f"{TEXT}{n % 9973}", "gsm7", 1, price, OPERATORS[n % 3])
            for n in range(start, min(start + CHUNK, offset + rows))
        ]


def make_msisdn(number: int) -> str:
    """Distinct for distinct numbers below 100 million; 7919 is coprime to it."""
    return f"+9053{number * 7919 % 10**8:08d}"


def _suppress(tenant_id: int, count: int) -> None:
    from accounts.scope import tenant_scope
    from optout.services import add_suppressions

    with tenant_scope(tenant_id):
        numbers = [make_msisdn(n) if n % HIT_SHARE == 0 else f"+9054{n * 7919 % 10**8:08d}" for n in range(count)]
        add_suppressions(tenant_id=tenant_id, msisdns=numbers, source="bench")


def count_suppressed(rows: int, suppressions: int) -> int:
    """How many messages of a first run of `rows` the list blocks."""
    return len(range(0, min(rows, suppressions), HIT_SHARE))


def start_run(stage: Stage, run: Any, *, tenant_id: int = 0) -> None:
    """Hold the credits, let it go, ring: what the panel does."""
    from accounts.scope import tenant_scope
    from messaging.services import start_send_run
    from messaging.tasks import ring_senders

    tenant_id = tenant_id or stage.tenant_id
    with tenant_scope(tenant_id):
        start_send_run(run_id=run.pk, tenant_id=tenant_id)
    ring_senders.delay(run.pk)


def wait_until(run: Any, is_over: Callable[[Any], bool], check: Callable[[], None]) -> float:
    """Poll the run's roll-ups; returns the time (perf_counter) at which `is_over(totals)` was seen to hold."""
    from accounts.scope import tenant_scope
    from messaging.selectors import get_run_totals

    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        with tenant_scope(run.tenant_id):
            totals = get_run_totals(run)
        if totals.total.messages == run.message_count and is_over(totals):
            return time.perf_counter()
        check()
        time.sleep(0.1)
    raise RuntimeError(f"not over after {LONGEST_SECONDS:.0f} s: {totals}")
