"""The application's processes, in the order they start. The two servers below them: postgres.py and valkey.py."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from devtools.ports import answers_http, is_open, pick_port
from devtools.stack import Stack
from devtools.supervisor import Process

#  name       what it runs                                          why it is a process of its own
#  simulator  python -m gateways.simulator                          plays the operators: SMPP port, control port
#  web        gunicorn smsplatform.wsgi                             the panel, exports
#  worker     celery worker -Q default,bulk -P prefork              imports, snapshots
#  urgent     celery worker -Q urgent -P threads                    doorbells, receipts, sweeps: never behind an import
#  senders    celery worker -Q senders -P threads                   sender slots: they hold the SMPP sessions
#  beat       celery beat                                           the fixed ticks
ALL = ("simulator", "web", "worker", "urgent", "senders", "beat")

CELERY = ("-m", "celery", "-A", "smsplatform")
QUIET = ("--without-mingle", "--without-gossip")
PREFERRED_WEB_PORT = 8000


def choose_ports(stack: Stack, web_port: int = PREFERRED_WEB_PORT) -> None:
    """Picks the application's ports and tells every process where the simulator and the panel are."""
    smpp, control, providers = pick_port(), pick_port(), pick_port()
    stack.ports |= {"smpp": smpp, "control": control, "providers": providers, "web": pick_port(web_port)}
    # Links in e-mails lead to where the panel really is, unless the person has named its address.
    stack.environment.setdefault("PUBLIC_URL", f"http://127.0.0.1:{stack.ports['web']}")
    stack.environment |= {
        "SIMULATOR_SMPP_PORT": str(smpp),
        "SIMULATOR_HTTP_URL": f"http://127.0.0.1:{providers}",
        "SIMULATOR_CONTROL_URL": f"http://127.0.0.1:{control}",
        "SIMULATOR_JOURNAL": str(stack.place.work / "simulator.journal"),
    }


def application(stack: Stack, names: Iterable[str] = ALL) -> list[Process]:
    """Rows of the process table for the given names, ready for the supervisor."""
    wanted = set(names)
    return [process for process in _table(stack) if process.name in wanted]


def _table(stack: Stack) -> list[Process]:
    ports, environment = stack.ports, stack.environment
    python = sys.executable

    def row(name: str, *command: str, ready: Callable[[], bool] | None, stop_seconds: float = 10.0) -> Process:
        return Process(name, [python, *command], environment, ready=ready, stop_seconds=stop_seconds)

    def celery(name: str, *options: str) -> Process:
        command = (*CELERY, "worker", "-n", f"{name}@%h", "-l", "INFO", *options, *QUIET)
        return row(name, *command, ready=says(stack.supervisor.log_path(name), b" ready."))

    return [
        row(
            "simulator",
            *("-m", "gateways.simulator", "--port", str(ports["smpp"]), "--control-port", str(ports["control"])),
            *("--http-port", str(ports["providers"])),
            *("--journal", environment["SIMULATOR_JOURNAL"], "--script", "gateways/simulator/demo.json"),
            ready=lambda: is_open(ports["smpp"]) and is_open(ports["control"]),
        ),
        row(
            "web",
            *("-m", "gunicorn", "smsplatform.wsgi", "--bind", f"127.0.0.1:{ports['web']}"),
            # Threads: browsers open connections ahead and keep them, each would hold a sync worker.
            *("--worker-class", "gthread", "--workers", "2", "--threads", "8", "--preload"),
            *("--graceful-timeout", "3", "--no-control-socket", *_heartbeat_folder()),
            ready=lambda: answers_http(f"http://127.0.0.1:{ports['web']}/"),
        ),
        celery("worker", "-Q", "default,bulk", "-P", "prefork", "-c", "2"),
        celery("urgent", "-Q", "urgent", "-P", "threads", "-c", "4"),
        celery("senders", "-Q", "senders", "-P", "threads", "-c", "8"),
        row("beat", *CELERY, "beat", "--pidfile=", "-s", str(stack.place.work / "beat.db"), ready=None),
    ]


def _heartbeat_folder() -> tuple[str, ...]:
    """gunicorn's workers touch a file every second; on a busy disk that blocks."""
    return ("--worker-tmp-dir", "/dev/shm") if os.access("/dev/shm", os.W_OK) else ()


def says(log: Path, text: bytes) -> Callable[[], bool]:
    """Ready when the log contains the text, counted from now: the file is kept between runs."""
    start = log.stat().st_size if log.exists() else 0

    def has_said() -> bool:
        if not log.exists():
            return False
        with open(log, "rb") as handle:
            handle.seek(start)
            return text in handle.read()

    return has_said
