"""Kannel, the C gateway, as a client of our simulator. Runs where it is installed (Debian: apt-get install kannel).

Texts go in over Kannel's own HTTP interface and are split by it; receipts and messages from handsets come out as its
calls to our little web server.
"""

import asyncio
import re
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from gateways.simulator.centre import Centre
from tests.gateways.peer_texts import NUMBER, TEXTS
from tests.gateways.wire_cases import run_in_real_time, running_centre, until

pytestmark = pytest.mark.skipif(
    not (shutil.which("bearerbox") and shutil.which("smsbox")),
    reason="Kannel is not installed (apt-get install kannel)",
)

CONFIG = """
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = secret
smsbox-port = {box}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
log-file = "{folder}/bearerbox.log"

{smscs}
group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {send}
sendsms-interface = 127.0.0.1
global-sender = PEYK
log-file = "{folder}/smsbox.log"
mo-recode = true

group = sendsms-user
username = peyk
password = secret
concatenation = true
max-messages = 10

group = sms-service
keyword = default
get-url = "http://127.0.0.1:{web}/mo?from=%p&to=%P&text=%b&charset=%C"
max-messages = 0
"""
SMSC = """
group = smsc
smsc = smpp
smsc-id = peyk
host = 127.0.0.1
smsc-username = kannel
smsc-password = secret
system-type = ""
{binds}
"""
# A transmitter and a receiver are two groups with one id.
MODES = {
    "transceiver": ["port = {smpp}\ntransceiver-mode = true"],
    "separate": ["port = {smpp}", "receive-port = {smpp}"],
}


class Kannel:
    """A running pair of boxes: `send` texts, read what they reported in `reports`."""

    def __init__(self, send_port: int) -> None:
        self._port = send_port
        self.web = 0
        self.reports: list[tuple[str, dict[str, str]]] = []

    async def send(self, **values: str) -> None:
        query = "&".join(f"{name}={value}" for name, value in values.items())
        status = await request(self._port, f"/cgi-bin/sendsms?username=peyk&password=secret&{query}")
        assert status == 202, status

    def of(self, kind: str) -> list[dict[str, str]]:
        return [values for path, values in self.reports if path == kind]

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        target = urlsplit(head.split(" ", 2)[1])
        charset = re.search(r"charset=([\w-]+)", target.query)
        values = parse_qs(target.query, keep_blank_values=True, encoding=charset[1] if charset else "utf-8")
        self.reports.append((target.path, {name: found[-1] for name, found in values.items()}))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()


async def request(port: int, target: str) -> int:
    """The status of a GET; 0 if nobody listens yet."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return 0
    writer.write(f"GET {target} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return int(answer.split(b" ", 2)[1])


def free_ports(count: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@asynccontextmanager
async def kannel(folder: Path, centre: Centre, smpp: int, mode: str) -> AsyncIterator[Kannel]:
    admin, box, send = free_ports(3)
    peer = Kannel(send)
    web = await asyncio.start_server(peer.take, "127.0.0.1", 0)
    peer.web = web.sockets[0].getsockname()[1]
    ports = {"admin": admin, "box": box, "send": send, "web": peer.web}
    config = folder / "kannel.conf"
    smscs = "".join(SMSC.format(binds=binds.format(smpp=smpp)) for binds in MODES[mode])
    config.write_text(CONFIG.format(folder=folder, smscs=smscs, **ports))
    quiet = {"stdout": asyncio.subprocess.DEVNULL, "stderr": asyncio.subprocess.DEVNULL}
    boxes: list[asyncio.subprocess.Process] = []
    try:
        boxes.append(await asyncio.create_subprocess_exec("bearerbox", "-v", "4", str(config), **quiet))
        await until(lambda: centre.get_figures()["binds"] == len(MODES[mode]))
        boxes.append(await asyncio.create_subprocess_exec("smsbox", "-v", "4", str(config), **quiet))
        while await request(send, "/cgi-bin/sendsms") == 0:
            await asyncio.sleep(0.05)
        yield peer
    finally:
        for process in reversed(boxes):
            if process.returncode is None:
                process.kill()
                await process.wait()
        web.close()


def with_kannel(folder: Path, mode: str, scenario: Callable[[Kannel, Centre], Any], **script: Any) -> None:
    async def whole() -> None:
        async with running_centre(**script) as (centre, port), kannel(folder, centre, port, mode) as peer:
            await scenario(peer, centre)

    run_in_real_time(whole(), 60.0)


# It has no national tables, and cuts surrogate pairs between parts: they are joined from octets.
SENT = {
    "plain": ("0", TEXTS["plain"].text),
    "long-gsm7": ("0", TEXTS["long-gsm7"].text),
    "escape-at-border": ("0", TEXTS["escape-at-border"].text),
    "all-escapes": ("0", TEXTS["all-escapes"].text),
    "turkish as UCS-2": ("2", TEXTS["long-turkish"].text),
    "long-ucs2": ("2", TEXTS["long-ucs2"].text),
    "emoji-at-border": ("2", TEXTS["emoji-at-border"].text),
    "every-low-octet": ("2", TEXTS["every-low-octet"].text),
}


@pytest.mark.parametrize("mode", MODES)
def test_kannel_sends_and_gets_receipts(tmp_path: Path, mode: str) -> None:
    async def scenario(peer: Kannel, centre: Centre) -> None:
        for n, (coding, text) in enumerate(SENT.values()):
            back = quote(f"http://127.0.0.1:{peer.web}/dlr?n={n}&state=%d", safe="")
            body = quote(text, safe="", encoding="utf-8")
            number = f"90532111{n:04d}"
            await peer.send(to=number, text=body, charset="UTF-8", coding=coding, **{"dlr-mask": "3", "dlr-url": back})
        await until(lambda: {v["n"] for v in peer.of("/dlr")} == {str(n) for n in range(len(SENT))})
        assert {v["state"] for v in peer.of("/dlr")} == {"1"}
        for n, (name, (_, text)) in enumerate(SENT.items()):
            (shown,) = centre.phones.list_messages(f"90532111{n:04d}")
            assert shown["text"] == text, name

    with_kannel(tmp_path, mode, scenario)


def test_kannel_hears_from_handsets_and_of_failures(tmp_path: Path) -> None:
    async def scenario(peer: Kannel, centre: Centre) -> None:
        back = quote(f"http://127.0.0.1:{peer.web}/dlr?state=%d", safe="")
        await peer.send(to="905321112207", text="Merhaba", **{"dlr-mask": "3", "dlr-url": back})
        texts = ["Merhaba [1]", "Привет", "Uzun bir cevap. " * 20]
        for text in texts:
            centre.send_mo(phone=NUMBER, recipient="4609", text=text, account="kannel")
        await until(lambda: len(peer.of("/mo")) == len(texts) and bool(peer.of("/dlr")))
        assert sorted(v["text"] for v in peer.of("/mo")) == sorted(texts)
        assert [v["state"] for v in peer.of("/dlr")] == ["2"]

    with_kannel(tmp_path, "transceiver", scenario, failures=[{"ending": "7"}])


def test_kannel_eight_bit_data(tmp_path: Path) -> None:
    every = bytes(range(256))
    halves = {NUMBER: every[:128], "905321112234": every[128:]}

    async def scenario(peer: Kannel, centre: Centre) -> None:
        for number, octets in halves.items():
            await peer.send(to=number, text=quote(octets, safe=""), coding="1")
        await until(lambda: len(centre.phones.list_messages("")) == 2)
        for number, octets in halves.items():
            assert [m["text"].encode("latin-1") for m in centre.phones.list_messages(number)] == [octets]

    with_kannel(tmp_path, "transceiver", scenario)
