"""The processes of an engine benchmark: simulator, sender workers, worker and beat, started as in production."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from .machines import Machine

ROOT = Path(__file__).resolve().parent.parent.parent
READY_SECONDS = 90.0
STOP_SECONDS = 15.0
CELERY = ("-m", "celery", "-A", "smsplatform")
NO_WORKERS = frozenset({"simulator", "beat", "floor", "provider"})
QUIET = ("--without-mingle", "--without-gossip", "-l", "WARNING")


class Processes:
    """Use as a context manager; whatever was started ends with the block. Logs lie in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = folder / "journal"
        self.pids: dict[str, int] = {}
        self._children: list[subprocess.Popen[Any]] = []
        self._control_port = 0
        self._ended: set[str] = set()

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        for child in reversed(self._children):
            child.send_signal(signal.SIGTERM)
        for child in reversed(self._children):
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(STOP_SECONDS)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()

    def start_simulator(self, script: dict[str, Any]) -> int:
        """The SMPP port of a fresh message centre."""
        path = self.folder / "script.json"
        path.write_text(json.dumps(script))
        child = self._start(
            "simulator",
            *("-m", "gateways.simulator", "--port", "0", "--script", str(path), "--journal", str(self.journal)),
            stdout=subprocess.PIPE,
        )
        assert child.stdout is not None
        ports = json.loads(child.stdout.readline())
        self._control_port = ports["control_port"]
        return int(ports["port"])

    def start_bulk_double(self, name: str, journal: Path, delay: float) -> int:
        """The port of a bare HTTP provider of this name (`bulk_double.py`)."""
        command = ("-m", "bench.rig.bulk_double", "--journal", str(journal), "--delay", str(delay))
        child = self._start(name, *command, stdout=subprocess.PIPE)
        assert child.stdout is not None
        return int(json.loads(child.stdout.readline())["port"])

    def read_centre(self) -> dict[str, Any]:
        """The simulator's counts, duplicates included."""
        with urlopen(f"http://127.0.0.1:{self._control_port}/journal?duplicates=1") as answer:
            figures: dict[str, Any] = json.load(answer)
        return figures

    def start_senders(self, count: int, threads: int = 4) -> None:
        for number in range(count):
            self._start_celery(f"senders{number}", "-Q", "senders", "-P", "threads", "-c", str(threads))

    def start_senders_on(self, machine: Machine, slots: int) -> None:
        """One sender process on a machine of its own."""
        self._start_celery(machine.name, "-Q", "senders", "-P", "threads", "-c", str(slots + 2), within=machine.enter())

    def kill(self, name: str) -> None:
        """kill -9 of the process and all below it; `check` no longer minds."""
        index = [*self.pids].index(name)
        os.killpg(self._children[index].pid, signal.SIGKILL)
        self._children[index].wait()
        self._ended.add(name)

    def start_workers(self) -> None:
        """The workers of the other queues, and beat with its ticks."""
        self._start_celery("worker", "-Q", "default,bulk", "-P", "prefork", "-c", "2")
        self._start_celery("urgent", "-Q", "urgent", "-P", "threads", "-c", "4")
        self._start("beat", *CELERY, "beat", "--pidfile=", "-s", str(self.folder / "beat.db"), "-l", "WARNING")

    def wait(self) -> None:
        """Until every Celery worker started so far answers."""
        from smsplatform.celery import app

        wanted = {name for name in self.pids if name not in NO_WORKERS}
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            self.check()
            answers = app.control.inspect(timeout=1.0).ping() or {}
            if wanted <= {name.split("@")[0] for name in answers}:
                return
        raise RuntimeError(f"workers did not start: {self.folder}")

    def check(self) -> None:
        """Raises RuntimeError if one of them has ended."""
        for name, child in zip(self.pids, self._children, strict=True):
            if name not in self._ended and child.poll() is not None:
                raise RuntimeError(f"{name} ended with {child.returncode}: {self._log(name).read_text()[-2000:]}")

    def _start_celery(self, name: str, *options: str, within: tuple[str, ...] = ()) -> None:
        self._start(name, *CELERY, "worker", "-n", f"{name}@bench", *options, *QUIET, within=within)

    def _start(
        self, name: str, *command: str, stdout: int | None = None, within: tuple[str, ...] = ()
    ) -> subprocess.Popen[Any]:
        with self._log(name).open("wb") as log:
            child = subprocess.Popen(
                [*within, sys.executable, *command],
                cwd=ROOT,
                stdout=stdout or log,
                stderr=log,
                start_new_session=True,
            )
        self._children.append(child)
        self.pids[name] = child.pid
        return child

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"
