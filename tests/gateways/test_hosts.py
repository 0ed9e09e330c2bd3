"""A tenant's own connection must not reach into our network, by whatever spelling."""

import asyncio
import socket

import httpcore
import pytest

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

    async def scenario() -> str:
        async def getaddrinfo(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answers]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
        return await find_public_address("smsc.example.com", 2775)

    answers[:] = ["8.8.8.8", "8.8.4.4"]
    assert asyncio.run(scenario()) == "8.8.8.8"
    answers[:] = ["8.8.8.8", "10.0.0.1"]
    with pytest.raises(ForbiddenHost):
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
