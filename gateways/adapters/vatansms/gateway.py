"""VatanSMS (api.vatansms.net).

One report id per call, receipts by report and number, a hundred rows a page. Errors are free text; the key travels in
the body of every call.
"""

from __future__ import annotations

import json
import time
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from gateways.adapters.vatansms import codes
from gateways.adapters.vatansms.fields import FIELDS
from gateways.base import BadSettings, GatewayError, OutcomeUnknown, Rejected
from gateways.http.events import PulledPage, pack_receipt
from gateways.http.gateway import HttpGateway
from gateways.http.messages import HttpAnswer, HttpRequest
from gateways.http.numbers import read_msisdn, write_job_id, write_national
from gateways.http.refusals import make_error, refuse_unicode
from gateways.http.settings import HttpSettings, secret
from gateways.types import Capabilities, DeliveryEvent, OutboundMessage, OutcomeKind, Reason, SubmitOutcome

ZONE = ZoneInfo("Europe/Istanbul")
MOST_ROWS = 100
SEARCH = "?"
CLOCK_MARGIN = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VatansmsSettings(HttpSettings):
    """api_id, api_key           from their panel
    iys_list                     BIREYSEL or TACIR: send iys and iys_list with commercial messages (unverified: only
                                 when the provider has confirmed them)
    sends_otp                    an account for one-time passwords: every message by /otp, one a call
    searches_by_date             look for calls without an answer, or without an id in it, by /report/between
    rejects_invalid_phones       numbers that an answer lists as invalid were not taken (unverified)
    error_words, status_words    texts this account has met, and what they mean: ``codes.REFUSALS``, ``codes.STATES``
    """

    api_id: str = secret()
    api_key: str = secret()
    iys_list: str = ""
    sends_otp: bool = False
    searches_by_date: bool = True
    rejects_invalid_phones: bool = True
    error_words: Mapping[str, str] = field(default_factory=dict)
    status_words: Mapping[str, str] = field(default_factory=dict)

    def check(self) -> None:
        HttpSettings.check(self)
        self.require("api_id", "api_key")
        if self.iys_list not in ("", "BIREYSEL", "TACIR"):
            raise BadSettings("iys_list: BIREYSEL, TACIR or empty")
        for name, meanings in (("error_words", codes.REFUSALS), ("status_words", codes.STATES)):
            for word, meaning in getattr(self, name).items():
                if not word.strip() or meaning not in meanings:
                    raise BadSettings(f"{name}: a text, and one of {', '.join(meanings)}")


class VatansmsGateway(HttpGateway):
    slug = "vatansms"
    title = "VatanSMS"
    settings_fields = FIELDS
    default_url = "https://api.vatansms.net/api/v1"
    settings_class = VatansmsSettings
    secret_settings = frozenset({"api_key"})
    gather_seconds = 0.5
    capabilities = Capabilities(
        batch_size=1000,
        id_per_message=False,
        receipts="pull",
        receipts_by="job",
        receipt_queries_per_minute=60,
        receipt_rows_per_query=MOST_ROWS,
        finds_unknown=True,
        balance=True,
        prefixes=("+90",),
        national_tables=True,
        widens_turkish=True,
        unicode=False,
    )

    def __init__(self, settings: VatansmsSettings) -> None:
        super().__init__(settings)
        self._words = codes.Words(settings.error_words, settings.status_words)

    def list_secrets(self) -> list[str]:
        return [*super().list_secrets(), self.settings.api_id]

    @property
    def batch_size(self) -> int:
        return 1 if self.settings.sends_otp else super().batch_size

    def group_key(self, message: OutboundMessage) -> Hashable:
        return super().group_key(message), codes.is_normal(message.text)

    def _ask(self, path: str, fields: dict[str, Any], query: dict[str, str] | None = None) -> HttpRequest:
        login = {"api_id": self.settings.api_id, "api_key": self.settings.api_key}
        request = HttpRequest.json(path, {**login, **fields})
        return HttpRequest("POST", path, request.body, request.headers, query or {})

    # -- sending -----------------------------------------------------------------------------------------

    def write_request(self, messages: Sequence[OutboundMessage]) -> HttpRequest:
        first = messages[0]
        refuse_unicode(messages)
        is_commercial = first.content_class == "commercial"
        body: dict[str, Any] = {
            "sender": first.sender,
            "message_type": "normal" if all(codes.is_normal(m.text) for m in messages) else "turkce",
            "message_content_type": "ticari" if is_commercial else "bilgi",
        }
        if is_commercial and self.settings.iys_list:
            body |= {"iys": 1, "iys_list": self.settings.iys_list}
        phones = [write_national(m.msisdn) for m in messages]
        if any(m.text != first.text for m in messages):
            body["phones"] = [{"phone": p, "message": m.text} for p, m in zip(phones, messages, strict=True)]
            return self._ask("/NtoN", body)
        body |= {"message": first.text, "phones": phones}
        return self._ask("/otp" if self.settings.sends_otp else "/1toN", body)

    def check_status(self, answer: HttpAnswer) -> None:
        """A refusal in the account's own words counts whatever the status; any other words with a 5xx prove nothing:
        "API zaman aşımı" begins like a refused login, and may have been sent."""
        if answer.status >= 500 and (error := self._find_error(answer, own_only=True)):
            raise error
        super().check_status(answer)

    def read_answer(self, answer: HttpAnswer, messages: Sequence[OutboundMessage]) -> list[SubmitOutcome]:
        body = self._read(answer)
        report = codes.read_report_id(body)
        job = report or self.write_unknown_job(messages, time.time() - self.settings.total_seconds)
        invalid = codes.read_invalid(body) if self.settings.rejects_invalid_phones else frozenset()
        return [
            SubmitOutcome(m.token, OutcomeKind.REJECTED, code="invalid_phones", reason=Reason.BAD_ADDRESS)
            if m.msisdn in invalid
            else SubmitOutcome(m.token, OutcomeKind.ACCEPTED, write_job_id(report, m.msisdn) if report else "", job=job)
            for m in messages
        ]

    def write_unknown_job(self, messages: Sequence[OutboundMessage], sent_at: float) -> str:
        if not self.settings.searches_by_date:
            return ""
        began, ended = sent_at - CLOCK_MARGIN, sent_at + self.settings.total_seconds + 60
        return f"{SEARCH}{_write_time(began)}/{_write_time(ended)}"

    # -- answers -----------------------------------------------------------------------------------------

    def _read(self, answer: HttpAnswer) -> dict[str, Any]:
        """The body of a success. Raises what an error in it means."""
        if error := self._find_error(answer):
            raise error
        body = answer.object()
        if body.get("status") != "success" or answer.status >= 300:
            code = str(body.get("status"))[: codes.CODE_LENGTH]
            raise OutcomeUnknown("no success", code=code, reason=Reason.MALFORMED, evidence=answer.evidence)
        return body

    def _find_error(self, answer: HttpAnswer, *, own_only: bool = False) -> GatewayError | None:
        """The error an answer tells of; ``own_only``: only one in the account's own words."""
        try:
            body = answer.object()
        except ValueError:
            return None
        if body.get("status") != "error":
            return None
        text = self.scrub(str(body.get("description") or body.get("message") or ""))
        refusal = self._words.find_refusal(text, own_only=own_only)
        if refusal is None:
            if own_only:
                return None
            refusal = codes.OTHER_REFUSAL
        return make_error(refusal, text[: codes.CODE_LENGTH], answer.evidence)

    # -- receipts ----------------------------------------------------------------------------------------

    async def pull_jobs(self, jobs: Sequence[str], page: int) -> PulledPage:
        job = jobs[0]
        try:
            if job.startswith(SEARCH):
                return await self._search(job)
            size = min(MOST_ROWS, self.settings.receipt_rows_per_query or MOST_ROWS)
            query = {"page": str(page + 1), "pageSize": str(size)}
            answer = await self.exchange(self._ask("/report/detail", {"report_id": codes.write_id(job)}, query))
            data = self._read(answer)["data"]
        except Rejected:  # their way to say that there is no such report
            return PulledPage([])
        rows, last = data["data"], int(data.get("last_page") or 0)
        raws = [pack_receipt({"report_id": job, **{k: v for k, v in r.items() if k != "message"}}) for r in rows]
        return PulledPage(raws, is_last=page + 1 >= last if last else len(rows) < size)

    async def _search(self, job: str) -> PulledPage:
        """The reports of a time, to be asked about one by one: the messages in them are found by their numbers."""
        began, ended = job.removeprefix(SEARCH).split("/")
        answer = await self.exchange(self._ask("/report/between", {"start_date": began, "end_date": ended}))
        data = self._read(answer)["data"]
        rows = data["data"] if isinstance(data, dict) else data
        return PulledPage([], found=tuple((str(row["id"]), 0) for row in rows))

    def read_receipt(self, payload: bytes) -> DeliveryEvent:
        row = json.loads(payload)
        job, msisdn, said = str(row["report_id"]), read_msisdn(row["phone"]), row["status_description"]
        text = "" if said is None else str(said)
        state, reason = self._words.find_state(text)
        at = str(row.get("result_time") or row.get("created_at") or "")
        code = text[: codes.CODE_LENGTH]
        return DeliveryEvent(write_job_id(job, msisdn), msisdn, state, reason, code, occurred_at=at, job_id=job)

    # -- account -----------------------------------------------------------------------------------------

    async def get_balance(self) -> str:
        """Messages left."""
        data = self._read(await self.exchange(self._ask("/user/information", {})))["data"]
        return str(data["credit"] if "credit" in data else data["balance"])

    async def list_senders(self) -> list[str]:
        rows = self._read(await self.exchange(self._ask("/senders", {})))["data"]
        return [str(row["sender"]) for row in rows if str(row.get("status")) == "1"]


def _write_time(at: float) -> str:
    return f"{datetime.fromtimestamp(at, ZONE):%Y-%m-%d %H:%M:%S}"
