"""Control port of the simulator: a few JSON requests over HTTP, for 127.0.0.1 only.

    GET  /journal[?duplicates=1]      figures; duplicates = parts submitted again after they were taken
    GET  /phones[?number=…&limit=50]  what phones show, newest first
    GET  /script                      the script in force
    POST /script {field: value, …}    change fields from now on (counts of cuts and garbage start anew)
    GET  /providers/SLUG              a double's switches; POST changes them {"push_receipts": url, …}
    POST /mo {"from": …, "to": …, "text": …[, "account": …]}   a phone writes; of a long text also "mode" (udh8, udh16,
                                      sar) and "order", the parts to send: [3, 1] loses part 2; to a double with
                                      {…, "provider": SLUG}

Errors: {"error": text} with 400, 404, 405 or 413.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from gateways.simulator.centre import Centre
from gateways.simulator.providers.base import Double
from gateways.simulator.script import BadScript

MAX_BODY = 1_000_000
READ_SECONDS = 10.0
_PHRASES = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 413: "Too Large"}


class _Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Control:
    def __init__(self, centre: Centre) -> None:
        self._centre = centre
        self._server: asyncio.Server | None = None

    async def start(self, port: int) -> int:
        """Listen on 127.0.0.1; returns the port (0 picks one)."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(READ_SECONDS):
                status, answer = await self._answer(reader)
            body = json.dumps(answer, ensure_ascii=False).encode()
            head = (
                f"HTTP/1.1 {status} {_PHRASES[status]}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            )
            writer.write(head.encode() + body)
            await writer.drain()
        except (TimeoutError, ConnectionError, asyncio.IncompleteReadError, ValueError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[int, Any]:
        try:
            method, target, body = await _read_request(reader)
            return 200, self._route(method, target, body)
        except _Refused as error:
            return error.status, {"error": str(error)}
        except (BadScript, LookupError, ValueError, TypeError) as error:
            return 400, {"error": str(error)}

    def _route(self, method: str, target: str, body: bytes) -> Any:
        parts = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        centre = self._centre
        if (method, parts.path) == ("GET", "/journal"):
            return centre.get_figures(with_duplicates=query.get("duplicates") == "1")
        if (method, parts.path) == ("GET", "/phones"):
            limit = min(1000, max(1, int(query.get("limit", "50"))))
            return {"messages": centre.phones.list_messages(query.get("number", "").strip(), limit)}
        if (method, parts.path) == ("GET", "/script"):
            return centre.script.to_json()
        if (method, parts.path) == ("POST", "/script"):
            centre.apply_script(centre.script.changed(_object(body)))
            return centre.script.to_json()
        if (method, parts.path) == ("POST", "/mo"):
            values = _object(body)
            if values.get("provider"):
                _get_double(centre, str(values["provider"])).receive(
                    str(values["from"]), str(values["to"]), str(values["text"])
                )
                return {"parts": 1}
            sent = centre.send_mo(
                phone=str(values["from"]),
                recipient=str(values["to"]),
                text=str(values["text"]),
                account=str(values.get("account", "")),
                mode=str(values.get("mode", "udh8")),
                order=[int(number) for number in values.get("order", ())],
            )
            return {"parts": sent}
        if parts.path.startswith("/providers/") and method in ("GET", "POST"):
            double = _get_double(centre, parts.path.removeprefix("/providers/"))
            if method == "POST":
                double.configure(_object(body))
            return {"config": double.config, "counts": dict(double.counts)}
        known = parts.path in ("/journal", "/phones", "/script", "/mo")
        raise _Refused(405 if known else 404, "no such request")


def _get_double(centre: Centre, slug: str) -> Double:
    if centre.providers is None:
        raise LookupError("no HTTP providers here")
    return centre.providers.get(slug)


async def _read_request(reader: asyncio.StreamReader) -> tuple[str, str, bytes]:
    request = (await reader.readline()).decode("latin-1").split()
    if len(request) != 3:
        raise _Refused(400, "not HTTP")
    size = 0
    while (line := (await reader.readline()).strip()) != b"":
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            size = int(value)
    if not 0 <= size <= MAX_BODY:
        raise _Refused(413, "body too long")
    return request[0], request[1], await reader.readexactly(size)


def _object(body: bytes) -> dict[str, Any]:
    values = json.loads(body)
    if not isinstance(values, dict):
        raise ValueError("an object is expected")
    return values
