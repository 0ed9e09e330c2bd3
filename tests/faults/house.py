"""The engine as processes of its own, to be killed: simulator, broker, sender workers, ticks."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import connection

from accounts.scope import platform_scope, tenant_scope
from devtools.ports import pick_port
from devtools.valkey import find_program
from gateways.models import GatewayAccount
from messaging.models import SendRun
from messaging.services.check import Violation, check_engine

ROOT = Path(__file__).resolve().parents[2]


class House:
    """Starts and kills by name; everything that still runs is killed by `close`."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.journal = folder / "journal"
        self.processes: dict[str, subprocess.Popen[Any]] = {}
        self.ports: dict[str, int] = {}
        self.redis_port = pick_port()
        database = connection.settings_dict
        self.environment = {
            **os.environ,
            "DATABASE_URL": f"postgres://{database['USER']}:{database['PASSWORD']}@{database['HOST'] or '127.0.0.1'}"
            f":{database['PORT']}/{database['NAME']}",
            "REDIS_URL": f"redis://127.0.0.1:{self.redis_port}",
            "PEYK_ENV": "test",
            "PYTHONUNBUFFERED": "1",
            **environment,
        }
        self.start_valkey()

    def start_valkey(self) -> None:
        options = ("--port", str(self.redis_port), "--bind", "127.0.0.1", "--save", "")
        self._spawn("valkey", str(find_program()), *options)

    def empty_valkey(self) -> None:
        with socket.create_connection(("127.0.0.1", self.redis_port), timeout=5) as server:
            server.sendall(b"FLUSHALL\r\n")
            assert server.recv(16).startswith(b"+OK")

    def _spawn(self, name: str, *command: str, **options: Any) -> subprocess.Popen[Any]:
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stderr=log, stdout=options.pop("stdout", log), **options
            )
        self.processes[name] = process
        return process

    def start_simulator(self, **script: Any) -> None:
        script_file = self.folder / "script.json"
        script_file.write_text(json.dumps(script))
        process = self._spawn(
            "simulator",
            *(sys.executable, "-m", "gateways.simulator", "--port", "0", "--journal", str(self.journal)),
            *("--script", str(script_file)),
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        self.ports = json.loads(process.stdout.readline())

    def start_senders(self, name: str = "senders") -> None:
        self._start_worker(name, "senders", "8")

    def wait_until_ready(self, *names: str) -> None:
        """Workers take seconds to start, and far longer on a busy machine: that is not what a test measures."""
        for name in names:
            log = self.folder / f"{name}.log"
            wait_for(lambda log=log: b" ready." in log.read_bytes(), 300, self.read_logs)

    def start_ticks(self) -> None:
        """A worker for everything but sending, and the clock that rings it."""
        self._start_worker("worker", "urgent,default,bulk", "2")
        self._start_beat()

    def restart(self, name: str) -> None:
        """kill -9, and up again as a supervisor would."""
        self.signal(name, signal.SIGKILL)
        if name == "beat":
            self._start_beat()
        elif name == "worker":
            self._start_worker("worker", "urgent,default,bulk", "2")
        else:
            self.start_senders(name)

    def _start_beat(self) -> None:
        clock = ("beat", "--pidfile=", "-s", str(self.folder / "beat.db"), "-l", "WARNING")
        self._spawn("beat", sys.executable, "-m", "celery", "-A", "smsplatform", *clock)

    def _start_worker(self, name: str, queues: str, threads: str) -> None:
        options = ("-Q", queues, "-P", "threads", "-c", threads, "-n", f"{name}@%h", "-l", "INFO")
        quiet = ("--without-mingle", "--without-gossip")
        self._spawn(name, sys.executable, "-m", "celery", "-A", "smsplatform", "worker", *options, *quiet)

    def signal(self, name: str, number: int) -> None:
        process = self.processes[name]
        process.send_signal(number)
        if number in (signal.SIGKILL, signal.SIGTERM):
            process.wait(60)

    def end(self, name: str) -> None:
        self.signal(name, signal.SIGTERM)

    def close(self) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait(10)

    def make_account(self, **fields: Any) -> GatewayAccount:
        settings = {"host": "127.0.0.1", "port": self.ports["port"], "system_id": "peyk", "send_token": True}
        with platform_scope(reason="test"):
            account = GatewayAccount(name="Simulator", adapter="smpp", settings=settings, **fields)
            account.save()
        return account

    def change_script(self, **script: Any) -> None:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.ports['control_port']}/script", json.dumps(script).encode(), method="POST"
        )
        urllib.request.urlopen(request, timeout=10).close()

    def count_submits(self) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['control_port']}/journal", timeout=10) as answer:
            return int(json.load(answer)["submits"])

    def read_logs(self) -> str:
        logs = (f"--- {path.name}\n{path.read_text(errors='replace')[-4000:]}" for path in self.folder.glob("*.log"))
        return "\n".join(logs)


def read_run_state(run: SendRun) -> str:
    with tenant_scope(run.tenant_id):
        return str(SendRun.objects.values_list("state", flat=True).get(pk=run.pk))


def find_violations(house: House) -> list[Violation]:
    with platform_scope(reason="test"):
        return check_engine(house.journal)


def wait_for(what: Callable[[], Any], seconds: float, why: Callable[[], str] = str) -> float:
    """Seconds it took."""
    began = time.monotonic()
    while not what():
        if time.monotonic() - began > seconds:
            raise AssertionError(f"not within {seconds} s: {why()}")
        time.sleep(0.1)
    return time.monotonic() - began
