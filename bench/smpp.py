"""The bare SMPP loop: our client against the operator simulator over TCP, two processes, with receipts.

``messages_per_second`` runs from the first submit to the last receipt acknowledged. No database: this is
the floor that the dispatch and pipeline benchmarks are compared with.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from gateways.adapters.smpp.gateway import SmppGateway
from gateways.base import EventBatch, LinkState
from gateways.types import OutboundMessage, SubmitOutcome

TEXT = "Sayin musterimiz, bu hafta sonu tum urunlerde %20 indirim sizi bekliyor. Kod: "
SCRIPT = {"receipt_delay": [5, 50], "receipt_window": 5_000}
STRIDE = 2_000
ROOT = Path(__file__).resolve().parent.parent


def run(args: Sequence[str]) -> dict[str, Any]:
    """Measure and return the figures. ``args``: --rows N (200,000), --window N (500)."""
    parser = argparse.ArgumentParser(prog="bench smpp")
    parser.add_argument("--rows", type=int, default=200_000, help="messages to send")
    parser.add_argument("--window", type=int, default=500, help="unanswered submits allowed")
    options = parser.parse_args(args)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as folder:
        figures, journal = _measure(Path(folder), options.rows, options.window)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    centre_cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    figures["centre_cpu_seconds_per_million"] = round(centre_cpu / options.rows * 1e6, 2)
    is_whole = journal["submits"] == journal["receipts_acknowledged"] == options.rows
    figures["violations"] = journal["duplicates"] + figures.pop("not_accepted") + (not is_whole)
    return figures


def _measure(folder: Path, rows: int, window: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """(our figures, the centre's) of one run against a fresh simulator."""
    script = folder / "script.json"
    script.write_text(json.dumps(SCRIPT))
    command = [sys.executable, "-m", "gateways.simulator", "--port", "0", "--script", str(script)]
    command += ["--journal", str(folder / "journal")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as centre:
        try:
            assert centre.stdout is not None
            ports = json.loads(centre.stdout.readline())
            figures = asyncio.run(_send(ports["port"], rows, window))
            with urlopen(f"http://127.0.0.1:{ports['control_port']}/journal?duplicates=1") as answer:
                return figures, json.load(answer)
        finally:
            centre.terminate()


class _Counting:
    """Takes outcomes and acknowledges receipts at once."""

    def __init__(self, rows: int) -> None:
        self.kinds: Counter[str] = Counter()
        self.receipts = 0
        self.rows = rows
        self.done = asyncio.Event()
        self.refill = lambda: None

    def on_outcomes(self, outcomes: list[SubmitOutcome]) -> None:
        for outcome in outcomes:
            self.kinds[outcome.kind] += 1
        self.refill()

    def on_events(self, batch: EventBatch) -> None:
        self.receipts += len(batch.raws)
        batch.stored()
        if self.receipts >= self.rows:
            self.done.set()

    def on_state(self, state: LinkState, code: str) -> None:
        if state is LinkState.DOWN:
            self.done.set()


async def _send(port: int, rows: int, window: int) -> dict[str, Any]:
    counting = _Counting(rows)
    settings = {"port": port, "system_id": "bench", "window_size": window, "tps": 0}
    link = SmppGateway.from_settings(settings).create_link(counting)
    await link.open()
    messages = [OutboundMessage(n, f"+905{n % 10**9:09d}", "PEYK", f"{TEXT}{n % 9973}") for n in range(rows)]
    position = 0

    def refill() -> None:
        nonlocal position
        if link.room >= window and position < rows:
            step = messages[position : position + max(window, STRIDE)]
            position += len(step)
            link.submit_many(step)

    counting.refill = refill
    began, began_cpu = time.perf_counter(), time.process_time()
    refill()
    async with asyncio.timeout(600):
        await counting.done.wait()
    seconds = time.perf_counter() - began
    cpu = time.process_time() - began_cpu
    await link.close()
    return {
        "messages": rows,
        "messages_per_second": round(rows / seconds),
        "client_cpu_seconds_per_million": round(cpu / rows * 1e6, 2),
        "window": window,
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "not_accepted": rows - counting.kinds["accepted"],
    }
