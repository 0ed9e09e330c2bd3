"""A bare provider for benchmarks, as quick as can be: ``python -m bench.rig.bulk_double --journal FILE``.

Speaks the two calls of Netgsm's API that a campaign needs: ``send`` (as many messages a call as it is given, answered
after ``--delay`` seconds) and ``report`` (pages of 100). Before an answer leaves, the call's message identities (header
X-Peyk-Tokens) are in the journal, one line a call. Prints one JSON line with its port, then serves until SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

TOKENS = b"x-peyk-tokens:"
LENGTH = b"content-length:"
HEAD_END = b"\r\n\r\n"
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "


class BulkDouble:
    """What all connections share."""

    def __init__(self, journal: Path, delay: float) -> None:
        self.delay = delay
        self._journal = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._numbers = itertools.count(17_000_000_000)
        self._jobs: dict[str, list[str]] = {}

    def take(self, body: Any, tokens: bytes) -> bytes:
        """The answer to a send; what is in it is written down before."""
        messages = body["messages"]
        for message in messages:
            if len(message["no"]) != 10 or not message["msg"]:
                return write_reply({"code": "70", "jobid": None})
        job = str(next(self._numbers))
        self._jobs[job] = [message["no"] for message in messages]
        line = memoryview(tokens + b"\n")
        while line:
            line = line[os.write(self._journal, line) :]
        return write_reply({"code": "00", "jobid": job, "description": "queued"})

    def report(self, body: Any) -> bytes:
        """One page of receipts, all of them delivered."""
        size, page = int(body["pagesize"]), int(body["pagenumber"])
        rows = [(job, number) for job in body["jobids"] for number in self._jobs.get(job, ())]
        shown = rows[page * size : (page + 1) * size]
        if not shown:
            return write_reply({"code": "60"})
        return write_reply({"code": "00", "jobs": [_write_row(job, number) for job, number in shown]})


def _write_row(job: str, number: str) -> dict[str, Any]:
    return {
        "jobid": job, "number": f"90{number}", "status": 1, "operator": 30, "msglen": 1,
        "deliveredDate": "22.11.2026 12:00:00", "errorCode": 0, "referansID": None,
    }  # fmt: skip


def write_reply(value: Any) -> bytes:
    body = json.dumps(value).encode()
    return f"{HEAD}{len(body)}\r\n\r\n".encode() + body


class _Connection(asyncio.Protocol):
    def __init__(self, double: BulkDouble) -> None:
        self._double = double
        self._waiting = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        end = self._waiting.find(HEAD_END)
        if end < 0:
            return
        head = bytes(self._waiting[:end])
        size = int(_find_header(head, LENGTH) or 0)
        start = end + len(HEAD_END)
        if len(self._waiting) < start + size:
            return
        body = bytes(self._waiting[start : start + size])
        del self._waiting[: start + size]
        self._answer(head, json.loads(body))

    def _answer(self, head: bytes, body: Any) -> None:
        assert self._transport is not None
        if head.startswith(b"POST /sms/rest/v2/send "):
            reply = self._double.take(body, _find_header(head, TOKENS))
            asyncio.get_running_loop().call_later(self._double.delay, self._transport.write, reply)
        else:
            self._transport.write(self._double.report(body))


def _find_header(head: bytes, name: bytes) -> bytes:
    at = head.lower().find(b"\r\n" + name)
    if at < 0:
        return b""
    start = at + 2 + len(name)
    end = head.find(b"\r\n", start)
    return head[start : end if end >= 0 else len(head)].strip()


def count_tokens(journal: Path) -> Counter[int]:
    """How often each message (by its token) was taken."""
    counted: Counter[int] = Counter()
    for line in journal.read_text().splitlines():
        counted.update(int(pair.partition("=")[2]) for pair in line.split(",") if pair)
    return counted


async def _serve(options: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    double = BulkDouble(options.journal, options.delay)
    server = await loop.create_server(lambda: _Connection(double), "127.0.0.1", 0)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await stopped.wait()
    server.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.rig.bulk_double")
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--delay", type=float, default=0.05, help="seconds from a call to its answer")
    asyncio.run(_serve(parser.parse_args()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
