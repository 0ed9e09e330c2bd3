"""Figensoft's Posta Güvercini, JSON API.

An id for each message, up to 800 messages a call, receipts asked for by their ids. What counts is the code in the body,
whatever the HTTP status.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateways.adapters.figensoft import codes
from gateways.adapters.figensoft.fields import FIELDS
from gateways.base import BadSettings, Deferred, GatewayError, LoginRefused, OutcomeUnknown, Rejected
from gateways.findings import Finding
from gateways.http.charges import read_parts
from gateways.http.events import PulledPage, pack_receipt
from gateways.http.gateway import HttpGateway
from gateways.http.messages import HttpAnswer, HttpRequest
from gateways.http.numbers import read_international, read_msisdn, write_digits
from gateways.http.refusals import find_refusal, refuse_unicode
from gateways.http.settings import HttpSettings, secret
from gateways.types import (
    Capabilities,
    CheckResult,
    DeliveryEvent,
    OutboundMessage,
    OutcomeKind,
    Reason,
    SubmitOutcome,
)
from smscore.folding import fold_plain

ROWS = 200
TURKEY = ("90",)
OTP_URL = "https://otpsms.postaguvercini.com/api_json"
SHAPE = "%Y%m%d %H:%M"


@dataclass(frozen=True, slots=True, kw_only=True)
class FigensoftSettings(HttpSettings):
    """username, password
    channel                 BULK, or OTP: by default on their host for one-time passwords
    sends_originator        name the sender ID; off for accounts that have one header only
    sets_expire_date        send the end of the validity (minutes, in ``time_zone``)
    prefixes                country codes that are sent to
    sends_unicode           characters beyond GSM-7 and Turkish arrive (unverified; off: refused before they are sent)
    login_words             parts of the text of a body code 500 that say: the login is wrong, nothing was taken
    retries_server_error    any other 500 took nothing (unverified; off: unknown, never sent again)
    trusts_final_flag       a failure with IsFinalStatus 0 may still change (unverified)
    """

    username: str = ""
    password: str = secret()
    channel: str = "BULK"
    sends_originator: bool = True
    sets_expire_date: bool = True
    time_zone: str = "Europe/Istanbul"
    prefixes: tuple[str, ...] = TURKEY
    sends_unicode: bool = False
    login_words: tuple[str, ...] = codes.LOGIN_WORDS
    retries_server_error: bool = False
    trusts_final_flag: bool = True

    def check(self) -> None:
        HttpSettings.check(self)
        self.require("username", "password", "prefixes")
        if not all(isinstance(word, str) and word.strip() for word in self.login_words):
            raise BadSettings("login_words: a list of texts")
        if self.channel not in ("BULK", "OTP"):
            raise BadSettings("channel: BULK or OTP")
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise BadSettings("time_zone: a zone like Europe/Istanbul") from error


class FigensoftGateway(HttpGateway):
    slug = "figensoft"
    title = "Figensoft (Posta Güvercini)"
    settings_fields = FIELDS
    default_url = "https://www.postaguvercini.com/api_json"
    settings_class = FigensoftSettings
    secret_settings = frozenset({"password"})
    capabilities = Capabilities(
        batch_size=800,
        receipts="pull",
        receipts_by="job",
        jobs_per_query=50,
        receipt_queries_per_minute=60,
        receipt_rows_per_query=ROWS,
        tells_charges=True,
        balance=True,
        unicode=False,
    )

    @classmethod
    def carries_unicode(cls, settings: Mapping[str, Any]) -> bool:
        return bool(settings.get("sends_unicode"))

    @classmethod
    def list_prefixes(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(f"+{prefix}" for prefix in settings.get("prefixes", TURKEY))

    @classmethod
    def find_base_url(cls, settings: Mapping[str, Any]) -> Any:
        return settings.get("base_url", OTP_URL if settings.get("channel") == "OTP" else cls.default_url)

    def _ask(self, operation: str, fields: dict[str, Any]) -> HttpRequest:
        login = {"Username": self.settings.username, "Password": self.settings.password}
        return HttpRequest.json(f"/v1/Sms/{operation}", {**login, **fields})

    # -- sending -----------------------------------------------------------------------------------------

    def write_request(self, messages: Sequence[OutboundMessage]) -> HttpRequest:
        first = messages[0]
        if not self.settings.sends_unicode:
            refuse_unicode(messages)
        body: dict[str, Any] = {"Channel": self.settings.channel}
        if self.settings.sends_originator:
            body["Originator"] = first.sender
        if self.settings.sets_expire_date and first.validity_seconds:
            # Their minutes, rounded up: never shorter than what was asked for.
            until = datetime.now(ZoneInfo(self.settings.time_zone)) + timedelta(seconds=first.validity_seconds + 59)
            body["ExpireDate"] = f"{until:{SHAPE}}"
        numbers = [self._write_number(m.msisdn) for m in messages]
        if all(m.text == first.text for m in messages):
            return self._ask("Send_1_N", {**body, "Message": first.text, "Receivers": numbers})
        body["Messages"] = [{"Receiver": n, "Message": m.text} for n, m in zip(numbers, messages, strict=True)]
        return self._ask("Send_N_N", body)

    def _write_number(self, msisdn: str) -> str:
        digits = write_digits(msisdn)
        if not digits.startswith(self.settings.prefixes):
            raise Rejected("not a country of this account", code="number", reason=Reason.BAD_ADDRESS, spoiled=True)
        return digits

    def _read_number(self, value: Any) -> str:
        """Ten digits are a Turkish number only where no others are sent to."""
        return read_msisdn(value) if self.settings.prefixes == TURKEY else read_international(value)

    def check_status(self, answer: HttpAnswer) -> None:
        if answer.status in (401, 403, 429) or _read_code(answer) is None:
            super().check_status(answer)

    def _explain_server_error(self, answer: HttpAnswer) -> GatewayError:
        """A wrong login and their own trouble have one code. Only their words can tell them apart: that other
        questions get the same code proves nothing about this one."""
        code, text = str(codes.SERVER_ERROR), fold_plain(str(answer.object().get("StatusDescription") or ""))
        if any(fold_plain(word) in text for word in self.settings.login_words):
            return LoginRefused("login refused", code=code, reason=Reason.LOGIN)
        if self.settings.retries_server_error:
            return Deferred("server error", code=code, reason=Reason.SYSTEM, retry_after_seconds=30.0)
        return OutcomeUnknown("server error", code=code, reason=Reason.SYSTEM, evidence=answer.evidence)

    def read_answer(self, answer: HttpAnswer, messages: Sequence[OutboundMessage]) -> list[SubmitOutcome]:
        ids: dict[str, deque[str]] = defaultdict(deque)
        for row in self._read(answer):
            ids[self._read_number(row["Receiver"])].append(str(row["MessageId"] or ""))
        found = [ids[m.msisdn].popleft() if ids[m.msisdn] else "" for m in messages]
        job = write_job(filter(None, found))
        return [
            SubmitOutcome(m.token, OutcomeKind.ACCEPTED, number, job=job)
            if number
            else SubmitOutcome(
                m.token, OutcomeKind.UNKNOWN, code="no row", reason=Reason.MALFORMED, evidence=answer.evidence
            )
            for m, number in zip(messages, found, strict=True)
        ]

    def _read(self, answer: HttpAnswer) -> Any:
        """``Result`` of a success. Raises what another code means."""
        body = answer.object()
        code = int(body["StatusCode"])
        if code == codes.SERVER_ERROR:
            raise self._explain_server_error(answer)
        if code != codes.DONE:
            raise find_refusal(codes.REFUSALS, str(code), answer)
        if answer.status >= 300:
            raise OutcomeUnknown("status", code=str(answer.status), reason=Reason.SYSTEM, evidence=answer.evidence)
        return body["Result"]

    # -- receipts ----------------------------------------------------------------------------------------

    async def pull_jobs(self, jobs: Sequence[str], page: int) -> PulledPage:
        """Ids nobody knows come back with an empty status: no news of them."""
        ids = [number for job in jobs for number in read_job(job)]
        most = self.settings.receipt_rows_per_query or ROWS
        answer = await self.exchange(self._ask("Status", {"MessageIds": ids[page * most : (page + 1) * most]}))
        is_last = (page + 1) * most >= len(ids)
        if _read_code(answer) in codes.NO_RECORD:
            return PulledPage([], is_last)
        return PulledPage([pack_receipt(row) for row in self._read(answer) if row["SmsStatus"]], is_last)

    def read_receipt(self, payload: bytes) -> DeliveryEvent:
        row = json.loads(payload)
        number, status = str(row["MessageId"]), str(row["SmsStatus"])
        trusts = self.settings.trusts_final_flag
        state, reason = codes.find_state(status, str(row.get("IsFinalStatus", "")), trusts_flag=trusts)
        return DeliveryEvent(
            number,
            self._read_number(row.get("Receiver")),
            state,
            reason,
            code=status,
            occurred_at=str(row.get("StatusTime") or ""),
            billed_parts=read_parts(row.get("SmsCharge")),
        )

    def find_job(self, event: DeliveryEvent, jobs: Sequence[str]) -> str:
        return next((job for job in jobs if event.provider_message_id in _read_ids(job)), "")

    # -- account -----------------------------------------------------------------------------------------

    async def check(self) -> CheckResult:
        result = await super().check()
        if result.code == str(codes.SERVER_ERROR) and result.finding is not Finding.LOGIN_REFUSED:
            return replace(result, finding=Finding.LOGIN_OR_SERVER)
        return result

    async def get_balance(self) -> str:
        """Messages left."""
        return str(self._read(await self.exchange(self._ask("CreditBalance", {})))["Balance"])


def _read_code(answer: HttpAnswer) -> int | None:
    try:
        return int(answer.object()["StatusCode"])
    except (LookupError, ValueError, TypeError):
        return None


def write_job(ids: Iterable[str]) -> str:
    """The ids of a call in a line: ids that follow each other as first and count."""
    runs: list[tuple[str, int]] = []
    for number in ids:
        first, count = runs[-1] if runs else ("", 0)
        if first.isdecimal() and number == str(int(first) + count):
            runs[-1] = (first, count + 1)
        else:
            runs.append((number, 1))
    return json.dumps(runs, separators=(",", ":")) if runs else ""


def read_job(job: str) -> list[str]:
    return [n for first, count in json.loads(job) for n in ([first] if count == 1 else _count_up(first, count))]


@lru_cache(maxsize=128)  # asked for every receipt of a round
def _read_ids(job: str) -> frozenset[str]:
    return frozenset(read_job(job))


def _count_up(first: str, count: int) -> list[str]:
    return [str(int(first) + step) for step in range(count)]
