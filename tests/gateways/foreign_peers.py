"""Message centres and clients nobody here wrote, as processes: orders in, what they saw out, as JSON lines.

They are installed by ``./dev crosstest`` (see ``devtools/foreign.py``); their scripts are in ``tests/foreign``.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from devtools.foreign import FOREIGN, SOURCES, fingerprint
from smscore.parts import DecodedPart, decode_part

PEERS = ("node", "twisted")
SYSTEM_ID = "peyk"


def is_installed(peer: str) -> bool:
    stamp = FOREIGN / peer / "stamp"
    return stamp.exists() and stamp.read_text() == fingerprint(peer)


def command(peer: str, role: str, options: dict[str, Any]) -> tuple[list[str], dict[str, str]]:
    """(command line, environment) of a peer's `centre` or `client`."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(FOREIGN)}
    if peer == "node":
        modules = {"NODE_PATH": str(FOREIGN / "node" / "node_modules")}
        return ["node", str(SOURCES / "node" / f"{role}.js"), json.dumps(options)], environment | modules
    python = FOREIGN / "twisted" / "venv" / "bin" / "python"
    return [str(python), str(SOURCES / "twisted" / f"{role}.py"), json.dumps(options)], environment


class ForeignCentre:
    """What a running centre told: binds, submits (as it read them) and the answers to what it delivered."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self.port = port
        self.binds: list[str] = []
        self.submits: list[dict[str, Any]] = []
        self.receipt_answers: list[Any] = []
        self.inbound_answers: list[Any] = []
        self.errors: list[str] = []

    async def listen(self) -> None:
        assert self._process.stdout is not None
        places = {
            "bind": self.binds,
            "submit": self.submits,
            "receipt_answer": self.receipt_answers,
            "inbound_answer": self.inbound_answers,
            "error": self.errors,
        }
        async for line in self._process.stdout:
            if not line.startswith(b"{"):
                continue  # smpp.pdu prints letters while it reads a relative time
            for kind, value in json.loads(line).items():
                places[kind].append(value)

    def deliver(self, **order: Any) -> None:
        """Have it send a message from a handset to whoever receives."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"deliver": order}).encode() + b"\n")


@asynccontextmanager
async def foreign_centre(peer: str, **options: Any) -> AsyncIterator[ForeignCentre]:
    values = {"answer_ids": "dec", "receipt_ids": "dec", "receipt_form": "both", **options}
    line, environment = command(peer, "centre", values)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*line, stdin=pipe, stdout=pipe, env=environment, limit=2**20)
    assert process.stdout is not None and process.stdin is not None
    ready = json.loads(await process.stdout.readline())
    centre = ForeignCentre(process, ready["port"])
    listening = asyncio.create_task(centre.listen())
    try:
        yield centre
    finally:
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 3)
        except TimeoutError:
            process.kill()
            await process.wait()
        await listening


async def run_foreign_client(peer: str, **job: Any) -> dict[str, Any]:
    """What a client told at its end: binds, answers in order of the messages, receipts, inbound messages."""
    line, environment = command(peer, "client", job)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*line, stdout=pipe, env=environment, limit=2**20)
    try:
        octets, _ = await asyncio.wait_for(process.communicate(), 15)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    told: dict[str, Any] = json.loads(octets.splitlines()[-1])
    assert "error" not in told, told
    told["answers"].sort(key=lambda answer: answer["index"])
    return told


def read_part(seen: dict[str, Any]) -> DecodedPart:
    """A message as a peer saw it, its octets read by the tables of the specification; sar_* beside a header's place."""
    part = decode_part(bytes.fromhex(seen["octets"]), seen["data_coding"], seen["esm_class"])
    if seen["sar"]:
        reference, total, sequence = seen["sar"]
        part = part._replace(header=part.header._replace(reference=reference, total=total, sequence=sequence))
    return part
