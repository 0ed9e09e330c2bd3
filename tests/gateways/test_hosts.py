"""A tenant's own connection must not reach into our network, by whatever spelling."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import httpcore
import httpx
import pytest

from gateways import hosts
from gateways.base import NotSent
from gateways.findings import ForbiddenHost
from gateways.hosts import PublicBackend, find_public_address, is_public_address, looks_public
from gateways.registry import open_gateway


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "255.255.255.255", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "::ffff:10.0.0.1",
        "64:ff9b::a00:1", "2002:a00:1::1", "::",
    ],
)  # fmt: skip
def test_inner_addresses_are_not_public(address: str) -> None:
    assert not is_public_address(address)
    assert not looks_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "212.156.4.1", "2a00:1450:4017:800::200e", "::ffff:8.8.8.8"])
def test_outer_addresses_are_public(address: str) -> None:
    assert is_public_address(address)
    assert looks_public(f"[{address}]")


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST.", "db.internal", "printer.local", "127.1", "2130706433", "0x7f.1"]
)
def test_inner_names_are_seen_in_the_form(host: str) -> None:
    assert not looks_public(host)


def test_names_are_judged_by_every_address_they_have(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[str] = []

    def getaddrinfo(host: str, port: object, **_: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in answers]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    answers[:] = ["8.8.8.8", "8.8.4.4"]
    assert asyncio.run(find_public_address("smsc.example.com")) == "8.8.8.8"
    answers[:] = ["8.8.8.8", "10.0.0.1"]
    with pytest.raises(ForbiddenHost):
        asyncio.run(find_public_address("smsc.example.com"))


class NameServers:
    """Stand in for getaddrinfo: names below `.silent.example` get no answer until `open`."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.open = threading.Event()

    def __call__(self, host: str, port: object, *_: object, **__: object) -> list[tuple[object, ...]]:
        self.asked.append(host)
        if host.endswith(".silent.example"):
            self.open.wait(10)
            raise socket.gaierror(socket.EAI_AGAIN, "no answer")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 0))]


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServers]:
    servers = NameServers()
    monkeypatch.setattr(socket, "getaddrinfo", servers)
    monkeypatch.setattr(hosts, "_lookups", hosts.NameLookups())
    yield servers
    servers.open.set()


def test_name_servers_that_do_not_answer_hold_up_nothing_else(servers: NameServers) -> None:
    """Ten connections of tenants wait for dead names; the loop's own threads and another tenant's name are free."""

    async def give_up(number: int) -> None:
        with pytest.raises(httpcore.ConnectTimeout):
            await PublicBackend().connect_tcp(f"sms{number}.silent.example", 443, timeout=0.05)

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(2))
        await asyncio.gather(*(give_up(number) for number in range(10)))
        async with asyncio.timeout(2):
            assert await asyncio.to_thread(lambda: "a cursor") == "a cursor"
            assert await loop.getaddrinfo("platform.example", 443)
            assert await find_public_address("sms.example.com") == "8.8.8.8"
        servers.open.set()

    asyncio.run(scenario())


def test_a_name_is_looked_up_once_at_a_time_and_not_again_right_after_it_failed(
    servers: NameServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails() -> None:
        with pytest.raises(socket.gaierror, match="no answer"):
            await find_public_address("sms.silent.example")

    async def scenario() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await find_public_address("sms.silent.example")
        waiting = [asyncio.create_task(fails()) for _ in range(5)]
        await asyncio.sleep(0.02)
        servers.open.set()
        await asyncio.gather(*waiting)
        await fails()
        assert servers.asked == ["sms.silent.example"]
        later = time.monotonic() + hosts.FAILURE_SECONDS + 1
        monkeypatch.setattr(hosts, "time", SimpleNamespace(monotonic=lambda: later))
        await fails()
        assert len(servers.asked) == 2

    asyncio.run(scenario())


def test_an_http_client_with_the_backend_reaches_nothing_inside() -> None:
    async def scenario() -> None:
        async with httpcore.AsyncConnectionPool(network_backend=PublicBackend()) as pool:
            await pool.request("GET", "http://127.0.0.1:1/")

    with pytest.raises(httpcore.ConnectError, match="private"):
        asyncio.run(scenario())


ACCOUNTS = {
    "smpp": {"host": "127.0.0.1", "port": 1},
    "netgsm": {"base_url": "http://127.0.0.1:1", "username": "850", "password": "gizli"},
}


@pytest.mark.parametrize(("is_public", "finding"), [(True, "forbidden_host"), (False, "connection_refused")])
@pytest.mark.parametrize("slug", ACCOUNTS)
def test_a_guarded_account_goes_nowhere_inside(slug: str, is_public: bool, finding: str) -> None:
    async def scenario() -> str:
        gateway = open_gateway(slug, {**ACCOUNTS[slug], "public_only": is_public})
        return str((await gateway.check()).finding)

    assert asyncio.run(scenario()) == finding


def test_nothing_leaves_where_the_library_takes_no_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    """A later version may keep its back end under another name: then the guard would be off, and nobody told."""
    make = httpx.AsyncHTTPTransport

    def make_another(**options: Any) -> httpx.AsyncHTTPTransport:
        transport = make(**options)
        vars(transport._pool)["_backend"] = vars(transport._pool).pop("_network_backend")
        return transport

    monkeypatch.setattr(httpx, "AsyncHTTPTransport", make_another)
    gateway = open_gateway("netgsm", {**ACCOUNTS["netgsm"], "public_only": True})
    with pytest.raises(NotSent) as refused:
        asyncio.run(gateway.get_balance())
    assert refused.value.code == "RuntimeError"
