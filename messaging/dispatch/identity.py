"""Names of sender workers that tell, on the same machine, whether the process behind one still lives.

A lease of a process that is proven dead need not run out: after a crash the supervisor's next worker goes on at once.
Anything that cannot be proven (another machine, another container, a new start of the machine) waits for the lease.
"""

import os
import socket
from pathlib import Path

PREFIX = "senders"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def name_this_process() -> str:
    """senders.<host>.<boot>-<pid namespace>.<pid>.<start>, also the name of the worker's own queue."""
    return ".".join([PREFIX, socket.gethostname()[:60], _system(), str(os.getpid()), _start_of(os.getpid())])


def is_proven_dead(worker: str) -> bool:
    """True if the worker ran here, where we would see it, and is gone (or its pid belongs to another process now)."""
    try:
        prefix, rest = worker.split(".", 1)
        host, system, pid, start = rest.rsplit(".", 3)  # host names may hold dots
    except ValueError:
        return False
    if prefix != PREFIX or host != socket.gethostname()[:60] or not system or system != _system():
        return False
    return _start_of(int(pid)) != start


def _system() -> str:
    """Where processes of the same number are the same process: this boot of this machine (copies of a machine share its
    name, and outside containers every machine has the same number of namespace), and the number of the pid namespace.
    "" where the system does not show them, and then nothing is ever proven."""
    try:
        return f"{BOOT_ID.read_text().strip()[:8]}-{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return ""


def _start_of(pid: int) -> str:
    """Start time of a process in clock ticks since boot; "" if there is no such process (a zombie is none)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return ""
    return "" if fields[0] in ("Z", "X") else fields[19]
