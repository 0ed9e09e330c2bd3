"""What a running million does to everybody else: one-time passwords and a small campaign beside a large one.

``otp_p99_ms`` is from the commit that starts a run of one message with priority OTP to its arrival at the operator
(the simulator's journal, same clock). ``small_first_ms`` is the same for the first message of another tenant's
campaign of 500, ``small_all_ms`` for its last. The floor is the same one-time password on an idle house.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.rig.journey import POSTGRES, set_up_django

NEEDS = ("postgres", "valkey")
SMALL = 500
IDLE_OTPS = 20
OTP_SECONDS = 0.05
GOAL_OTP_MS, GOAL_SMALL_MS = 100, 2_000
SCRIPT = {"receipt_delay": [300, 2_000], "receipt_window": 5_000}

__all__ = ["NEEDS", "POSTGRES", "run"]


def run(args: Sequence[str]) -> dict[str, Any]:
    """Measure and return the figures. ``args``: --rows N of the large run (200,000), --otps N (100), --slots N (2)."""
    parser = argparse.ArgumentParser(prog="bench fairness")
    parser.add_argument("--rows", type=int, default=200_000, help="messages of the large run")
    parser.add_argument("--otps", type=int, default=100, help="one-time passwords beside it")
    parser.add_argument("--slots", type=int, default=2)
    # What is on the wire before it, an urgent message cannot overtake: 500 unanswered are 45 ms of a busy operator.
    parser.add_argument("--window", type=int, default=100)
    options = parser.parse_args(args)
    set_up_django()
    with tempfile.TemporaryDirectory() as folder:
        return _measure(Path(folder), options)


def _measure(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    from bench.rig.gauges import Gauges
    from bench.rig.processes import Processes
    from bench.rig.stage import open_stage, open_tenant, start_run, wait_until, write_run
    from bench.rig.verdict import settle_and_check

    with Processes(folder) as processes:
        stage = open_stage(port=processes.start_simulator(SCRIPT), slots=options.slots, window=options.window)
        bank, shop = open_tenant("bank"), open_tenant("shop")
        base = 50_000_000
        otps = [
            write_run(stage, 1, priority=0, tenant_id=bank, offset=base + n) for n in range(IDLE_OTPS + options.otps)
        ]
        small = write_run(stage, SMALL, tenant_id=shop, offset=base + 1_000_000)
        large = write_run(stage, options.rows)
        processes.start_senders(options.slots, threads=options.slots)
        processes.wait()
        processes.start_workers()
        processes.wait()
        time.sleep(6)  # a tick binds the slots
        committed = _start_each(stage, otps[:IDLE_OTPS], bank)
        gauges = Gauges(processes.pids)
        gauges.start()
        began = time.perf_counter()
        start_run(stage, large)
        time.sleep(1)
        small_at = time.time()
        start_run(stage, small, tenant_id=shop)
        committed |= _start_each(stage, otps[IDLE_OTPS:], bank)
        is_beside = not _is_over(large)
        ended = wait_until(large, lambda totals: totals.open_count == 0, processes.check)
        gauges.stop()
        for other in (small, *otps):
            wait_until(other, lambda totals: totals.open_count == 0, processes.check)
    arrivals = _read_arrivals(processes.journal)
    waits = [(arrivals[_number_of(run)] - committed[run.pk]) * 1000 for run in otps]
    idle, beside = waits[:IDLE_OTPS], waits[IDLE_OTPS:]
    shop_numbers = _numbers_of(small)
    small_waits = sorted((at - small_at) * 1000 for msisdn, at in arrivals.items() if msisdn in shop_numbers)
    violations = settle_and_check(processes.journal)
    return {
        "large": options.rows,
        "otps": len(beside),
        "messages_per_second": round(options.rows / (ended - began)),
        "otp_p50_ms": round(statistics.median(beside), 1),
        "otp_p99_ms": round(_percentile(beside, 0.99), 1),
        "otp_most_ms": round(max(beside), 1),
        "idle_otp_p50_ms": round(statistics.median(idle), 1),
        "floor_ratio": round(statistics.median(idle) / statistics.median(beside), 3),
        "small_first_ms": round(small_waits[0], 1),
        "small_all_ms": round(small_waits[-1], 1),
        "was_beside": is_beside,
        **gauges.report(options.rows),
        "is_goal_met": is_beside and _percentile(beside, 0.99) < GOAL_OTP_MS and small_waits[0] < GOAL_SMALL_MS,
        "violations": len(violations),
        "first_violations": [str(violation) for violation in violations[:3]],
    }


def _start_each(stage: Any, runs: Sequence[Any], tenant_id: int) -> dict[int, float]:
    """Start one after the other, evenly spaced; when each was committed (wall clock)."""
    from accounts.scope import tenant_scope
    from messaging.services import start_send_run

    committed = {}
    for run in runs:
        with tenant_scope(tenant_id):
            start_send_run(run_id=run.pk, tenant_id=tenant_id)
        committed[run.pk] = time.time()
        time.sleep(OTP_SECONDS)
    return committed


def _is_over(run: Any) -> bool:
    from accounts.scope import tenant_scope
    from messaging.selectors import get_run_totals

    with tenant_scope(run.tenant_id):
        return get_run_totals(run).open_count == 0


def _read_arrivals(journal: Path) -> dict[str, float]:
    """Number, with "+" → wall time at which the operator had read its submit."""
    from gateways.simulator.journal import read_journal

    return {f"+{entry.msisdn.lstrip('+')}": entry.at for entry in read_journal(journal)}


def _numbers_of(run: Any) -> set[str]:
    from accounts.scope import tenant_scope
    from messaging.models import Message

    with tenant_scope(run.tenant_id):
        return set(Message.objects.filter(run=run).values_list("msisdn", flat=True))


def _number_of(run: Any) -> str:
    (number,) = _numbers_of(run)
    return number


def _percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]
