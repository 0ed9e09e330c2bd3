"""One exchange with a provider over HTTP that cannot harm us, and says what it proves (reliability.md, section 5).

Until the first byte of the request is handed to the network everything is ``NotSent``; from then on everything but
a complete answer is ``OutcomeUnknown``, with what had arrived as evidence. No redirect is followed, certificates are
checked, and neither a body nor what it unpacks to is read beyond ``BODY_LIMIT``.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import zlib
from typing import Any

import httpx
from httpcore import AsyncNetworkBackend, LocalProtocolError

from gateways.base import GatewayError, NotSent, OutcomeUnknown, describe_fault
from gateways.hosts import PublicBackend
from gateways.http.messages import HttpAnswer, HttpRequest
from gateways.http.scrub import Scrubber
from gateways.http.settings import HttpSettings
from gateways.types import Reason

log = logging.getLogger(__name__)
BODY_LIMIT = 2 * 1024 * 1024
IDLE_SECONDS = 4.0
"""A connection idle for longer is not used again: the other end may be closing it, and a request that meets the
closing is neither refused nor taken."""
USER_AGENT = "Peyk"

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL)


def _drops_details(record: logging.LogRecord) -> bool:
    """The library logs every URL and header below WARNING: keys travel in both."""
    return record.levelno >= logging.WARNING


for _name in ("httpx", "httpcore", "httpcore.connection", "httpcore.http11", "httpcore.proxy"):
    logging.getLogger(_name).addFilter(_drops_details)


class HttpClient:
    """Connections to one account's provider. Belongs to the event loop it is first used on; another loop gets
    connections of its own."""

    def __init__(self, settings: HttpSettings, scrub: Scrubber) -> None:
        self._settings = settings
        self._scrub = scrub
        self._base = settings.base_url.rstrip("/")
        self._client: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def exchange(self, request: HttpRequest, *, total_seconds: float = 0.0) -> HttpAnswer:
        """The complete answer, of any status. Raises NotSent or OutcomeUnknown."""
        story = _Story(self._scrub)
        try:
            async with asyncio.timeout(total_seconds or self._settings.total_seconds):
                return await self._exchange(request, story)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise story.end("timeout", error, Reason.TIMEOUT) from None
        except _NOT_SENT as error:
            raise story.end("connect", error, Reason.LINK_LOST) from None
        except (httpx.HTTPError, httpx.StreamError, OSError, zlib.error) as error:
            raise story.end("exchange", error, Reason.LINK_LOST) from None
        except GatewayError:
            raise
        except Exception as error:
            if story.is_sent:
                raise
            log.error("gateway.fault", extra={"fault": describe_fault(error)})
            raise story.end("request", error, Reason.SYSTEM) from None

    async def _exchange(self, request: HttpRequest, story: _Story) -> HttpAnswer:
        client = self._open()
        headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip", **request.headers}
        query = request.query or None
        built = client.build_request(
            request.method,
            self._base + request.path,
            content=request.body or None,
            headers=headers,
            params=query,  # type: ignore[arg-type]
            extensions={"trace": story.trace, "timeout": self._timeouts()},
        )
        response = await client.send(built, stream=True, follow_redirects=False)
        try:
            story.status = response.status_code
            story.headers = {name.lower(): value for name, value in response.headers.items()}
            await _read_body(response, story)
            return story.answer()
        finally:
            await response.aclose()

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None and self._loop is asyncio.get_running_loop():
            await client.aclose()

    def _open(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=20, keepalive_expiry=IDLE_SECONDS)
            # No proxy, no .netrc, no certificates of the environment: what an account says is all that counts.
            transport = httpx.AsyncHTTPTransport(verify=self._verify(), trust_env=False, limits=limits)
            if self._settings.public_only:
                guard_hosts(transport)
            self._client = httpx.AsyncClient(transport=transport, trust_env=False)
            self._loop = loop
        return self._client

    def _verify(self) -> ssl.SSLContext:
        context = httpx.create_ssl_context(trust_env=False)
        if self._settings.ca_file:
            context.load_verify_locations(self._settings.ca_file)
        return context

    def _timeouts(self) -> dict[str, float]:
        total, connect = self._settings.total_seconds, self._settings.connect_seconds
        return {"connect": connect, "pool": connect, "read": total, "write": total}


def guard_hosts(transport: httpx.AsyncHTTPTransport) -> None:
    """Connections lead to public addresses only from now on. The library has no public way to say so: RuntimeError if
    it keeps its back end elsewhere, because the guard would be off and nobody told."""
    pool = transport._pool
    if not isinstance(getattr(pool, "_network_backend", None), AsyncNetworkBackend):
        raise RuntimeError("httpcore keeps its network back end elsewhere")
    pool._network_backend = PublicBackend()


class _Story:
    """How far an exchange has come, so that its end can be told rightly."""

    def __init__(self, scrub: Scrubber) -> None:
        self._scrub = scrub
        self.is_sent = False
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = bytearray()

    async def trace(self, event: str, info: dict[str, Any]) -> None:
        if event.endswith("send_request_headers.started"):
            self.is_sent = True
        elif event.endswith("send_request_headers.failed") and isinstance(info["exception"], LocalProtocolError):
            self.is_sent = False  # the library would not write such headers

    def answer(self) -> HttpAnswer:
        return HttpAnswer(self.status, bytes(self.body), self.headers, self._scrub)

    def end(self, what: str, error: Exception, reason: Reason) -> NotSent | OutcomeUnknown:
        """The error that tells what is proven. The library's own text stays out of it: it may name the URL."""
        code = type(error).__name__
        if not self.is_sent:
            return NotSent(what, code=code, reason=reason)
        evidence = self.answer().evidence if self.status else ""
        return OutcomeUnknown(what, code=code, reason=reason, evidence=evidence)

    def spoil(self, what: str) -> OutcomeUnknown:
        return OutcomeUnknown(what, code=what, reason=Reason.MALFORMED, evidence=self.answer().evidence)


async def _read_body(response: httpx.Response, story: _Story) -> None:
    """Read and unpack, both within the limit. Raises OutcomeUnknown."""
    encoding = story.headers.get("content-encoding", "").strip().lower()
    unpacker = zlib.decompressobj(_GZIP_OR_ZLIB) if encoding in ("gzip", "x-gzip", "deflate") else None
    if unpacker is None and encoding not in ("", "identity"):
        raise story.spoil("content_encoding")
    received = 0
    async for chunk in response.aiter_raw():
        received += len(chunk)
        if unpacker is None:
            story.body += chunk
        else:
            story.body += unpacker.decompress(chunk, BODY_LIMIT + 1 - len(story.body))
        if received > BODY_LIMIT or len(story.body) > BODY_LIMIT:
            raise story.spoil("too_long")
    if unpacker is not None and received and not unpacker.eof:
        raise story.spoil("truncated")
