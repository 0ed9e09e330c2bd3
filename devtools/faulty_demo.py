"""A demo run in whose middle the servers fail. The demo's own checks and its last line decide.

./dev faults demo [--rows N]   Valkey is emptied, PostgreSQL is killed, Valkey is killed and comes back empty
./dev faults disk [--rows N]   PostgreSQL's disk (a small file system in memory; needs root) is full for a while
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from devtools import postgres, valkey
from devtools.environment import say
from devtools.errors import DevError
from devtools.foreground import run_child
from devtools.identity import choose_home
from devtools.places import Place
from devtools.preparation import prepare_database
from devtools.processes import application, choose_ports
from devtools.stack import Stack, start_servers
from devtools.supervisor import Supervisor

PROCESSES = ["simulator", "worker", "urgent", "senders", "beat"]
DISK_MEGABYTES = 400
FULL_SECONDS = 5.0
DISK_SETTINGS = {"max_wal_size": "64MB", "min_wal_size": "32MB", "shared_buffers": "64MB"}

Fault = tuple[float, str, Callable[[], None]]  # share of the rows that must have been submitted, name, what to do


@dataclass
class Mischief:
    """What happens when which share of the rows was submitted; `look` is called twenty times a second."""

    stack: Stack
    rows: int
    kind: str
    done: list[str] = field(default_factory=list)

    def look(self) -> None:
        self.stack.supervisor.check()
        for share, name, act in self.list_faults():
            if name not in self.done and self._count_submits() >= share * self.rows:
                say(f"{self._count_submits():,} submitted: {name}")
                act()
                self.done.append(name)

    def list_faults(self) -> list[Fault]:
        if self.kind == "disk":
            return [(0.05, f"PostgreSQL's disk full for {FULL_SECONDS:.0f} s", self._fill_disk)]
        return [
            (0.02, "Valkey emptied", lambda: valkey.empty(self.stack.ports["valkey"])),
            (0.15, "PostgreSQL killed and restarted", self._restart_postgres),
            (0.30, "Valkey killed and restarted empty", self._restart_valkey),
        ]

    def _restart_postgres(self) -> None:
        data = choose_home(postgres.find_programs().folder, self.stack.place.postgres).data
        self.stack.supervisor.kill_and_restart("postgres", lambda: postgres.settle_old_server(data))

    def _restart_valkey(self) -> None:
        self.stack.supervisor.kill_and_restart("valkey")
        valkey.empty(self.stack.ports["valkey"])

    def _fill_disk(self) -> None:
        ballast = self.stack.place.postgres.parent / "ballast"
        with contextlib.suppress(OSError), open(ballast, "wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 16))
        time.sleep(FULL_SECONDS)
        ballast.unlink()
        if "postgres" in self.stack.supervisor.list_ended():
            say("PostgreSQL had given up; starting it again")
            self._restart_postgres()

    def _count_submits(self) -> int:
        url = f"{self.stack.environment['SIMULATOR_CONTROL_URL']}/journal"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return int(json.load(answer)["submits"])


def run_faulty_demo(kind: str, arguments: list[str]) -> int:
    """Returns the demo's exit code; raises DevError if the run was over before everything had happened."""
    parser = argparse.ArgumentParser(prog=f"./dev faults {kind}")
    parser.add_argument("--rows", type=int, default=20_000)
    rows = parser.parse_args(arguments).rows
    place = Place(f"faults-{kind}")
    if not place.take():
        raise DevError("a demo with faults is running already in this checkout.")
    try:
        with small_disk(place) if kind == "disk" else contextlib.nullcontext(), Supervisor(place.logs) as supervisor:
            settings = DISK_SETTINGS if kind == "disk" else None
            stack = start_servers(place, supervisor, is_fresh=True, settings=settings)
            prepare_database(stack, with_demo=False)
            choose_ports(stack)
            supervisor.start(*application(stack, PROCESSES))
            mischief = Mischief(stack, rows, kind)
            command = [sys.executable, "manage.py", "demo", "--rows", str(rows), "--json"]
            code = run_child(command, stack.environment, mischief.look, look_seconds=0.05)
            if len(mischief.done) < len(mischief.list_faults()):
                raise DevError(f"the run was over before everything had happened; only: {', '.join(mischief.done)}")
            return code
    finally:
        place.release()


@contextlib.contextmanager
def small_disk(place: Place) -> Iterator[None]:
    """Puts the place's cluster on a small file system of its own. Raises DevError where that may not be mounted."""
    folder = place.postgres.with_name(f"{place.postgres.name}-disk")
    folder.mkdir(exist_ok=True)
    options = ["-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m,mode=0755", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(["mount", *options]).returncode != 0:
        raise DevError("!!! SKIPPED: a small disk needs root and the right to mount; nothing was tested !!!")
    place.postgres = folder / "pg"
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)])
