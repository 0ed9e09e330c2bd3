"""Free ports on 127.0.0.1 and questions about who answers there."""

from __future__ import annotations

import contextlib
import os
import socket
import urllib.error
import urllib.request
from pathlib import Path

PROC = Path("/proc")


def pick_port(preferred: int = 0) -> int:
    """The preferred port if nothing uses it, else one the system hands out."""
    for wanted in {preferred: None, 0: None}:
        port = _try_port(wanted)
        if port:
            return port
    raise OSError("no free port on 127.0.0.1")


def is_free(port: int) -> bool:
    return _try_port(port) is not None


def _try_port(port: int) -> int | None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return None
        return int(probe.getsockname()[1])


def describe_holder(port: int) -> str:
    """Who listens on a port, e.g. "pid 4711, gunicorn, in /home/ayse/peyk"; "" where the system does not tell.

    Linux only, and only processes of this user (root sees all): elsewhere the answer is "".
    """
    inodes = _list_listening(port)
    if not inodes:
        return ""
    holders = sorted(pid for pid in _list_processes() if inodes & _list_sockets(pid))
    for pid in holders[:1]:  # workers share their parent's socket; the parent has the lowest number
        return f"pid {pid}, {_read_name(pid)}, in {_read_folder(pid)}"
    return ""


def _list_listening(port: int) -> set[str]:
    """Inodes of the sockets that listen on the port (proc(5): state 0A)."""
    found = set()
    for table in (PROC / "net" / "tcp", PROC / "net" / "tcp6"):
        try:
            rows = [line.split() for line in table.read_text().splitlines()[1:]]
        except OSError:
            continue
        found |= {row[9] for row in rows if row[3] == "0A" and int(row[1].rsplit(":", 1)[1], 16) == port}
    return found


def _list_processes() -> list[int]:
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]


def _list_sockets(pid: int) -> set[str]:
    found = set()
    try:
        for handle in (PROC / str(pid) / "fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile, as the folder that is being read
                target = os.readlink(handle)
                if target.startswith("socket:["):
                    found.add(target[len("socket:[") : -1])
    except OSError:  # somebody else's process, or it is gone
        return set()
    return found


def _read_name(pid: int) -> str:
    try:
        words = (PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return "?"
    names = [Path(word).name for word in words if word]
    # "python -m gunicorn …" is known by its module.
    return names[2] if len(names) > 2 and names[1] == "-m" else names[0] if names else "?"


def _read_folder(pid: int) -> str:
    try:
        return os.readlink(PROC / str(pid) / "cwd")
    except OSError:
        return "?"


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def answers_http(url: str) -> bool:
    """True if the address answers with anything but a server error."""
    try:
        with urllib.request.urlopen(url, timeout=10) as response:
            return response.status < 500
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False
