"""Free ports on 127.0.0.1 and questions about who answers there."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request


def pick_port(preferred: int = 0) -> int:
    """The preferred port if nothing uses it, else one the system hands out."""
    for wanted in {preferred: None, 0: None}:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", wanted))
            except OSError:
                continue
            return probe.getsockname()[1]
    raise OSError("no free port on 127.0.0.1")


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
