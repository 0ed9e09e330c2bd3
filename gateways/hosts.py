"""Where a connection that a tenant entered may lead: to public addresses only, never into our own network.

The check is made on the address that is then connected to, so that a name cannot point elsewhere a moment later.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

import httpcore

from gateways.findings import ForbiddenHost

_NAT64 = IPv6Network("64:ff9b::/96")
_LOCAL_NAMES = ("localhost", "localhost.localdomain")
_LOCAL_ENDINGS = (".localhost", ".local", ".internal")
MOST_LOOKUPS = 16
FAILURE_SECONDS = 10.0
"""For so long a name that was not found is not looked up again."""


def is_public_address(text: str) -> bool:
    """False for private, loopback, link-local, shared, multicast and reserved addresses, also wrapped in IPv6."""
    address: IPv4Address | IPv6Address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            address = inner
        elif address.teredo is not None:
            return False
    return address.is_global and not address.is_multicast


def looks_public(host: str) -> bool:
    """What can be said of a host without asking the network: for forms. Names may still resolve to something else."""
    name = host.strip().strip("[]").rstrip(".").lower()
    try:
        return is_public_address(name)
    except ValueError:
        pass
    try:  # 127.1, 0x7f000001, 2130706433: what the C library also takes for an address
        return is_public_address(socket.inet_ntoa(socket.inet_aton(name)))
    except OSError:
        return name not in _LOCAL_NAMES and not name.endswith(_LOCAL_ENDINGS)


class NameLookups:
    """Names that tenants chose, looked up in threads of their own: a timeout ends the wait, not the look-up, and name
    servers that never answer would hold every thread of the event loop. One look-up of a name at a time, whoever
    asks."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(MOST_LOOKUPS, thread_name_prefix="names")
        self._lock = threading.Lock()
        self._running: dict[str, Future[list[str]]] = {}
        self._failed: dict[str, tuple[float, OSError]] = {}  # until when, why

    async def find(self, host: str) -> list[str]:
        """The addresses of the host. Raises OSError if there are none."""
        own: Future[list[str]] = Future()  # so that who stops waiting does not end it for the others
        self._start(host).add_done_callback(partial(_hand_on, own))
        return await asyncio.wrap_future(own)

    def _start(self, host: str) -> Future[list[str]]:
        with self._lock:
            now = time.monotonic()
            self._failed = {name: known for name, known in self._failed.items() if known[0] > now}
            if host in self._failed:
                raise socket.gaierror(*self._failed[host][1].args)
            if host not in self._running:
                self._running[host] = self._threads.submit(self._look_up, host)
            return self._running[host]

    def _look_up(self, host: str) -> list[str]:
        failure: OSError | None = None
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            return [str(entry[4][0]) for entry in found]
        except OSError as error:
            failure = error
            raise
        finally:
            with self._lock:
                self._running.pop(host, None)
                if failure is not None:
                    self._failed[host] = time.monotonic() + FAILURE_SECONDS, failure


def _hand_on(own: Future[list[str]], done: Future[list[str]]) -> None:
    if not own.set_running_or_notify_cancel():
        return
    error = done.exception()
    if error is None:
        own.set_result(done.result())
    else:
        own.set_exception(error)


_lookups = NameLookups()


async def find_public_address(host: str) -> str:
    """The address to connect to. Raises ForbiddenHost if any address of the host is not public, OSError without any."""
    addresses = await _lookups.find(host)
    if not addresses:
        raise socket.gaierror(f"no address for {host}")
    if not all(is_public_address(address) for address in addresses):
        raise ForbiddenHost("the host leads into a private network")
    return addresses[0]


class PublicBackend(httpcore.AsyncNetworkBackend):
    """For an HTTP client: connects to public addresses only. TLS still checks the name of the URL."""

    def __init__(self) -> None:
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                address = await find_public_address(host)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("name resolution") from error
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        return await self._backend.connect_tcp(address, port, timeout, local_address, socket_options)

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        raise httpcore.ConnectError("a public address is expected")

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)
