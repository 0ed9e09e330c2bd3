"""What the processes of a benchmark used: everything that the supervisor started is below this process."""

import os
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_EVERY_SECONDS: Final = 0.5


class ProcessWatch:
    """CPU seconds and peak memory (MB, shared pages divided among their owners) by kind of process, while open.

    Kinds: "bench" (this process), "postgres" (its backends and helpers; no memory, most of it is shared buffers), and
    the first word that tells the rest apart, such as "worker" for the Celery worker of that name.
    """

    def __enter__(self) -> "ProcessWatch":
        self.peak_mb: dict[str, float] = {}
        self._kinds: dict[int, str] = {}
        self._before = self._read_cpu()
        self._busy_before, self._started = _read_busy(), time.perf_counter()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()
        after = self._read_cpu()
        busy, seconds = _read_busy() - self._busy_before, time.perf_counter() - self._started
        self.cpu_seconds = {kind: cpu - self._before.get(kind, 0.0) for kind, cpu in sorted(after.items())}
        self.cores_busy_by_others = max(busy - sum(self.cpu_seconds.values()), 0.0) / seconds

    def _watch(self) -> None:
        while not self._stop.wait(_EVERY_SECONDS):
            now: dict[str, float] = defaultdict(float)
            for pid, kind in self._list_processes():
                if kind != "postgres":
                    now[kind] += _read_memory(pid)
            for kind, megabytes in now.items():
                self.peak_mb[kind] = max(self.peak_mb.get(kind, 0.0), megabytes)

    def _read_cpu(self) -> dict[str, float]:
        """CPU seconds so far, those of children that have ended included."""
        sums: dict[str, float] = defaultdict(float)
        for pid, kind in self._list_processes():
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            sums[kind] += sum(int(ticks) for ticks in fields[11:15]) / _TICKS
        return sums

    def _list_processes(self) -> list[tuple[int, str]]:
        own = os.getpid()
        found = [(own, "bench")]
        waiting = _read_children(own)
        while waiting:
            pid = waiting.pop()
            waiting += _read_children(pid)
            if pid not in self._kinds:
                self._kinds[pid] = _name(pid)
            found.append((pid, self._kinds[pid]))
        return found


def _name(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
    except OSError:
        return "other"
    if "postgres" in words:
        return "postgres"
    return next((name for name in ("worker", "senders", "valkey", "redis", "simulator") if name in words), "other")


def _read_children(pid: int) -> list[int]:
    try:
        return [int(child) for path in Path(f"/proc/{pid}/task").iterdir() for child in _words(path / "children")]
    except OSError:
        return []


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []


def _read_memory(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


def _read_busy() -> float:
    """CPU seconds that all processes of the machine used since it started."""
    user, nice, system, _idle, _wait, irq, softirq = (
        int(ticks) for ticks in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:8]
    )
    return (user + nice + system + irq + softirq) / _TICKS
