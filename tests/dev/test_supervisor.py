"""The supervisor with real processes: order, readiness, restart, and what a kill leaves behind (nothing)."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from devtools.environment import ROOT
from devtools.errors import DevError
from devtools.supervisor import Process, Supervisor

SLEEP = "import signal, sys, time; print('up', flush=True); time.sleep(60)"
# Writes its name when it is told to stop, so that the order of stopping can be read.
TELL = (
    "import signal, sys, time\n"
    "def end(*_):\n    open(sys.argv[1], 'a').write(sys.argv[2] + ' ')\n    sys.exit(0)\n"
    "signal.signal(signal.SIGTERM, end)\nopen(sys.argv[3], 'w').close()\ntime.sleep(60)\n"
)


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", code, *arguments]


def wait_until(condition, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def teller(name: str, folder: Path, *, is_essential: bool) -> Process:
    up = folder / f"{name}.up"
    command = python(TELL, str(folder / "order"), name, str(up))
    return Process(name, command, folder=folder, ready=up.exists, is_essential=is_essential)


def test_servers_stop_last_and_in_reverse_order(tmp_path):
    with Supervisor(tmp_path) as supervisor:
        supervisor.start(teller("database", tmp_path, is_essential=True))
        supervisor.start(teller("broker", tmp_path, is_essential=True))
        supervisor.start(teller("web", tmp_path, is_essential=False))
        assert set(supervisor.pids()) == {"database", "broker", "web"}
    assert (tmp_path / "order").read_text().split() == ["web", "broker", "database"]


def test_a_process_that_cannot_start_is_reported_with_its_log(tmp_path):
    process = Process("broken", python("raise SystemExit('no such port')"), folder=tmp_path, ready=lambda: False)
    with pytest.raises(DevError, match="no such port"), Supervisor(tmp_path) as supervisor:
        supervisor.start(process)


def test_a_process_that_falls_over_is_started_again(tmp_path, capsys):
    with Supervisor(tmp_path) as supervisor:
        supervisor.start(Process("worker", python(SLEEP), folder=tmp_path))
        first = supervisor.pids()["worker"]
        os.kill(first, signal.SIGKILL)
        wait_until(supervisor.check)
        assert supervisor.pids()["worker"] != first
        assert is_alive(supervisor.pids()["worker"])
    assert "worker ended (signal 9)" in capsys.readouterr().err


def test_the_end_of_a_server_ends_the_stack(tmp_path):
    process = Process("database", python(SLEEP), folder=tmp_path, is_essential=True)
    with pytest.raises(DevError, match="database ended"), Supervisor(tmp_path) as supervisor:
        supervisor.start(process)
        os.kill(supervisor.pids()["database"], signal.SIGKILL)
        wait_until(supervisor.check)


def test_a_process_that_ignores_the_signal_is_killed(tmp_path):
    stubborn = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    )
    with Supervisor(tmp_path) as supervisor:
        log = supervisor.log_path("stubborn")
        process = Process("stubborn", python(stubborn), folder=tmp_path, stop_seconds=0.2)
        process.ready = lambda: log.exists() and b"up" in log.read_bytes()
        supervisor.start(process)
        pid = supervisor.pids()["stubborn"]
    assert not is_alive(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
def test_children_die_with_a_killed_supervisor(tmp_path):
    program = (
        f"import sys, time; sys.path.insert(0, {str(ROOT)!r})\n"
        "from pathlib import Path\n"
        "from devtools.supervisor import Process, Supervisor\n"
        f"folder = Path({str(tmp_path)!r})\n"
        "with Supervisor(folder) as supervisor:\n"
        f"    supervisor.start(Process('child', {python(SLEEP)!r}, folder=folder))\n"
        "    print(supervisor.pids()['child'], flush=True)\n"
        "    time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    wait_until(lambda: (tmp_path / "child.log").read_text().startswith("up"))
    parent.kill()
    parent.wait()
    wait_until(lambda: not is_alive(pid))
