"""Everything at once on one machine: queued rows to receipts recorded, over SMPP to the operator simulator.

Real Celery sender workers (one process per slot), a worker for the other queues and beat beside them; suppression
check, ledger, inbox and roll-ups on; PostgreSQL with fsync and synchronous_commit on. ``messages_per_second`` runs
from the start of the run to the moment the roll-ups say that every message's story is over. The floor is the bare SMPP
loop (`bench smpp`) in the same run: both ends, no database. Receipts come 0.3 to 2 s after the answers.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

NEEDS = ("postgres", "valkey")
POSTGRES = {"shared_buffers": "1GB", "max_wal_size": "8GB"}
SUPPRESSIONS = 100_000
RECEIPT_DELAY = [300, 2_000]
FLOOR_ROWS = 100_000


def run(args: Sequence[str]) -> dict[str, Any]:
    """Measure and return the figures.

    ``args``: --rows N (100,000; the goal is stated for 500,000), --slots N (2), --window N (500),
    --receipt-delay LEAST MOST (ms).
    """
    parser = argparse.ArgumentParser(prog="bench pipeline")
    parser.add_argument("--rows", type=int, default=100_000, help="messages to send")
    parser.add_argument("--slots", type=int, default=2, help="sender slots, each in a process of its own")
    parser.add_argument("--window", type=int, default=500, help="unanswered submits per bind")
    parser.add_argument("--receipt-delay", type=int, nargs=2, default=RECEIPT_DELAY, metavar="MS")
    options = parser.parse_args(args)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smsplatform.settings")
    import django

    django.setup()
    with tempfile.TemporaryDirectory() as folder:
        return _measure(Path(folder), options)


def _measure(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    from bench.rig.floors import measure_bare_smpp
    from bench.rig.gauges import Gauges
    from bench.rig.processes import Processes
    from bench.rig.stage import count_suppressed, open_stage, start_run, wait_until_over, write_run
    from bench.rig.verdict import read_hot_share, settle_and_check

    rows = options.rows
    bare = measure_bare_smpp(min(rows, FLOOR_ROWS), options.window)
    with Processes(folder) as processes:
        script = {"receipt_delay": options.receipt_delay, "receipt_window": 5_000}
        port = processes.start_simulator(script)
        stage = open_stage(port=port, slots=options.slots, window=options.window, suppressions=SUPPRESSIONS)
        began = time.perf_counter()
        sent = write_run(stage, rows)
        written = time.perf_counter()
        processes.start_senders(options.slots, threads=1)
        processes.start_workers()
        processes.wait()
        gauges = Gauges(processes.pids)
        gauges.start()
        started = time.perf_counter()
        start_run(stage, sent)
        ended = wait_until_over(sent, processes.check)
        gauges.stop()
        centre = processes.read_centre()
    speed = rows / (ended - started)
    expected = rows - count_suppressed(rows, SUPPRESSIONS)
    violations = settle_and_check(processes.journal)
    return {
        "messages": rows,
        "messages_per_second": round(speed),
        "seconds": round(ended - started, 2),
        "written_per_second": round(rows / (written - began)),
        "bare_smpp_per_second": bare,
        "floor_ratio": round(speed / bare, 3),
        "cpu_seconds_per_million": gauges.per_million(rows),
        "cpu_seconds_per_million_total": round(sum(gauges.cpu_seconds.values()) / rows * 1e6, 1),
        "machine": gauges.machine,
        "peak_mb": {name: round(size) for name, size in gauges.peak_mb.items()},
        "memory_growth_mb": gauges.memory_growth,
        "wal_bytes_per_message": round(gauges.wal_bytes / rows),
        "hot_update_share": read_hot_share("messaging_message"),
        "violations": len(violations) + centre["duplicates"] + abs(centre["submits"] - expected),
        "first_violations": [str(violation) for violation in violations[:3]],
    }
