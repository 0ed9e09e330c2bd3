"""Netgsm REST v2.

One job id per call, receipts by job and number, ten questions a minute. The text says what counts: the code in the
body, whatever the HTTP status.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gateways.adapters.netgsm import codes
from gateways.adapters.netgsm.fields import FIELDS
from gateways.base import BadSettings, Deferred
from gateways.http.charges import read_parts
from gateways.http.events import PulledPage, PushRequest, pack_inbound, pack_receipt
from gateways.http.gateway import HttpGateway
from gateways.http.messages import HttpAnswer, HttpRequest
from gateways.http.numbers import read_msisdn, write_job_id, write_national
from gateways.http.refusals import find_refusal, refuse_unicode
from gateways.http.settings import HttpSettings, secret
from gateways.types import (
    Capabilities,
    DeliveryEvent,
    DeliveryState,
    InboundMessage,
    OutboundMessage,
    OutcomeKind,
    Reason,
    SubmitOutcome,
)

ZONE = ZoneInfo("Europe/Istanbul")
MOST_ROWS = 100
SHORTEST, LONGEST = timedelta(hours=1), timedelta(hours=21)
SEARCH = "?"
SEARCH_TIME = "%d.%m.%Y %H:%M:%S"
OVERLAP = timedelta(minutes=10)
LONGEST_SPAN = timedelta(days=29)
"""Of one question to the inbox; they take thirty days."""
IYS_FILTERS = {"BIREYSEL": "11", "TACIR": "12"}


@dataclass(frozen=True, slots=True, kw_only=True)
class NetgsmSettings(HttpSettings):
    """username/password   subscriber number or API user, and its password
    iys_recipient_type     who commercial messages go to: BIREYSEL or TACIR
    partner_code, app_name what a dealer's contract asks for
    searches_by_date       whether /report may be asked by dates alone (unverified; off: a call without an answer is
                           cleared by nothing but time)
    sets_stop_date         send start and stop dates for a validity shorter than their 21 hours
    """

    username: str = ""
    password: str = secret()
    iys_recipient_type: str = "BIREYSEL"
    partner_code: str = ""
    app_name: str = ""
    searches_by_date: bool = True
    sets_stop_date: bool = True

    def check(self) -> None:
        HttpSettings.check(self)
        self.require("username", "password")
        if self.iys_recipient_type not in IYS_FILTERS:
            raise BadSettings("iys_recipient_type: BIREYSEL or TACIR")


class NetgsmGateway(HttpGateway):
    slug = "netgsm"
    title = "Netgsm"
    settings_fields = FIELDS
    default_url = "https://api.netgsm.com.tr"
    settings_class = NetgsmSettings
    secret_settings = frozenset({"password"})
    typed_pushes = ("inbound",)
    gather_seconds = 0.5
    capabilities = Capabilities(
        batch_size=1000,
        id_per_message=False,
        receipts="pull",
        receipts_by="job",
        jobs_per_query=50,
        receipt_queries_per_minute=10,
        receipt_rows_per_query=MOST_ROWS,
        tells_charges=True,
        finds_unknown=True,
        balance=True,
        inbound=True,
        inbound_pull_seconds=60.0,
        prefixes=("+90",),
        national_tables=True,
        unicode=False,
    )

    def list_secrets(self) -> list[str]:
        return [*super().list_secrets(), self._basic]

    @property
    def _basic(self) -> str:
        return base64.b64encode(f"{self.settings.username}:{self.settings.password}".encode()).decode()

    def _ask(self, path: str, body: dict[str, Any]) -> HttpRequest:
        if self.settings.app_name:
            body = {**body, "appname": self.settings.app_name}
        return HttpRequest.json(f"/sms/rest/v2/{path}", body, {"Authorization": f"Basic {self._basic}"})

    # -- sending -----------------------------------------------------------------------------------------

    def write_request(self, messages: Sequence[OutboundMessage]) -> HttpRequest:
        first = messages[0]
        refuse_unicode(messages)
        is_commercial = first.content_class == "commercial"
        body: dict[str, Any] = {
            "msgheader": first.sender,
            "iysfilter": IYS_FILTERS[self.settings.iys_recipient_type] if is_commercial else "0",
            "messages": [{"msg": m.text, "no": write_national(m.msisdn)} for m in messages],
        }
        if first.encoding != "gsm7":
            body["encoding"] = "TR"
        if self.settings.partner_code:
            body["partnercode"] = self.settings.partner_code
        validity = timedelta(seconds=first.validity_seconds)
        if self.settings.sets_stop_date and timedelta() < validity < LONGEST:
            now = datetime.now(ZONE)
            body["startdate"] = f"{now:%d%m%Y%H%M}"
            body["stopdate"] = f"{now + max(SHORTEST, validity):%d%m%Y%H%M}"
        return self._ask("send", body)

    def check_status(self, answer: HttpAnswer) -> None:
        if answer.status != 406:  # their way to say that the body holds a code
            super().check_status(answer)

    def read_answer(self, answer: HttpAnswer, messages: Sequence[OutboundMessage]) -> list[SubmitOutcome]:
        body = answer.object()
        code = str(body["code"])
        if code not in codes.ACCEPTED:
            raise find_refusal(codes.SEND, code, answer)
        job = str(body.get("jobid") or body.get("jobId") or "")
        return [
            SubmitOutcome(m.token, OutcomeKind.ACCEPTED, write_job_id(job, m.msisdn) if job else "", job=job)
            for m in messages
        ]

    def write_unknown_job(self, messages: Sequence[OutboundMessage], sent_at: float) -> str:
        if not self.settings.searches_by_date:
            return ""
        began = datetime.fromtimestamp(sent_at, ZONE)
        ended = began + timedelta(seconds=self.settings.total_seconds + 60)
        return _write_search(began - timedelta(seconds=5), ended)

    def join_searches(self, one: str, other: str) -> str:
        """Overlapping ones: an outage leaves a search for each of its calls."""
        (began, ended), (other_began, other_ended) = sorted((_read_search(one), _read_search(other)))
        return _write_search(began, max(ended, other_ended)) if other_began <= ended else ""

    # -- receipts ----------------------------------------------------------------------------------------

    async def pull_jobs(self, jobs: Sequence[str], page: int) -> PulledPage:
        most = min(MOST_ROWS, self.settings.receipt_rows_per_query or MOST_ROWS)
        body: dict[str, Any] = {"pagenumber": page, "pagesize": most}
        if jobs[0].startswith(SEARCH):
            body["startdate"], body["stopdate"] = jobs[0].removeprefix(SEARCH).split("/")
        else:
            body["jobids"] = list(jobs)
        answer = await self.exchange(self._ask("report", body))
        rows = _read_rows(answer, "jobs", frozenset({codes.NO_RECORDS}))
        return PulledPage([pack_receipt(row) for row in rows], is_last=len(rows) < most)

    def read_receipt(self, payload: bytes) -> DeliveryEvent:
        row = json.loads(payload)
        job, msisdn = str(row["jobid"]), read_msisdn(row.get("number") or row.get("telno"))
        status, error = str(row["status"]), str(row.get("errorCode") or "0")
        state, reason = codes.STATUS.get(status, (DeliveryState.UNKNOWN, Reason.NONE))
        if state is DeliveryState.UNDELIVERED and status in ("2", "4", "11", "12"):
            reason = codes.ERROR.get(error, reason)
        return DeliveryEvent(
            write_job_id(job, msisdn),
            msisdn,
            state,
            reason,
            code=status if error == "0" else f"{status}/{error}",
            occurred_at=str(row.get("deliveredDate") or ""),
            job_id=job,
            billed_parts=read_parts(row.get("msglen")),
        )

    # -- messages from handsets --------------------------------------------------------------------------

    async def pull_inbound(self, cursor: str) -> PulledPage:
        """By dates: without them each message is listed only once, and lost with the answer."""
        now = datetime.now(ZONE)
        since = datetime.fromisoformat(cursor).astimezone(ZONE) - OVERLAP if cursor else now - timedelta(days=1)
        since = max(since, now - LONGEST_SPAN)
        query = {"startdate": f"{since:%d%m%Y%H%M%S}", "stopdate": f"{now + timedelta(minutes=1):%d%m%Y%H%M%S}"}
        headers = {"Authorization": f"Basic {self._basic}"}
        answer = await self.exchange(HttpRequest.get("/sms/rest/v2/inbox", query, headers))
        rows = _read_rows(answer, "messages", frozenset({codes.NO_INBOUND}))
        return PulledPage([pack_inbound(row) for row in rows], cursor=now.astimezone(UTC).isoformat())

    def read_push(self, push: PushRequest) -> list[bytes]:
        """The portal's webhook for inbound messages. Their receipt webhook's shape is not known: kept as it came."""
        row = push.json()
        fields = {"message": "mesaj", "sender": "ceptel", "receiver": "aboneno", "datetime": "tarih"}
        return [pack_inbound({ours: row[theirs] for ours, theirs in fields.items()})]

    def read_inbound(self, payload: bytes) -> InboundMessage:
        row = json.loads(payload)
        sender, receiver, text = (str(row[name]) for name in ("sender", "receiver", "message"))
        at = str(row.get("datetime") or "")
        told = "\x1f".join([_read_plain(sender), _read_plain(receiver), text, _read_minute(at)])
        number = hashlib.sha256(told.encode()).hexdigest()[:32]
        return InboundMessage(read_msisdn(sender), receiver, text, provider_message_id=number, occurred_at=at)

    # -- account -----------------------------------------------------------------------------------------

    async def get_balance(self) -> str:
        """Credit with a decimal point; the credentials travel in the body here."""
        login = {"usercode": self.settings.username, "password": self.settings.password, "stip": 2}
        answer = await self.exchange(HttpRequest.json("/balance", login))
        body = answer.object()
        if str(body["code"]) != "00":
            raise find_refusal(codes.SEND, str(body["code"]), answer)
        return str(body["balance"]).replace(".", "").replace(",", ".")

    async def list_senders(self) -> list[str]:
        headers = {"Authorization": f"Basic {self._basic}"}
        answer = await self.exchange(HttpRequest.get("/sms/rest/v2/msgheader", headers=headers))
        return [str(name) for name in _read_rows(answer, "msgheaders", frozenset())]


def _read_rows(answer: HttpAnswer, name: str, nothing: frozenset[str]) -> list[Any]:
    """Rows of a query's answer; the codes in ``nothing`` say that there are none."""
    body = answer.object()
    code = str(body["code"])
    if code in nothing:
        return []
    if code == codes.QUERY_LIMIT:
        raise Deferred("too many queries", code=code, retry_after_seconds=10.0)
    if code != "00":
        raise find_refusal(codes.SEND, code, answer)
    return list(body[name])


def _write_search(began: datetime, ended: datetime) -> str:
    return f"{SEARCH}{began:{SEARCH_TIME}}/{ended:{SEARCH_TIME}}"


def _read_search(job: str) -> tuple[datetime, datetime]:
    began, ended = (
        datetime.strptime(text, SEARCH_TIME).replace(tzinfo=ZONE) for text in job.removeprefix(SEARCH).split("/")
    )
    return began, ended


def _read_plain(number: str) -> str:
    """``05321234567``, ``+90 532 …`` and ``5321234567`` are one number, as ``08503000000`` and ``8503000000`` are."""
    return read_msisdn(number).removeprefix("+90").lstrip("+")


def _read_minute(at: str) -> str:
    """``25.11.2026 11:02:44`` and ``2026-11-25 11:02:44.053`` name the same moment: push and pull bring one message."""
    for shape in ("%d.%m.%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S"):
        try:
            return time.strftime("%Y%m%d%H%M%S", time.strptime(at.split(".")[0] if "-" in at else at, shape))
        except ValueError:
            continue
    return at
