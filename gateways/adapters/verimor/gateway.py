"""Verimor (sms.verimor.com.tr, v2).

One campaign id per call, and an id of ours for each message: a receipt names both. Receipts are pushed, tried four
times within a quarter of an hour and then dropped, so what never came is asked for. Errors are plain words with a 400.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gateways.adapters.verimor import codes
from gateways.adapters.verimor.fields import FIELDS
from gateways.base import BadSettings, OutcomeUnknown
from gateways.http.charges import read_parts
from gateways.http.events import STRANGE, PulledPage, PushRequest, pack_inbound, pack_raw, pack_receipt
from gateways.http.gateway import HttpGateway
from gateways.http.messages import HttpAnswer, HttpRequest
from gateways.http.numbers import share_texts, write_digits, write_job_id
from gateways.http.settings import HttpSettings, secret
from gateways.types import (
    Capabilities,
    DeliveryEvent,
    InboundMessage,
    OutboundMessage,
    OutcomeKind,
    Reason,
    SubmitOutcome,
)

ZONE = ZoneInfo("Europe/Istanbul")
SHAPE = "%Y-%m-%d %H:%M:%S"
ROWS = 100
LONGEST_MINUTES = 48 * 60
OVERLAP = timedelta(minutes=10)
SEARCH, OWN = "?", "peyk-"
CAMPAIGN = re.compile(r"[0-9]{1,20}")


@dataclass(frozen=True, slots=True, kw_only=True)
class VerimorSettings(HttpSettings):
    """username, password  the account's number (12 digits) and its API password; our address must be on their list
    iys_recipient_type     who commercial messages go to: BIREYSEL or TACIR
    sent_is_delivered      count SENT (handed over, never to be confirmed) as delivered
    receipt_polls          the first sweep comes after their last push; without a push address set earlier ones
    """

    username: str = ""
    password: str = secret()
    iys_recipient_type: str = "BIREYSEL"
    sent_is_delivered: bool = False
    receipt_polls: tuple[float, ...] = (1200.0, 3600.0, 10_800.0, 36_000.0, 90_000.0)

    def check(self) -> None:
        HttpSettings.check(self)
        self.require("username", "password")
        if self.iys_recipient_type not in ("BIREYSEL", "TACIR"):
            raise BadSettings("iys_recipient_type: BIREYSEL or TACIR")


class VerimorGateway(HttpGateway):
    slug = "verimor"
    title = "Verimor"
    settings_fields = FIELDS
    default_url = "https://sms.verimor.com.tr/v2"
    settings_class = VerimorSettings
    secret_settings = frozenset({"password"})
    typed_pushes = ("all",)
    gather_seconds = 0.5
    capabilities = Capabilities(
        batch_size=50_000,
        own_ids=True,
        receipts="both",
        receipts_by="job",
        receipt_queries_per_minute=20,
        receipt_rows_per_query=ROWS,
        tells_charges=True,
        finds_unknown=True,
        requests_per_second=4.0,
        balance=True,
        inbound=True,
        inbound_pull_seconds=300.0,
        national_tables=True,
    )

    def __init__(self, settings: VerimorSettings) -> None:
        super().__init__(settings)
        self._last_ids: dict[str, str] = {}  # of jobs with pages left: other jobs may be asked about in between

    @property
    def _login(self) -> dict[str, str]:
        return {"username": self.settings.username, "password": self.settings.password}

    def group_key(self, message: OutboundMessage) -> Hashable:
        return super().group_key(message), codes.find_coding(message)

    # -- sending -----------------------------------------------------------------------------------------

    def write_request(self, messages: Sequence[OutboundMessage]) -> HttpRequest:
        first = messages[0]
        is_commercial = first.content_class == "commercial"
        body: dict[str, Any] = {
            **self._login,
            "source_addr": first.sender,
            "custom_id": write_custom_id(messages),
            "datacoding": codes.find_coding(first),
            "is_commercial": is_commercial,
        }
        if is_commercial:
            body["iys_recipient_type"] = self.settings.iys_recipient_type
        if first.validity_seconds:
            minutes = min(LONGEST_MINUTES, -(-first.validity_seconds // 60))
            body["valid_for"] = f"{minutes // 60:02}:{minutes % 60:02}"
        body["messages"] = [
            {
                "msg": group[0].text,
                "dest": ",".join(write_digits(m.msisdn) for m in group),
                "id": ",".join(f"{OWN}{m.token}" for m in group),
            }
            for group in share_texts(messages)
        ]
        return HttpRequest.json("/send.json", body)

    def read_answer(self, answer: HttpAnswer, messages: Sequence[OutboundMessage]) -> list[SubmitOutcome]:
        campaign = answer.text.strip()
        if answer.status != 200 or not CAMPAIGN.fullmatch(campaign):
            raise codes.find_error(answer)
        return [
            SubmitOutcome(m.token, OutcomeKind.ACCEPTED, f"{campaign}:{OWN}{m.token}", job=campaign) for m in messages
        ]

    def write_unknown_job(self, messages: Sequence[OutboundMessage], sent_at: float) -> str:
        return SEARCH + write_custom_id(messages)

    # -- receipts ----------------------------------------------------------------------------------------

    async def pull_jobs(self, jobs: Sequence[str], page: int) -> PulledPage:
        """A hundred messages after the last one of the page before. A campaign they do not know has none."""
        job = jobs[0]
        last = self._last_ids.get(job, "0") if page else "0"
        name, value = ("custom_id", job.removeprefix(SEARCH)) if job.startswith(SEARCH) else ("id", job)
        query = {**self._login, name: value, "greater_than": last}
        rows = await self._ask("/status", query, may_be_unknown=True)
        next_id = str(rows[-1]["message_id"]) if rows else last
        is_last = len(rows) < ROWS or next_id == last
        if is_last:
            self._last_ids.pop(job, None)
        else:
            self._last_ids[job] = next_id
        return PulledPage([pack_receipt(row) for row in rows], is_last=is_last)

    def read_receipt(self, payload: bytes) -> DeliveryEvent:
        """A message that has no id of ours was sent by somebody else with this account: it is given to nobody."""
        row = json.loads(payload)
        campaign, own, msisdn = str(row["campaign_id"]), str(row.get("message_custom_id") or ""), f"+{row['dest']}"
        is_ours = own.startswith(OWN)
        status, error = str(row["status"]), str(row.get("gsm_error") or "0")
        trusts = self.settings.sent_is_delivered
        state, reason = codes.find_state(status, error, sent_is_delivered=trusts)
        return DeliveryEvent(
            f"{campaign}:{own}" if is_ours else write_job_id(campaign, msisdn),
            msisdn if is_ours else "",
            state,
            reason,
            code=status if error == "0" else f"{status}/{error}",
            occurred_at=str(row.get("done_at") or ""),
            job_id=campaign,
            client_reference=own.removeprefix(OWN) if is_ours else "",
            billed_parts=read_parts(row.get("size")),
        )

    def read_push(self, push: PushRequest) -> list[bytes]:
        """Receipts and messages from handsets come to one address; İYS news too, which is kept as it is."""
        body = push.json()
        packers = {"outbound": pack_receipt, "inbound": pack_inbound}
        raws = []
        for row in body if isinstance(body, list) else [body]:
            kind = row.get("type") or row.get("direction") if isinstance(row, dict) else None
            packer = packers.get(str(kind))
            raws.append(packer(row) if packer else pack_raw(STRANGE, json.dumps(row).encode()))
        return raws

    # -- messages from handsets --------------------------------------------------------------------------

    async def pull_inbound(self, cursor: str) -> PulledPage:
        """By time, with an overlap; a full page is continued after its last id. Cursor: time, or time#id."""
        since, _, last = cursor.partition("#")
        now = datetime.now(UTC)
        if last:
            query = {"greater_than": last}
        else:
            began = datetime.fromisoformat(since) - OVERLAP if since else now - timedelta(days=1)
            ended = now + timedelta(minutes=1)
            query = {"from_time": f"{began.astimezone(ZONE):{SHAPE}}", "to_time": f"{ended.astimezone(ZONE):{SHAPE}}"}
        rows = await self._ask("/inbound_messages", {**self._login, **query})
        raws = [pack_inbound(row) for row in rows]
        began_at = since if last else now.isoformat()
        if len(rows) < ROWS:
            return PulledPage(raws, cursor=began_at)
        return PulledPage(raws, is_last=False, cursor=f"{began_at}#{rows[-1]['message_id']}")

    def read_inbound(self, payload: bytes) -> InboundMessage:
        row = json.loads(payload)
        return InboundMessage(
            f"+{row['source_addr']}",
            str(row["destination_addr"]),
            str(row["content"]),
            provider_message_id=str(row["message_id"]),
            occurred_at=str(row.get("received_at") or ""),
        )

    # -- account -----------------------------------------------------------------------------------------

    async def _ask(self, path: str, query: dict[str, str], *, may_be_unknown: bool = False) -> list[Any]:
        """The rows of a question; ``may_be_unknown``: none where they know no such campaign, or not as ours."""
        answer = await self.client.exchange(HttpRequest.get(path, query))
        if may_be_unknown and (answer.status == 404 or codes.is_not_theirs(answer)):
            return []
        self.check_status(answer)
        rows = answer.json() if answer.status == 200 else None
        if not isinstance(rows, list):
            code = str(answer.status)
            raise OutcomeUnknown("no rows", code=code, reason=Reason.MALFORMED, evidence=answer.evidence)
        return rows

    async def get_balance(self) -> str:
        """Credits, one a part."""
        answer = await self.exchange(HttpRequest.get("/balance", self._login))
        return str(float(answer.text.strip()))

    async def list_senders(self) -> list[str]:
        return [str(name) for name in await self._ask("/headers", self._login)]


def write_custom_id(messages: Sequence[OutboundMessage]) -> str:
    """Our name of a call, made of what is in it: it can be asked for when the answer got lost."""
    content = ",".join(f"{m.token}={m.msisdn}" for m in messages)
    return OWN + hashlib.sha256(content.encode()).hexdigest()[:24]
