"""Bad answers, once for all HTTP adapters: the right state, the raw evidence, and no slot is blocked."""

import asyncio
import gzip
import resource
import socket
import time
import zlib
from collections.abc import Sequence

import pytest

from gateways.base import BadSettings
from gateways.http.client import BODY_LIMIT
from gateways.http.gateway import HttpGateway
from gateways.http.link import RequestLink
from gateways.http.messages import HttpAnswer, HttpRequest
from gateways.http.settings import HttpSettings
from gateways.types import Capabilities, OutboundMessage, OutcomeKind, Reason, SubmitOutcome
from tests.gateways.hostile import answer, make_certificate, saying, serving
from tests.gateways.wire_cases import Recorder, messages, run, until

GOOD = b'{"ok": true}'
BOMB = gzip.compress(b"\x00" * 200_000_000, 1)
HTML = b"<html><h1>502 Bad Gateway</h1></html>"


class Plain(HttpGateway):
    """The least an adapter can be."""

    slug = "plain"
    capabilities = Capabilities(batch_size=100)

    def write_request(self, messages: Sequence[OutboundMessage]) -> HttpRequest:
        return HttpRequest.json("/send", [m.token for m in messages])

    def read_answer(self, answer: HttpAnswer, messages: Sequence[OutboundMessage]) -> list[SubmitOutcome]:
        if answer.object()["ok"] is not True:
            raise ValueError("not ok")
        return [SubmitOutcome(m.token, OutcomeKind.ACCEPTED, str(m.token)) for m in messages]


def open_plain(port: int, *, scheme: str = "http", **settings: object) -> Plain:
    values = {"base_url": f"{scheme}://127.0.0.1:{port}", "total_seconds": 1.0, "tps": 1000.0, **settings}
    return Plain.from_settings(values)


async def submit(port: int, **settings: object) -> SubmitOutcome:
    gateway = open_plain(port, **settings)
    try:
        outcomes = await gateway.submit(messages(3))
    finally:
        await gateway.close()
    assert len({o._replace(token=0, provider_message_id="") for o in outcomes}) == 1, "the whole batch alike"
    return outcomes[0]


def meet(octets: bytes, *, pause: float = 0.0, **settings: object) -> SubmitOutcome:
    async def scenario() -> SubmitOutcome:
        async with serving(saying(octets, pause=pause)) as port:
            return await submit(port, **settings)

    outcome: SubmitOutcome = run(scenario())
    return outcome


@pytest.mark.parametrize("header", ["Bearer şifre", "Bearer a\r\nX-Evil: 1", "Bearer a "])
def test_a_header_that_cannot_be_written_was_not_sent(header: str, monkeypatch: pytest.MonkeyPatch) -> None:
    request = HttpRequest.get("/send", headers={"Authorization": header})
    monkeypatch.setattr(Plain, "write_request", lambda *_: request)
    outcome = meet(answer(GOOD))
    assert outcome.kind is OutcomeKind.NOT_SENT


def test_a_good_answer_of_any_content_type() -> None:
    assert meet(answer(GOOD, "Content-Type: text/html")).kind is OutcomeKind.ACCEPTED
    assert meet(answer(gzip.compress(GOOD), "Content-Encoding: gzip")).kind is OutcomeKind.ACCEPTED
    assert meet(answer(zlib.compress(GOOD), "Content-Encoding: deflate")).kind is OutcomeKind.ACCEPTED


@pytest.mark.parametrize(
    ("octets", "shown"),
    [
        (answer(HTML, "Content-Type: text/html"), "<h1>502 Bad Gateway"),
        (answer(HTML, "Content-Type: application/json", status="502 Bad Gateway"), "HTTP 502"),
        (answer(b'{"ok": tr', length=12), '{"ok": tr'),  # cut off in the middle
        (answer(gzip.compress(b"x" * 5000)[:-9], "Content-Encoding: gzip"), "xxx"),
        (answer(b"not gzip at all", "Content-Encoding: gzip"), "HTTP 200"),
        (answer(GOOD, "Content-Encoding: br"), "HTTP 200"),
        (answer(gzip.compress(gzip.compress(GOOD)), "Content-Encoding: gzip, gzip"), "HTTP 200"),
        (answer(b"\xff\xfe\x00"), "HTTP 200"),
        (answer(b""), "HTTP 200"),
        (answer(b"", "Location: http://127.0.0.1:9/elsewhere", status="302 Found"), "HTTP 302"),
        (b"", ""),  # closed without a word
        (b"SSH-2.0-OpenSSH_9.2\r\n", ""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", ""),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_what_is_no_answer_is_unknown_and_kept(octets: bytes, shown: str) -> None:
    outcome = meet(octets)
    assert outcome.kind is OutcomeKind.UNKNOWN
    assert shown in outcome.evidence
    assert len(outcome.evidence) <= 4096


def test_thirty_megabytes_and_a_gzip_bomb_are_not_read() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for octets in (
        answer(b"x" * 30_000_000),
        answer(BOMB, "Content-Encoding: gzip"),
        answer(gzip.compress(BOMB), "Content-Encoding: gzip"),  # unpacks to a bomb, which is no JSON
    ):
        outcome = meet(octets)
        assert outcome.kind is OutcomeKind.UNKNOWN
        assert outcome.reason is Reason.MALFORMED
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 100_000, "kilobytes; the bomb holds 200,000"
    assert BODY_LIMIT == 2 * 1024 * 1024


def test_a_slow_drip_ends_at_the_deadline() -> None:
    """Each octet comes in time; the answer does not."""
    began = time.monotonic()
    outcome = meet(answer(b" " * 500 + GOOD), pause=0.05, total_seconds=0.5)
    assert (outcome.kind, outcome.reason) == (OutcomeKind.UNKNOWN, Reason.TIMEOUT)
    assert time.monotonic() - began < 2


def test_a_redirect_is_not_followed() -> None:
    async def scenario() -> None:
        visits = 0

        async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal visits
            visits += 1

        async with serving(count) as elsewhere:
            location = f"Location: http://127.0.0.1:{elsewhere}/"
            async with serving(saying(answer(b"", location, status="307 Temporary Redirect"))) as port:
                assert (await submit(port)).kind is OutcomeKind.UNKNOWN
        assert visits == 0

    run(scenario())


@pytest.mark.parametrize("is_expired", [True, False])
def test_certificates_are_checked(tmp_path, is_expired: bool) -> None:
    """Expired, though trusted; and good, but of nobody we trust: nothing was said to either."""

    async def scenario() -> None:
        trusted, context = make_certificate(tmp_path, is_expired=is_expired)
        async with serving(saying(answer(GOOD)), tls=context) as port:
            with_trust = await submit(port, scheme="https", ca_file=str(trusted))
            assert with_trust.kind is (OutcomeKind.NOT_SENT if is_expired else OutcomeKind.ACCEPTED)
            assert (await submit(port, scheme="https")).kind is OutcomeKind.NOT_SENT

    run(scenario())


def test_nobody_there_is_not_sent(monkeypatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert run(submit(free.getsockname()[1])).kind is OutcomeKind.NOT_SENT

    def find_nobody(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", find_nobody)
    outcome = run(Plain.from_settings({"base_url": "https://provider.example"}).submit(messages(1)))[0]
    assert outcome.kind is OutcomeKind.NOT_SENT


def test_a_handshake_that_hangs_is_not_sent() -> None:
    async def scenario() -> None:
        held: list[asyncio.StreamWriter] = []

        async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            held.append(writer)

        server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        began = time.monotonic()
        assert (await submit(port, scheme="https", connect_seconds=0.3)).kind is OutcomeKind.NOT_SENT
        assert time.monotonic() - began < 0.9, "the connect timeout, not the whole deadline"
        for writer in held:
            writer.close()
        server.close()

    run(scenario())


def test_a_hanging_call_does_not_block_the_others() -> None:
    """One of two calls never comes back; everything else is sent meanwhile."""

    async def scenario() -> None:
        calls = 0

        async def hang_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal calls
            calls += 1
            if calls == 2:
                await asyncio.sleep(60)
            writer.write(answer(GOOD, "Connection: close"))
            await writer.drain()

        async with serving(hang_once) as port:
            recorder = Recorder()
            gateway = open_plain(port, window_size=2, batch_size=10, total_seconds=2.0, tps=5000.0)
            link = RequestLink(gateway, recorder)
            link.start()
            link.submit_many(messages(200))
            await until(lambda: len(recorder.outcomes) >= 190, seconds=1.9)
            assert set(recorder.tokens(OutcomeKind.ACCEPTED)) | set(recorder.tokens(OutcomeKind.UNKNOWN))
            await until(lambda: len(recorder.outcomes) == 200)
            assert len(recorder.tokens(OutcomeKind.UNKNOWN)) == 10
            await link.close()

    run(scenario())


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com", "ftp://127.0.0.1", "https://", "https://user:secret@example.com",
        "https://example.com/?key=1", "http://127.0.0.1.example.com", "javascript:alert(1)", "https://a:99999/",
    ],
)  # fmt: skip
def test_base_urls_that_are_refused(url: str) -> None:
    with pytest.raises(BadSettings, match="base_url"):
        HttpSettings.from_mapping({"base_url": url})


def test_settings_name_the_field_that_is_wrong() -> None:
    for field, value in (
        ("window_size", 0),
        ("tps", "x"),
        ("receipts", "maybe"),
        ("strange", 1),
        ("push_addresses", ["x"]),
    ):
        with pytest.raises(BadSettings, match=field):
            HttpSettings.from_mapping({"base_url": "https://example.com", field: value})
