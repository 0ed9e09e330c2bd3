"""İleti Merkezi (api.iletimerkezi.com, v1).

One order id per call; receipts name order and number, by webhook and by asking. Orders go as XML, where several texts
in one order are documented, everything else as JSON. What counts is the code in the body, whatever the HTTP status.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from gateways.adapters.iletimerkezi import codes
from gateways.adapters.iletimerkezi.fields import FIELDS
from gateways.base import BadSettings, OutcomeUnknown
from gateways.http.events import PulledPage, PushRequest, pack_receipt
from gateways.http.gateway import HttpGateway
from gateways.http.messages import HttpAnswer, HttpRequest
from gateways.http.numbers import read_msisdn, share_texts, write_job_id, write_national
from gateways.http.settings import HttpSettings, secret
from gateways.http.xml import write_element, write_request, write_text
from gateways.types import Capabilities, DeliveryEvent, OutboundMessage, OutcomeKind, Reason, SubmitOutcome

ZONE = ZoneInfo("Europe/Istanbul")
MOST_ROWS = 1000
SEARCH = "?"
SEARCH_PAGES = 50
CLOCK_MARGIN = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class IletimerkeziSettings(HttpSettings):
    """key, hash             the API key of their panel and the hash made with it
    iys_list                 who commercial messages go to: BIREYSEL or TACIR
    sent_is_delivered        a report's 111 ("sent") ends a message as delivered: reports have nothing better
    retries_server_error     a 503 took nothing (unverified; off: unknown, never sent again)
    searches_by_date         look for orders without an answer in the list of a day's orders
    receipt_polls            the sweep after the webhook; without a webhook set earlier ones
    """

    key: str = secret()
    hash: str = secret()
    iys_list: str = "BIREYSEL"
    sent_is_delivered: bool = True
    retries_server_error: bool = False
    searches_by_date: bool = True
    receipt_polls: tuple[float, ...] = (900.0, 3600.0, 10_800.0, 36_000.0, 90_000.0)

    def check(self) -> None:
        HttpSettings.check(self)
        self.require("key", "hash")
        if self.iys_list not in ("BIREYSEL", "TACIR"):
            raise BadSettings("iys_list: BIREYSEL or TACIR")


class IletimerkeziGateway(HttpGateway):
    slug = "iletimerkezi"
    title = "İleti Merkezi"
    settings_fields = FIELDS
    default_url = "https://api.iletimerkezi.com/v1"
    settings_class = IletimerkeziSettings
    secret_settings = frozenset({"hash"})
    typed_pushes = ("receipts",)
    gather_seconds = 0.5
    capabilities = Capabilities(
        batch_size=50_000,
        id_per_message=False,
        receipts="both",
        receipts_by="job",
        receipt_queries_per_minute=60,
        receipt_rows_per_query=MOST_ROWS,
        finds_unknown=True,
        balance=True,
        prefixes=("+90",),
        national_tables=True,
        suffix_reserve=5,
    )

    def list_secrets(self) -> list[str]:
        return [*super().list_secrets(), self.settings.key]

    @property
    def _login(self) -> dict[str, str]:
        return {"key": self.settings.key, "hash": self.settings.hash}

    # -- sending -----------------------------------------------------------------------------------------

    def write_request(self, messages: Sequence[OutboundMessage]) -> HttpRequest:
        """Note their spelling of "recipients"."""
        first = messages[0]
        is_commercial = first.content_class == "commercial"
        fields = {"sender": first.sender, "iys": "1" if is_commercial else "0"}
        if is_commercial:
            fields["iysList"] = self.settings.iys_list
        parts = [_write_fields(fields)]
        for group in share_texts(messages):
            numbers = "".join(write_element("number", write_national(m.msisdn)) for m in group)
            text = write_element("text", write_text(group[0].text))
            parts.append(write_element("message", text + write_element("receipents", numbers)))
        login = write_element("authentication", _write_fields(self._login))
        return write_request("/send-sms", write_element("request", login + write_element("order", "".join(parts))))

    def check_status(self, answer: HttpAnswer) -> None:
        if answer.status == 429 or not codes.read_code(answer):
            super().check_status(answer)

    def read_answer(self, answer: HttpAnswer, messages: Sequence[OutboundMessage]) -> list[SubmitOutcome]:
        self._check_code(answer, codes.read_code(answer))
        order = codes.read_order(answer)
        return [
            SubmitOutcome(m.token, OutcomeKind.ACCEPTED, write_job_id(order, m.msisdn), job=order) for m in messages
        ]

    def _check_code(self, answer: HttpAnswer, code: str) -> None:
        if not code or (code == codes.DONE and answer.status >= 300):
            status = str(answer.status)
            raise OutcomeUnknown("no code", code=status, reason=Reason.MALFORMED, evidence=answer.evidence)
        if code != codes.DONE:
            raise codes.find_error(code, answer, retries_server_error=self.settings.retries_server_error)

    def write_unknown_job(self, messages: Sequence[OutboundMessage], sent_at: float) -> str:
        """When, how many messages at most, whose: what the list of orders tells of each."""
        if not self.settings.searches_by_date:
            return ""
        began, ended = sent_at - CLOCK_MARGIN, sent_at + self.settings.total_seconds + 60
        return f"{SEARCH}{began:.0f}/{ended:.0f}/{len(messages)}/{messages[0].sender}"

    # -- receipts ----------------------------------------------------------------------------------------

    async def _ask(self, operation: str, fields: dict[str, Any], nothing: frozenset[str] = frozenset()) -> Any:
        """``response`` of a success; None for the codes in ``nothing``."""
        body = {"request": {"authentication": self._login, **fields}}
        answer = await self.exchange(HttpRequest.json(f"/{operation}/json", body))
        code = codes.read_code(answer)
        if code in nothing:
            return None
        self._check_code(answer, code)
        return answer.object()["response"]

    async def pull_jobs(self, jobs: Sequence[str], page: int) -> PulledPage:
        job = jobs[0]
        if job.startswith(SEARCH):
            return await self._search(job, page)
        most = min(MOST_ROWS, self.settings.receipt_rows_per_query or MOST_ROWS)
        order = {"id": job, "page": page + 1, "rowCount": most}
        nothing = frozenset({codes.NO_ORDER, codes.NOT_BEGUN})
        response = await self._ask("get-report", {"order": order}, nothing)
        if response is None:
            return PulledPage([])
        rows = response["order"].get("message") or []
        rows = rows if isinstance(rows, list) else [rows]
        has_failed = str(response["order"]["status"]) == codes.ORDER_FAILED
        raws = []
        for row in rows:
            status = str(row["status"])
            status = codes.ORDER_FAILED if has_failed and status == codes.SENDING else status
            raws.append(pack_receipt({"packet_id": job, "to": row["number"], "status": status}))
        return PulledPage(raws, is_last=len(rows) < most)

    async def _search(self, job: str, page: int) -> PulledPage:
        """Orders of that time under that sender, with no more messages than ours: to be asked about one by one."""
        began, ended, most, sender = job.removeprefix(SEARCH).split("/", 3)
        days = {name: f"{datetime.fromtimestamp(float(at), ZONE):%Y-%m-%d}" for name, at in
                (("start", began), ("end", ended))}  # fmt: skip
        response = await self._ask("get-reports", {"filter": {**days, "page": page + 1}})
        orders = response.get("orders") or []
        found = tuple(
            (str(order["id"]), 0)
            for order in orders
            if float(began) <= _read_time(order["submitAt"]) <= float(ended)
            and int(order["total"]) <= int(most)
            and str(order.get("sender") or sender) == sender
        )
        is_all = not page and int(response.get("count") or 0) <= len(orders)
        return PulledPage([], is_last=is_all or not orders or page + 1 >= SEARCH_PAGES, found=found)

    def read_push(self, push: PushRequest) -> list[bytes]:
        """One message a call. Its text is not kept."""
        report = push.json()["report"]
        return [pack_receipt({name: report[name] for name in ("id", "packet_id", "status", "to")})]

    def read_receipt(self, payload: bytes) -> DeliveryEvent:
        row = json.loads(payload)
        order, msisdn, status = str(row["packet_id"]), read_msisdn(row["to"]), str(row["status"])
        state, reason = codes.find_state(status, sent_is_delivered=self.settings.sent_is_delivered)
        return DeliveryEvent(write_job_id(order, msisdn), msisdn, state, reason, code=status, job_id=order)

    # -- account -----------------------------------------------------------------------------------------

    async def get_balance(self) -> str:
        """Messages left, or TL for an account that pays in money."""
        balance = (await self._ask("get-balance", {}))["balance"]
        messages = str(balance["sms"])
        return messages if float(messages) else str(balance["amount"])

    async def list_senders(self) -> list[str]:
        senders = (await self._ask("get-sender", {}))["senders"]["sender"]
        return [str(name) for name in (senders if isinstance(senders, list) else [senders])]


def _write_fields(fields: dict[str, str]) -> str:
    return "".join(write_element(name, write_text(value)) for name, value in fields.items())


def _read_time(text: str) -> float:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=ZONE).timestamp()
