"""The stage of the contract: an adapter, its double, the centre behind it, and what a case may lack."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from gateways.http.events import PulledPage, PushRequest
from gateways.http.gateway import HttpGateway
from gateways.registry import get_gateway_class
from gateways.simulator.centre import Centre
from gateways.simulator.http_server import Call, HttpServer, Reply
from gateways.simulator.providers.base import Double
from gateways.simulator.providers.host import ProviderHost
from gateways.simulator.script import Script
from gateways.types import DeliveryEvent, OutboundMessage, Reason, SubmitOutcome, UnreadableEvent
from smscore import segment
from tests.gateways.wire_cases import until

CASES = {
    "accept": "one message accepted",
    "batch": "batch in order",
    "refusal": "permanent refusal",
    "throttle": "throttle, retry-after",
    "login": "bad login",
    "not_sent": "connect error = not sent",
    "unknown": "read timeout = unknown",
    "malformed": "malformed answer = unknown, body kept",
    "unknown_code": "unknown code kept and reported",
    "turkish": "Turkish text",
    "ucs2": "UCS-2 text",
    "secrets": "secrets nowhere",
    "balance": "balance",
    "push": "receipts pushed",
    "pull": "receipts pulled",
    "duplicates": "doubled receipts",
    "job_ids": "ids by (job, number)",
    "inbound": "inbound",
    "charges": "billed parts or price",
}
# A case may be missing only where the adapter says itself that it cannot.
LACKS: dict[str, Callable[[HttpGateway], bool]] = {
    "balance": lambda g: not g.capabilities.balance,
    "push": lambda g: g.capabilities.receipts == "pull",
    "pull": lambda g: g.capabilities.receipts == "push",
    "job_ids": lambda g: g.capabilities.id_per_message,
    "inbound": lambda g: not g.capabilities.inbound,
    "charges": lambda g: not g.capabilities.tells_charges,
    "ucs2": lambda g: not g.capabilities.unicode,
    "throttle": lambda g: True,
    "duplicates": lambda g: True,
}
TURKISH = "Şükrü, ışığı söndürüp çağrı bırakır mısın?"
EMOJI = "Afiyet olsun 🍰"
EVIL = "<html><body>Bad gateway</body></html>"


def number_of(index: int) -> str:
    return f"+90532{index:07d}"


@dataclass
class Stage:
    """An adapter, its double, and the centre behind it."""

    gateway: HttpGateway
    double: Double
    centre: Centre
    port: int

    async def submit(self, *messages: OutboundMessage) -> list[SubmitOutcome]:
        """As a link does it: a call that one message spoils in halves."""
        outcomes = await self.gateway.submit(messages)
        if outcomes[0].reason is not Reason.SPOILED:
            return outcomes
        middle = len(messages) // 2
        return [*await self.submit(*messages[:middle]), *await self.submit(*messages[middle:])]


class StagedContract:
    """What a subclass of the contract says about its provider, and how its stage is set."""

    slug: ClassVar[str] = ""
    column: ClassVar[str] = ""
    """Its name in the table, where an adapter passes the contract more than once."""
    settings: ClassVar[dict[str, Any]] = {}
    sender: ClassVar[str] = "ORNEKFIRMA"
    login: ClassVar[tuple[str, str]] = ("", "")
    """(user, password) as the double knows them, and as ``settings`` has them."""
    not_applicable: ClassVar[dict[str, str]] = {}
    mark: ClassVar[str] = "official"
    marks: ClassVar[dict[str, str]] = {}
    charges: ClassVar[Sequence[tuple[int, str]]] = [(2, "")]
    """(parts, price) of each receipt of a message that is billed as two parts."""
    # Canned answers of the provider to a submit.
    refused: ClassVar[tuple[Reply, str]]
    throttled: ClassVar[tuple[Reply, float]]
    """(answer, least seconds to wait that the adapter must read in it)"""
    strange_code: ClassVar[tuple[Reply, str]]
    malformed: ClassVar[Sequence[Reply]] = (
        Reply.text(EVIL, 502, "text/html"),
        Reply.text(EVIL, 200, "text/html"),
        Reply.text('{"half": ', 200, "application/json"),
        Reply.text("", 200),
        Reply.json([[]], 200),
        Reply.text("[" * 100_000, 200, "application/json"),
    )

    # -- stage -------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def stage(self, *, settings: dict[str, Any] | None = None, **script: Any) -> AsyncIterator[Stage]:
        user, password = self.login
        values = {"receipt_delay": [0, 0], "accounts": {user: password}, **script}
        centre = Centre(Script().changed(values))
        host = ProviderHost(centre)
        port = await host.start(0)
        gateway = self.open(port, **(settings or {}))
        try:
            yield Stage(gateway, host.get(self.slug), centre, port)
        finally:
            await gateway.close()
            await host.stop()
            await centre.stop()

    def open(self, port: int, **settings: Any) -> HttpGateway:
        base = {"base_url": f"http://127.0.0.1:{port}/{self.slug}", "total_seconds": 5.0}
        gateway = get_gateway_class(self.slug).from_settings({**base, **self.settings, **settings})
        assert isinstance(gateway, HttpGateway)
        return gateway

    def message(self, index: int = 1, text: str = "", **fields: Any) -> OutboundMessage:
        """Counted as the provider counts it: with the Turkish tables only where they survive the route."""
        national = get_gateway_class(self.slug).capabilities.national_tables
        found = segment(text or f"Merhaba {index}", national=national)
        return OutboundMessage(
            index, number_of(index), self.sender, found.text, str(found.encoding), found.parts, **fields
        )

    def lacks(self, case: str) -> bool:
        """True if the case is declared not applicable; the declaration must have a reason and be true."""
        if case not in self.not_applicable:
            return False
        assert len(self.not_applicable[case]) > 10, "say why"
        assert case in LACKS and LACKS[case](self.open(9)), f"{case} is possible: the adapter says so"
        return True

    async def pull(self, stage: Stage, outcomes: Sequence[SubmitOutcome]) -> list[DeliveryEvent]:
        """Every receipt of these messages, as the puller would ask."""
        raws: list[bytes] = []
        jobs, cursor, page = list(dict.fromkeys(o.job for o in outcomes if o.job)), "", 0
        for _ in range(50):
            answer: PulledPage
            if stage.gateway.capabilities.receipts_by == "job":
                most = stage.gateway.capabilities.jobs_per_query
                answer = await stage.gateway.pull_jobs(jobs[:most], page)
                page = 0 if answer.is_last else page + 1
                jobs = jobs[most:] if answer.is_last else jobs
            else:
                answer = await stage.gateway.pull_receipts(cursor)
                cursor = answer.cursor or cursor
            raws += answer.raws
            if answer.is_last and (not jobs or stage.gateway.capabilities.receipts_by != "job"):
                break
        events = stage.gateway.read_events(raws)
        assert not [e for e in events if isinstance(e, UnreadableEvent)]
        return [e for e in events if isinstance(e, DeliveryEvent)]

    async def collect_pushes(self, stage: Stage, kind: str, act: Callable[[], Any], count: int) -> list[PushRequest]:
        """What the double pushes while ``act`` runs: a small server stands for ours."""
        pushes: list[PushRequest] = []

        async def answer(call: Call) -> Reply:
            url = stage.double.config[f"push_{kind}"]
            pushes.append(PushRequest(kind, call.method, url, call.body, call.headers, tuple(call.query.items())))
            return Reply.text(stage.gateway.push_answer)

        server = HttpServer(answer)
        port = await server.start(0)
        stage.double.configure({f"push_{kind}": f"http://127.0.0.1:{port}/gateways/token/{kind}"})
        try:
            outcome = act()
            if inspect.isawaitable(outcome):
                await outcome
            await until(lambda: sum(len(stage.gateway.split_push(push)) for push in pushes) >= count)
        finally:
            await server.stop()
        return pushes

    def make_pushes_provable(self, push: PushRequest) -> PushRequest | None:
        """The same push with its signature broken; None where the provider signs nothing."""
        return None
