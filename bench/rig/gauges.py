"""CPU seconds, memory and WAL of a benchmark, by process. Linux: read from /proc."""

from __future__ import annotations

import os
import threading
from collections import Counter
from pathlib import Path
from typing import Any

TICKS = os.sysconf("SC_CLK_TCK")
SAMPLE_SECONDS = 0.2


class Gauges:
    """Between `start` and `stop`: CPU seconds by name, the largest resident memory by name, bytes of WAL.

    `machine`: shares of all cores' time that the benchmark took, that others took (among them its own starter), and
    that was idle. A process counts with its children. The database counts whole: postmaster, backends living and
    ended, its helpers.
    """

    def __init__(self, pids: dict[str, int]) -> None:
        self._pids = {**pids, "postgres": _find_postmaster()}
        self.peak_mb: dict[str, float] = {}
        self.cpu_seconds: dict[str, float] = {}
        self.wal_bytes = 0
        self.timeline: list[float] = []
        self.machine: dict[str, float] = {}
        self._stopping = threading.Event()
        self._watch = threading.Thread(target=self._sample, daemon=True)

    def start(self) -> None:
        self._machine_before = _read_machine()
        self._cpu_before = {name: _cpu_seconds(pid) for name, pid in self._pids.items()}
        self._wal_before = _read_wal()
        self._watch.start()

    def stop(self) -> None:
        after = {name: _cpu_seconds(pid) for name, pid in self._pids.items()}
        self.cpu_seconds = {name: round(after[name] - self._cpu_before[name], 2) for name in after}
        self.wal_bytes = _read_wal() - self._wal_before
        busy, total = (after - before for after, before in zip(_read_machine(), self._machine_before, strict=True))
        own = sum(self.cpu_seconds.values())
        self.machine = {
            "own": round(own / total, 2),
            "others": round(max(0.0, busy - own) / total, 2),
            "idle": round((total - busy) / total, 2),
        }
        self._stopping.set()
        self._watch.join()

    def report(self, messages: int) -> dict[str, Any]:
        """The figures of a benchmark that handled so many messages."""
        total = sum(self.cpu_seconds.values())
        return {
            "cpu_seconds_per_million": {
                name: round(seconds / messages * 1e6, 1) for name, seconds in self.cpu_seconds.items()
            },
            "cpu_seconds_per_million_total": round(total / messages * 1e6, 1),
            "machine": self.machine,
            "peak_mb": {name: round(size) for name, size in self.peak_mb.items()},
            "memory_growth_mb": self.memory_growth,
            "wal_bytes_per_message": round(self.wal_bytes / messages),
        }

    def _sample(self) -> None:
        while not self._stopping.wait(SAMPLE_SECONDS):
            for name, pid in self._pids.items():
                if name != "postgres":  # its shared pages would count once per backend
                    used = _resident_mb(pid)
                    self.peak_mb[name] = max(self.peak_mb.get(name, 0.0), used)
            self.timeline.append(sum(_resident_mb(pid) for name, pid in self._pids.items() if name != "postgres"))

    @property
    def memory_growth(self) -> float:
        """MB by which our processes grew from the second quarter to the last: about 0 where memory is flat."""
        quarter = len(self.timeline) // 4
        if not quarter:
            return 0.0
        return round(max(self.timeline[-quarter:]) - max(self.timeline[quarter : 2 * quarter]), 1)


def _read_machine() -> tuple[float, float]:
    """(busy, total) seconds of all cores together since boot."""
    ticks = [int(value) for value in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / TICKS, sum(ticks) / TICKS


def _find_postmaster() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    return int(_fields(backend)[1])


def _read_wal() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')")
        (position,) = cursor.fetchone()
    return int(position)


def _cpu_seconds(pid: int) -> float:
    """Of a process and all below it, ended ones included as far as somebody waited for them."""
    family = {pid}
    parents = _read_parents()
    while True:
        grown = family | {child for child, parent in parents.items() if parent in family}
        if grown == family:
            break
        family = grown
    total: Counter[str] = Counter()
    for member in family:
        try:
            fields = _fields(member)
        except (OSError, IndexError):
            continue
        total["ticks"] += sum(int(value) for value in fields[11:15])  # utime, stime, and of waited-for children
    return total["ticks"] / TICKS


def _read_parents() -> dict[int, int]:
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                parents[int(entry)] = int(_fields(int(entry))[1])
            except (OSError, IndexError):
                continue
    return parents


def _fields(pid: int) -> list[str]:
    """Of /proc/PID/stat behind the name: state, parent, …"""
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()


def _resident_mb(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
