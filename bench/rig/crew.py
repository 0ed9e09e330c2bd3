"""A run sent by worker machines of their own (`machines.py`). Import it once Django knows its database."""

from __future__ import annotations

import argparse
import os
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

from django.db import connection

from accounts.scope import tenant_scope
from messaging.selectors.runs import RunTotals, get_run_totals

from .gauges import Gauges
from .machines import Machine
from .processes import Processes
from .stage import open_stage, start_run, wait_until, write_run
from .verdict import settle_and_check

SCRIPT = {"receipt_delay": [100, 300], "receipt_window": 5_000}
BIND_SECONDS = 6  # a tick comes every five and binds the slots
CUT_SECONDS = 25  # a lease lasts 20


def measure_crew(options: argparse.Namespace, *, machines: int, cuts: bool = False) -> dict[str, Any]:
    """Figures of `options.rows` messages through so many machines; `cuts`: one is cut off half way, and comes back."""
    crew = [Machine(number, options.cores) for number in range(machines)]
    with tempfile.TemporaryDirectory() as folder:
        try:
            for machine in crew:
                machine.open()
            _admit([machine.address for machine in crew])
            with Processes(Path(folder)) as processes:
                return _send(options, processes, crew, cuts)
        finally:
            for machine in crew:
                machine.close()


def _send(options: argparse.Namespace, processes: Processes, crew: list[Machine], cuts: bool) -> dict[str, Any]:
    stage = open_stage(
        port=processes.start_simulator(SCRIPT),
        slots=len(crew),
        window=options.window,
        name=f"machines{len(crew)}{'cut' if cuts else ''}",
    )
    run = write_run(stage, options.rows)
    for machine in crew:
        processes.start_senders_on(machine, slots=len(crew))
    processes.wait()
    processes.start_workers()
    processes.wait()
    time.sleep(BIND_SECONDS)
    gauges = Gauges(processes.pids)
    gauges.start()
    began = time.perf_counter()
    start_run(stage, run)
    if cuts:
        _cut_off_and_back(run, crew[-1], processes)
    ended = wait_until(run, _is_answered if cuts else _is_over, processes.check)
    gauges.stop()
    if cuts:
        wait_until(run, lambda totals: totals.get("unknown").messages == 0, processes.check)
    centre = processes.read_centre()
    violations = settle_and_check(processes.journal)
    usage = gauges.report(options.rows)
    return {
        "messages_per_second": round(options.rows / (ended - began)),
        "seconds": round(ended - began, 1),
        "postgres_cpu_seconds_per_million": usage["cpu_seconds_per_million"]["postgres"],
        "cpu_seconds_per_million": usage["cpu_seconds_per_million"],
        "machine": usage["machine"],
        "states": _count_states(run),
        "duplicates": centre["duplicates"],
        "violations": len(violations) + centre["duplicates"],
        "first_violations": [str(violation) for violation in violations[:3]],
    }


def _cut_off_and_back(run: Any, machine: Machine, processes: Processes) -> None:
    """Half way, for longer than a lease lasts; then the machine is back and must not go on where it was."""
    half = run.message_count // 2
    wait_until(run, lambda totals: totals.open_count < half, processes.check)
    machine.pull_cable()
    time.sleep(CUT_SECONDS)
    machine.plug_in()


def _is_over(totals: RunTotals) -> bool:
    return totals.open_count == 0


def _is_answered(totals: RunTotals) -> bool:
    """Nothing waits to be sent, nothing is on the wire."""
    return totals.get("queued").messages == 0


def _count_states(run: Any) -> dict[str, int]:
    with tenant_scope(run.tenant_id):
        return {state: count.messages for state, count in get_run_totals(run).by_state.items() if count.messages}


def _admit(addresses: list[str]) -> None:
    """Let the machines into PostgreSQL, as an operator of a second machine would: pg_hba.conf and a reload."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    postmaster = int(Path(f"/proc/{backend}/stat").read_text().rsplit(")", 1)[1].split()[1])
    access = Path(f"/proc/{postmaster}/cwd/pg_hba.conf")
    text = access.read_text()
    lines = [f"host all peyk {address}/32 scram-sha-256\n" for address in addresses]
    access.write_text(text + "".join(line for line in lines if line not in text))
    os.kill(postmaster, signal.SIGHUP)
