"""Worker machines, simulated: each a network namespace with a cable to the hub, a host name and a share of a core.

The hub is this machine: PostgreSQL, Valkey and the operator simulator listen on its 127.0.0.1 and nowhere else. Inside
a namespace 127.0.0.1 leads over the cable, so every byte between a worker and its servers crosses a network interface,
and taking the cable out is what a network failure is. Linux, root and iproute2 are needed; nothing outlives `close`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

CONTROL_GROUP = Path("/sys/fs/cgroup/cpu")
PERIOD_MICROSECONDS = 20_000
GROUP_SECONDS = 10.0
NETWORK = "10.213.77"
HUB_ROUTED = Path("/proc/sys/net/ipv4/conf")


class NoMachines(RuntimeError):
    """This system cannot simulate machines; the message says what is missing."""


def require_machines() -> None:
    """Raises NoMachines."""
    if os.geteuid() != 0:
        raise NoMachines("simulating machines needs root: network namespaces")
    for program in ("ip", "unshare", "nsenter"):
        if not shutil.which(program):
            raise NoMachines(f"simulating machines needs the program {program} (iproute2, util-linux)")
    if not CONTROL_GROUP.is_dir():
        raise NoMachines("simulating machines needs the cpu control group (version 1)")


class Machine:
    """One worker machine. `cores` is how much of a core all its processes together may use."""

    def __init__(self, number: int, cores: float) -> None:
        self.name = f"machine{number}"
        self.cores = cores
        self._space = f"peyk{os.getpid()}-{number}"
        self._cable = f"peyk{os.getpid() % 100_000}h{number}"
        self._own_end = f"peyk{os.getpid() % 100_000}m{number}"
        self._hub, self._own = f"{NETWORK}.{4 * number + 1}", f"{NETWORK}.{4 * number + 2}"
        self._group = CONTROL_GROUP / self._space
        self._is_open = False

    @property
    def address(self) -> str:
        """What the hub's servers see it as."""
        return self._own

    def open(self) -> None:
        self._is_open = True
        _ip("netns", "add", self._space)
        _ip("link", "add", self._cable, "type", "veth", "peer", "name", self._own_end)
        _ip("link", "set", self._own_end, "netns", self._space)
        _ip("addr", "add", f"{self._hub}/30", "dev", self._cable)
        _ip("link", "set", self._cable, "up")
        # Packets for 127.0.0.1 are answered on this cable, and on no other.
        (HUB_ROUTED / self._cable / "route_localnet").write_text("1")
        inside = ("netns", "exec", self._space)
        _ip(*inside, "ip", "addr", "add", f"{self._own}/30", "dev", self._own_end)
        _ip(*inside, "ip", "link", "set", self._own_end, "up")
        _ip(*inside, "sh", "-c", f"echo 1 > {HUB_ROUTED / self._own_end / 'route_localnet'}")
        _ip(*inside, "ip", "route", "add", "127.0.0.1/32", "via", self._hub, "dev", self._own_end, "src", self._own)
        self._group.mkdir()
        (self._group / "cpu.cfs_period_us").write_text(str(PERIOD_MICROSECONDS))
        (self._group / "cpu.cfs_quota_us").write_text(str(round(PERIOD_MICROSECONDS * self.cores)))

    def enter(self) -> tuple[str, ...]:
        """What goes before a command so that it runs on this machine: its network, its host name, its processes."""
        limited = ("sh", "-c", f'echo $$ > {self._group}/cgroup.procs && exec "$@"', "sh")
        apart = ("unshare", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc")
        named = ("sh", "-c", f'hostname {self.name} && exec "$@"', "sh")
        return (*limited, "ip", "netns", "exec", self._space, *apart, *named)

    def pull_cable(self) -> None:
        """From now on not a packet gets in or out; nobody is told."""
        _ip("link", "set", self._cable, "down")

    def plug_in(self) -> None:
        """The cable is back, and the way to the hub with it."""
        _ip("link", "set", self._cable, "up")

    def close(self) -> None:
        """After its processes have ended. Harmless if it was never opened."""
        if not self._is_open:
            return
        subprocess.run(["ip", "link", "del", self._cable], check=False, capture_output=True)
        subprocess.run(["ip", "netns", "del", self._space], check=False, capture_output=True)
        self._is_open = False
        deadline = time.monotonic() + GROUP_SECONDS
        while self._group.exists():
            for pid in (self._group / "cgroup.procs").read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            with contextlib.suppress(OSError):  # busy as long as one of them is dying
                self._group.rmdir()
            if time.monotonic() > deadline:
                raise NoMachines(f"{self._group} does not empty")
            time.sleep(0.05)


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], check=False, capture_output=True, text=True)
    if done.returncode:
        raise NoMachines(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
