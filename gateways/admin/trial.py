"""Try an HTTP connection's settings on paper: the request that would be sent, and how answers and receipts would be
read. Nothing is sent, and no stored secret takes part: a stand-in is shown as ``***`` in its place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from gateways.base import BadSettings, GatewayError
from gateways.http.events import PushRequest
from gateways.http.gateway import HttpGateway
from gateways.http.messages import HttpAnswer, HttpRequest
from gateways.registry import get_gateway_class
from gateways.simulator.accounts import SIMULATOR
from gateways.types import DeliveryEvent, GatewayEvent, InboundMessage, OutboundMessage, SubmitOutcome

STAND_IN = "peyk0standin0secret"
JOB = "12345"
SHOWN = 20_000


class ShownRequest(NamedTuple):
    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: str


class Reading(NamedTuple):
    """One event as it would be read; ``problem`` says why it would not."""

    event: DeliveryEvent | InboundMessage | None
    problem: str = ""


def open_on_paper(slug: str, settings: Mapping[str, Any]) -> HttpGateway:
    """The adapter with these settings, every secret replaced. Raises BadSettings, UnknownGateway."""
    adapter = get_gateway_class(slug)
    if not issubclass(adapter, HttpGateway):
        raise BadSettings("adapter: only connections over HTTP can be tried on paper")
    values = {**settings, **dict.fromkeys(adapter.secret_settings, STAND_IN)}
    values |= {"push_url": f"https://peyk.invalid/gateways/{STAND_IN}"}
    if values.get("base_url") == SIMULATOR:
        values["base_url"] = f"http://127.0.0.1/{slug}"
    try:
        return adapter.from_settings(values)
    except (TypeError, ValueError, AttributeError) as error:
        if isinstance(error, BadSettings):
            raise
        raise BadSettings(f"settings: {type(error).__name__}") from error


def show_request(gateway: HttpGateway, messages: Sequence[OutboundMessage]) -> ShownRequest:
    """Raises GatewayError (Rejected) where the adapter would not send these messages."""
    request: HttpRequest = gateway.build_request(messages[: gateway.batch_size])
    query = request.query.items() if isinstance(request.query, Mapping) else request.query
    url = gateway.settings.base_url.rstrip("/") + request.path + (f"?{urlencode(list(query))}" if query else "")
    headers = tuple((name, gateway.scrub(value)) for name, value in request.headers.items())
    body = request.body.decode(_find_charset(request), "replace")[:SHOWN]
    return ShownRequest(request.method, gateway.scrub(url), headers, gateway.scrub(body))


def read_example_answer(
    gateway: HttpGateway, answer: HttpAnswer, messages: Sequence[OutboundMessage]
) -> list[SubmitOutcome]:
    """What this answer to a call with these messages would make of them."""
    gateway.client = _Paper(answer, gateway)  # type: ignore[assignment]
    return asyncio.run(gateway.submit(messages[: gateway.batch_size]))


def read_example_push(gateway: HttpGateway, text: str) -> list[Reading]:
    """A push, given as its body, or as the query it came with."""
    query = tuple(parse_qsl(text.strip().lstrip("?"), keep_blank_values=True, max_num_fields=200))
    push = PushRequest("receipts", "POST", "https://peyk.invalid/", text.encode(), {}, query)
    return _explain(gateway.read_events(gateway.split_push(push)))


def read_example_report(gateway: HttpGateway, answer: HttpAnswer) -> list[Reading]:
    """An answer to the question for receipts. Raises GatewayError, or what Python raises for a shape not there."""
    gateway.client = _Paper(answer, gateway)  # type: ignore[assignment]
    if gateway.capabilities.receipts_by == "job":
        page = asyncio.run(gateway.pull_jobs([JOB], 0))
    else:
        page = asyncio.run(gateway.pull_receipts(""))
    return _explain(gateway.read_events(page.raws))


def _explain(events: Sequence[GatewayEvent]) -> list[Reading]:
    return [
        Reading(event) if isinstance(event, DeliveryEvent | InboundMessage) else Reading(None, event.why)
        for event in events
    ]


def _find_charset(request: HttpRequest) -> str:
    charset = next((value for name, value in request.headers.items() if name.lower() == "content-type"), "")
    return "iso-8859-9" if "iso-8859-9" in charset.lower() else "utf-8"


@dataclass(frozen=True)
class _Paper:
    """Stands where the connections are: whatever is asked, this is the answer."""

    answer: HttpAnswer
    gateway: HttpGateway

    async def exchange(self, request: HttpRequest, *, total_seconds: float = 0.0) -> HttpAnswer:
        return HttpAnswer(self.answer.status, self.answer.body, self.answer.headers, self.gateway.scrub)

    async def close(self) -> None:
        """Nothing is open."""


FAULTS = (GatewayError, LookupError, TypeError, ValueError, AttributeError, RecursionError)
"""What trying on paper may raise."""
