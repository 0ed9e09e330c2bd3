"""The connection test of an SMPP account names what is wrong, whatever answers on that port."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest

from gateways.findings import Finding
from gateways.registry import open_gateway
from gateways.types import CheckResult
from tests.gateways.wire_cases import run, running_centre


def check(port: int, **settings: object) -> Awaitable[CheckResult]:
    return open_gateway("smpp", {"port": port, "system_id": "peyk", "password": "peyk", **settings}).check()


async def check_against(
    handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], **settings: object
) -> CheckResult:
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        return await check(server.sockets[0].getsockname()[1], **settings)
    finally:
        server.close()


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(100)
    writer.close()


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


async def speak_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(100)
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.mark.parametrize(
    ("script", "finding", "code"),
    [
        ({}, Finding.CONNECTED, ""),
        ({"accounts": {"peyk": "another"}}, Finding.LOGIN_REFUSED, "0x0000000e"),
        ({"bind_status": 0x05}, Finding.ALREADY_BOUND, "0x00000005"),
        ({"bind_status": 0x08}, Finding.REFUSED, "0x00000008"),
    ],
)
def test_a_message_centre(script: dict[str, object], finding: Finding, code: str) -> None:
    async def scenario() -> CheckResult:
        async with running_centre(**script) as (_, port):
            return await check(port)

    result = run(scenario())
    assert (result.ok, result.finding, result.code) == (finding is Finding.CONNECTED, finding, code)


@pytest.mark.parametrize(
    ("handle", "settings", "finding"),
    [
        (hang_up, {}, Finding.CLOSED),
        (say_nothing, {"bind_timeout": 0.2}, Finding.NO_ANSWER),
        (speak_http, {}, Finding.WRONG_PROTOCOL),
        (speak_http, {"tls": True}, Finding.TLS_FAILED),
        (say_nothing, {"tls": True, "connect_timeout": 0.2}, Finding.CONNECT_TIMEOUT),
    ],
)
def test_something_else(handle, settings: dict[str, object], finding: Finding) -> None:  # type: ignore[no-untyped-def]
    result = run(check_against(handle, **settings))
    assert (result.ok, result.finding) == (False, finding)


def test_nobody_listens() -> None:
    assert run(check(1)).finding is Finding.CONNECTION_REFUSED


def test_a_name_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> CheckResult:
        async def fail(*_: object, **__: object) -> list[object]:
            raise socket.gaierror(-2, "Name or service not known")

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", fail)
        return await check(2775, host="smsc.example.invalid")

    assert run(scenario()).finding is Finding.UNKNOWN_HOST
