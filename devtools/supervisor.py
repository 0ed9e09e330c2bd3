"""Starts processes in order, waits until each is ready, restarts what falls over, stops in reverse order.

Every child has a session of its own, so Ctrl-C reaches only the supervisor, and is killed by the kernel if the
supervisor dies without stopping it. Single-threaded on purpose: the parent-death signal is tied to the thread that
started the child.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from devtools.environment import ROOT, say
from devtools.errors import DevError
from devtools.identity import Identity

LONGEST_LOG = 20_000_000  # bytes; a longer one is set aside at the next start
TRIES_AFTER_KILL = 20
LONGEST_PAUSE = 30.0  # seconds between two starts of a process that keeps falling over


@dataclass
class Process:
    """One row of the process table. `ready` is asked until it says yes; None means ready when started."""

    name: str
    command: list[str]
    environment: dict[str, str] | None = None
    folder: Path = ROOT
    ready: Callable[[], bool] | None = None
    ready_seconds: float = 60.0
    identity: Identity = field(default_factory=Identity)
    stop_signal: int = signal.SIGTERM
    death_signal: int = signal.SIGKILL
    stop_seconds: float = 10.0
    is_essential: bool = False  # its end is the end of the stack; others are started again


@dataclass
class _Child:
    process: Process
    popen: subprocess.Popen[bytes]
    started_at: float
    failures: int = 0
    restart_at: float = 0.0


class Supervisor:
    """Use as a context manager: whatever was started is stopped when the block ends, however it ends."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self.is_stopping = False
        self._children: list[_Child] = []
        self._old_handlers: dict[int, object] = {}

    def __enter__(self) -> Supervisor:
        for log in self.logs.glob("*.log"):
            if log.stat().st_size > LONGEST_LOG:
                log.replace(log.with_suffix(".log.old"))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
                continue  # started with nohup
            self._old_handlers[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        self.is_stopping = True
        self.stop()
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _on_signal(self, number: int, _: object) -> None:
        if self.is_stopping:  # asked twice: no more patience
            for child in self._children:
                _signal_group(child.popen, signal.SIGKILL)
            return
        self.is_stopping = True
        raise KeyboardInterrupt

    def start(self, *processes: Process) -> None:
        """Starts them together and returns when all are ready. Raises DevError with the log's end."""
        self.launch(*processes)
        for child in self._children[-len(processes) :] if processes else []:
            self._wait_until_ready(child)

    def launch(self, *processes: Process) -> None:
        """Starts them without waiting; wait() does that."""
        for process in processes:
            self._children.append(self._spawn(process))

    def kill_and_restart(self, name: str, between: Callable[[], object] | None = None) -> None:
        """kill -9, `between`, the same process anew; returns when it is ready. For fault tests."""
        child = next(child for child in self._children if child.process.name == name)
        child.popen.kill()
        child.popen.wait()
        if between is not None:
            between()
        for attempt in range(TRIES_AFTER_KILL):
            fresh = self._spawn(child.process)
            child.popen, child.started_at, child.restart_at = fresh.popen, fresh.started_at, 0.0
            try:
                self._wait_until_ready(child)
                return
            except DevError:  # PostgreSQL's orphans may still hold its memory
                if attempt == TRIES_AFTER_KILL - 1:
                    raise
                time.sleep(0.5)

    def wait(self) -> None:
        for child in self._children:
            self._wait_until_ready(child)

    def pids(self) -> dict[str, int]:
        """pid by name, for whoever wants to kill one (the fault tests do)."""
        return {child.process.name: child.popen.pid for child in self._children}

    def list_ended(self) -> list[str]:
        """Names of processes that are not running (and, unless check() is called, will not be)."""
        return [child.process.name for child in self._children if child.popen.poll() is not None]

    def log_path(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def check(self) -> bool:
        """One look at the children: starts again those that are due, True if there was one.

        Raises DevError when an essential process has ended.
        """
        now, restarted = time.monotonic(), False
        for child in self._children:
            if child.popen.poll() is None:
                continue
            if child.process.is_essential:
                raise DevError(f"{child.process.name} ended unexpectedly.\n{self._tail(child.process.name)}")
            if child.restart_at == 0.0:
                lived = now - child.started_at
                child.failures = 1 if lived > 60 else child.failures + 1
                pause = min(LONGEST_PAUSE, 2.0 ** (child.failures - 1))
                child.restart_at = now + pause
                say(f"{child.process.name} ended ({_how(child.popen.returncode)}); starting it again in {pause:.0f} s.")
            elif now >= child.restart_at:
                fresh = self._spawn(child.process)
                child.popen, child.started_at, child.restart_at = fresh.popen, now, 0.0
                restarted = True
        return restarted

    def stop(self) -> None:
        """Stops in reverse order, the application's processes together, the servers one by one after them."""
        application = [child for child in self._children if not child.process.is_essential]
        for group in (application, *([child] for child in reversed(self._children) if child not in application)):
            for child in reversed(group):
                _signal_one(child.popen, child.process.stop_signal)
            for child in reversed(group):
                try:
                    child.popen.wait(child.process.stop_seconds)
                except subprocess.TimeoutExpired:
                    say(f"{child.process.name} did not stop in {child.process.stop_seconds:.0f} s; killing it.")
                _signal_group(child.popen, signal.SIGKILL)  # also what it may have left behind
                child.popen.wait()
        self._children = []

    def _spawn(self, process: Process) -> _Child:
        command = process.identity.command(process.command, death_signal=process.death_signal, parent=os.getpid())
        with open(self.log_path(process.name), "ab") as log:
            popen = subprocess.Popen(
                command,
                cwd=process.folder,
                env=process.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return _Child(process, popen, time.monotonic())

    def _wait_until_ready(self, child: _Child) -> None:
        process = child.process
        deadline = child.started_at + process.ready_seconds
        while process.ready is not None and not process.ready():
            if child.popen.poll() is not None:
                how = _how(child.popen.returncode)
                raise DevError(f"{process.name} did not start ({how}).\n{self._tail(process.name)}")
            if time.monotonic() > deadline:
                raise DevError(
                    f"{process.name} is not ready after {process.ready_seconds:.0f} s.\n{self._tail(process.name)}"
                )
            time.sleep(0.03)

    def _tail(self, name: str, lines: int = 25) -> str:
        path = self.log_path(name)
        text = path.read_text(errors="replace") if path.exists() else ""
        return "\n".join([*text.splitlines()[-lines:], f"(all of it: {path})"])


def _how(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {-code}"


def _signal_one(popen: subprocess.Popen[bytes], number: int) -> None:
    if popen.poll() is None:
        popen.send_signal(number)


def _signal_group(popen: subprocess.Popen[bytes], number: int) -> None:
    """The child leads a session, so its pid names the group, also after its own end."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(popen.pid, number)
