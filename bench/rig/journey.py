"""One run of messages through the whole house: what `bench pipeline` and `bench dispatch` have in common."""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .floors import measure_bare_smpp
from .gauges import Gauges
from .processes import Processes
from .stage import count_suppressed, open_stage, start_run, wait_until, write_run
from .verdict import read_hot_share, settle_and_check

# Room for shared buffers as in docker-compose.yml, and no checkpoint in the middle (there: 4 GB).
POSTGRES = {"shared_buffers": "1GB", "max_wal_size": "8GB"}
SUPPRESSIONS = 100_000
FLOOR_ROWS = 100_000


def make_parser(name: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"bench {name}")
    parser.add_argument("--rows", type=int, default=100_000, help="messages to send")
    parser.add_argument("--slots", type=int, default=2, help="sender slots, each in a process of its own")
    parser.add_argument("--window", type=int, default=500, help="unanswered submits per bind")
    return parser


def set_up_django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smsplatform.settings")
    import django

    django.setup()


def measure_journey(
    options: argparse.Namespace, script: dict[str, Any], is_over: Callable[[Any], bool]
) -> dict[str, Any]:
    """Send `options.rows` messages and return the figures; the clock stops when `is_over` holds for the roll-ups."""
    with tempfile.TemporaryDirectory() as folder:
        return _measure(Path(folder), options, script, is_over)


def _measure(
    folder: Path, options: argparse.Namespace, script: dict[str, Any], is_over: Callable[[Any], bool]
) -> dict[str, Any]:
    rows = options.rows
    bare = measure_bare_smpp(min(rows, FLOOR_ROWS), options.window)
    with Processes(folder) as processes:
        port = processes.start_simulator(script)
        stage = open_stage(port=port, slots=options.slots, window=options.window, suppressions=SUPPRESSIONS)
        began = time.perf_counter()
        run = write_run(stage, rows)
        written = time.perf_counter()
        processes.start_senders(options.slots, threads=options.slots)
        processes.wait()  # before beat rings for the first time: each of them is to get a slot
        processes.start_workers()
        processes.wait()
        gauges = Gauges(processes.pids)
        gauges.start()
        started = time.perf_counter()
        start_run(stage, run)
        ended = wait_until(run, is_over, processes.check)
        gauges.stop()
        centre = processes.read_centre()
    speed = rows / (ended - started)
    violations = settle_and_check(processes.journal)
    expected = rows - count_suppressed(rows, SUPPRESSIONS)
    return {
        "messages": rows,
        "messages_per_second": round(speed),
        "seconds": round(ended - started, 2),
        "written_per_second": round(rows / (written - began)),
        "bare_smpp_per_second": bare,
        "floor_ratio": round(speed / bare, 3),
        **gauges.report(rows),
        "hot_update_share": read_hot_share("messaging_message"),
        "violations": len(violations) + centre["duplicates"] + abs(centre["submits"] - expected),
        "first_violations": [str(violation) for violation in violations[:3]],
    }
