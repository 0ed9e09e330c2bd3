"""Queued rows to answers recorded, over HTTP to a provider that takes 500 messages a call and answers after 50 ms.

One real Celery sender process with several calls in flight (`--window`), PostgreSQL with fsync and synchronous_commit
on; suppression check, ledger and roll-ups as always. The adapter is Netgsm's, the provider a bare double that writes
down every message's identity before it answers. The floor is the bare loop of the same run: the adapter's ``submit``
against the same double, as many calls in flight, no database.

Then the receipts of all these messages are asked for, 100 a query, each page committed before the next query. At the
provider's limit of 10 queries a minute this takes the time in ``receipt_hours_at_limit``; here they are asked at
`--queries` a minute, and the CPU time of sender process and database is set against that time. Whatever else
the two did meanwhile counts as well. So quickly several pages are matched at once; `--rows 10000 --queries 180` shows
what pages matched one by one cost.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.rig.journey import POSTGRES, SUPPRESSIONS, set_up_django
from gateways.adapters.netgsm.gateway import NetgsmGateway
from gateways.types import OutboundMessage

NEEDS = ("postgres", "valkey")
ANSWER_SECONDS = 0.05
LIMIT_PER_MINUTE = 10
PAGE = 100
LATER = 86_400.0
FLOOR_ROWS = 100_000

__all__ = ["NEEDS", "POSTGRES", "run"]


def run(args: Sequence[str]) -> dict[str, Any]:
    """Measure and return the figures.

    ``args``: --rows N (100,000), --window N (8) calls in flight, --batch N (500) messages a call, --slots N (1),
    --queries N (1,200) a minute for receipts; 0: no receipts.
    """
    parser = argparse.ArgumentParser(prog="bench http-dispatch")
    parser.add_argument("--rows", type=int, default=100_000, help="messages to send")
    parser.add_argument("--window", type=int, default=8, help="calls in flight per slot")
    parser.add_argument("--batch", type=int, default=500, help="messages a call")
    parser.add_argument("--slots", type=int, default=1, help="sender slots, all in one process")
    parser.add_argument("--queries", type=int, default=1200, help="receipt queries a minute; 0: ask for none")
    options = parser.parse_args(args)
    set_up_django()
    with tempfile.TemporaryDirectory() as folder:
        return _measure(Path(folder), options)


def _measure(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    from bench.rig.bulk_double import count_tokens
    from bench.rig.gauges import Gauges
    from bench.rig.processes import Processes
    from bench.rig.stage import count_suppressed, start_run, wait_until, write_run
    from bench.rig.verdict import read_hot_share, settle_and_check

    floor_journal, journal = folder / "floor", folder / "tokens"
    with Processes(folder) as processes:
        port = processes.start_bulk_double("floor", floor_journal, ANSWER_SECONDS)
        bare = asyncio.run(_measure_bare(port, options))
        stage = _open_stage(processes.start_bulk_double("provider", journal, ANSWER_SECONDS), options)
        run = write_run(stage, options.rows)
        processes.start_senders(1, threads=options.slots + 2)
        processes.wait()
        processes.start_workers()
        processes.wait()
        gauges = Gauges(processes.pids)
        gauges.start()
        started = time.perf_counter()
        start_run(stage, run)
        ended = wait_until(run, lambda totals: totals.get("queued").messages == 0, processes.check)
        gauges.stop()
        receipts = _poll_receipts(stage, run, options, processes) if options.queries else {}
    violations = [str(violation) for violation in settle_and_check(None)]
    violations += _compare(count_tokens(journal), options.rows - count_suppressed(options.rows, SUPPRESSIONS))
    speed = options.rows / (ended - started)
    return {
        "messages": options.rows,
        "messages_per_second": round(speed),
        "seconds": round(ended - started, 2),
        "calls_in_flight": options.window * options.slots,
        "messages_per_call": options.batch,
        "bare_http_per_second": bare,
        "floor_ratio": round(speed / bare, 3),
        **gauges.report(options.rows),
        **receipts,
        "hot_update_share": read_hot_share("messaging_message"),
        "violations": len(violations),
        "first_violations": violations[:3],
    }


def _compare(taken: Counter[int], expected: int) -> list[str]:
    """Every message that was to be sent was taken once."""
    found = [f"message {token} was sent {count} times" for token, count in taken.items() if count > 1]
    if len(taken) != expected:
        found.append(f"the provider took {len(taken)} messages, expected {expected}")
    return found


def _settings(port: int, options: argparse.Namespace) -> dict[str, Any]:
    return {
        "base_url": f"http://127.0.0.1:{port}",
        "username": "8503000000",
        "batch_size": options.batch,
        "send_token": True,
        "pulls_inbound": False,
        "receipt_polls": [LATER],
    }


def _open_stage(port: int, options: argparse.Namespace) -> Any:
    from accounts.scope import platform_scope
    from bench.rig.stage import open_stage
    from gateways.models import GatewayAccount

    stage = open_stage(port=port, slots=options.slots, window=options.window, suppressions=SUPPRESSIONS)
    with platform_scope(reason="benchmark"):
        account = GatewayAccount.objects.get(pk=stage.account_id)
        account.adapter = NetgsmGateway.slug
        account.settings = _settings(port, options)
        account.save()
    return stage


async def _measure_bare(port: int, options: argparse.Namespace) -> int:
    """Messages a second of the adapter alone, with as many calls in flight."""
    from bench.rig.stage import TEXT, make_msisdn

    settings = {**_settings(port, options), "password": "bench", "tps": 1e9}
    gateway = NetgsmGateway.from_settings(settings)
    rows = min(options.rows, FLOOR_ROWS)
    messages = [OutboundMessage(n, make_msisdn(n), "PEYK", f"{TEXT}{n % 9973}") for n in range(rows)]
    waiting = iter([messages[at : at + options.batch] for at in range(0, rows, options.batch)])
    accepted = 0

    async def keep_sending() -> None:
        nonlocal accepted
        for call in waiting:
            outcomes = await gateway.submit(call)
            accepted += sum(outcome.kind == "accepted" for outcome in outcomes)

    began = time.perf_counter()
    await asyncio.gather(*(keep_sending() for _ in range(options.window * options.slots)))
    seconds = time.perf_counter() - began
    await gateway.close()
    if accepted != rows:
        raise RuntimeError(f"the double took {accepted} of {rows} messages")
    return round(rows / seconds)


def _poll_receipts(stage: Any, run: Any, options: argparse.Namespace, processes: Any) -> dict[str, Any]:
    """From here on the jobs are due: what asking for every receipt costs."""
    from accounts.scope import platform_scope
    from bench.rig.gauges import Gauges
    from bench.rig.stage import wait_until
    from gateways.models import GatewayAccount

    with platform_scope(reason="benchmark"):
        account = GatewayAccount.objects.get(pk=stage.account_id)
        account.settings |= {"receipt_polls": [0.1, 60.0], "receipt_queries_per_minute": options.queries}
        account.save()  # the sender sees it at the next tick and opens its link anew
    gauges = Gauges({"senders0": processes.pids["senders0"]})
    gauges.start()
    began = time.perf_counter()
    ended = wait_until(run, lambda totals: totals.open_count == 0, processes.check)
    gauges.stop()
    used = sum(gauges.cpu_seconds.values())
    seconds_at_limit = options.rows / PAGE / LIMIT_PER_MINUTE * 60
    return {
        "receipts": options.rows,
        "receipts_per_second": round(options.rows / (ended - began)),
        "receipt_cpu_seconds": {name: round(seconds, 1) for name, seconds in gauges.cpu_seconds.items()},
        "receipt_hours_at_limit": round(seconds_at_limit / 3600, 2),
        "receipt_core_percent": round(used / seconds_at_limit * 100, 2),
    }
