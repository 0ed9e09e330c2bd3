"""./dev faults demo [--rows N]: a demo run in whose middle Valkey is emptied and killed, and PostgreSQL is killed.

Each fault waits for its share of the messages to be on the wire. The demo's own checks and its last line decide.
"""

from __future__ import annotations

import argparse
import json
import sys
import urllib.request
from collections.abc import Callable
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

PROCESSES = ["simulator", "worker", "senders", "beat"]


@dataclass
class Mischief:
    """What happens when which share of the rows was submitted; `look` is called twice a second, or oftener."""

    stack: Stack
    rows: int
    done: list[str] = field(default_factory=list)

    def look(self) -> None:
        self.stack.supervisor.check()
        for share, name, act in self._list_faults():
            if name not in self.done and self._count_submits() >= share * self.rows:
                say(f"{self._count_submits():,} submitted: {name}")
                act()
                self.done.append(name)

    def _list_faults(self) -> list[tuple[float, str, Callable[[], None]]]:
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

    def _count_submits(self) -> int:
        url = f"{self.stack.environment['SIMULATOR_CONTROL_URL']}/journal"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return int(json.load(answer)["submits"])


def run_faulty_demo(arguments: list[str]) -> int:
    """Returns the demo's exit code; 1 if the run was over before everything had happened."""
    parser = argparse.ArgumentParser(prog="./dev faults demo")
    parser.add_argument("--rows", type=int, default=20_000)
    rows = parser.parse_args(arguments).rows
    place = Place("faults")
    if not place.take():
        raise DevError("a demo with faults is running already in this checkout.")
    try:
        with Supervisor(place.logs) as supervisor:
            stack = start_servers(place, supervisor, is_fresh=True)
            prepare_database(stack, with_demo=False)
            choose_ports(stack)
            supervisor.start(*application(stack, PROCESSES))
            mischief = Mischief(stack, rows)
            command = [sys.executable, "manage.py", "demo", "--rows", str(rows), "--json"]
            code = run_child(command, stack.environment, mischief.look, look_seconds=0.05)
            if len(mischief.done) < len(mischief._list_faults()):
                raise DevError(f"the run was over before everything had happened; only: {', '.join(mischief.done)}")
            return code
    finally:
        place.release()
