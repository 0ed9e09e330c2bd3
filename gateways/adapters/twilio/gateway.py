"""Twilio Programmable Messaging: one message a call, statuses pushed; what no push has told is asked for by its sid.

There is no id of ours and nothing that keeps a repeated call from sending twice: a call without an answer is looked
for in the list of messages, by number, time and text.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from gateways.adapters.twilio import codes
from gateways.adapters.twilio.fields import FIELDS
from gateways.adapters.twilio.signature import SETTINGS_HEADER, SIGNATURE_HEADER, list_spellings, read_settings, sign
from gateways.base import BadSettings, OutcomeUnknown, Rejected
from gateways.http.charges import read_parts, read_price
from gateways.http.events import PulledPage, PushRequest, pack_inbound, pack_receipt
from gateways.http.gateway import HttpGateway
from gateways.http.messages import HttpAnswer, HttpRequest
from gateways.http.numbers import read_international
from gateways.http.settings import HttpSettings, secret
from gateways.types import (
    Capabilities,
    CheckResult,
    DeliveryEvent,
    Finding,
    InboundMessage,
    OutboundMessage,
    OutcomeKind,
    Reason,
    SubmitOutcome,
)

SEARCH = "?"
LONGEST_TEXT = 1600
LONGEST_VALIDITY = 36_000
CLOCKS = 60.0
"""Seconds by which their clock may differ from ours when a message is looked for by its time."""
KEPT = ("sid", "status", "error_code", "to", "date_sent", "date_updated", "num_segments", "price", "price_unit")


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioSettings(HttpSettings):
    """account_sid         AC…
    auth_token             of the account: signs their calls to us, and logs in where there is no API key
    api_key_sid, api_key_secret   SK… and its secret; preferred for logging in
    messaging_service_sid  MG…: the service chooses the sender; empty = our sender ID as "From"
    signing_key_id, signing_key_secret   shared key of the newer signature (HMAC-SHA256)
    callback_options       appended to the callback's address after "#": retries and timeouts of their calls, for
                           instance rc=5&rp=all; their defaults are unverified
    """

    account_sid: str = ""
    auth_token: str = secret()
    api_key_sid: str = ""
    api_key_secret: str = secret()
    messaging_service_sid: str = ""
    signing_key_id: str = ""
    signing_key_secret: str = secret()
    callback_options: str = ""
    # Pushed as a rule, once: what has not come in an hour is asked for.
    receipt_polls: tuple[float, ...] = (3600.0, 14_400.0, 43_200.0, 86_400.0)

    def check(self) -> None:
        HttpSettings.check(self)
        self.require("account_sid")
        if bool(self.api_key_sid) != bool(self.api_key_secret):
            raise BadSettings("api_key_sid: a key and its secret belong together")
        if not self.api_key_sid:
            self.require("auth_token")
        if bool(self.signing_key_id) != bool(self.signing_key_secret):
            raise BadSettings("signing_key_id: a key and its secret belong together")


class TwilioGateway(HttpGateway):
    slug = "twilio"
    title = "Twilio"
    settings_fields = FIELDS
    default_url = "https://api.twilio.com"
    settings_class = TwilioSettings
    secret_settings = frozenset({"auth_token", "api_key_secret", "signing_key_secret"})
    typed_pushes = ("inbound",)
    capabilities = Capabilities(
        batch_size=1,
        receipts="both",
        receipts_by="job",
        tells_charges=True,
        finds_unknown=True,
        balance=True,
        inbound=True,
    )

    def list_secrets(self) -> list[str]:
        return [*super().list_secrets(), self._basic]

    @property
    def _basic(self) -> str:
        settings = self.settings
        user = settings.api_key_sid or settings.account_sid
        password = settings.api_key_secret or settings.auth_token
        return base64.b64encode(f"{user}:{password}".encode()).decode()

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Basic {self._basic}"}

    def _path(self, rest: str) -> str:
        return f"/2010-04-01/Accounts/{self.settings.account_sid}/{rest}"

    # -- sending -----------------------------------------------------------------------------------------

    def write_request(self, messages: Sequence[OutboundMessage]) -> HttpRequest:
        [message] = messages
        if len(message.text) > LONGEST_TEXT:
            raise Rejected("longer than they take", code="length", reason=Reason.BAD_CONTENT)
        # Letters may not be replaced: the text is final, and counted as it is.
        fields = {"To": message.msisdn, "Body": message.text, "SmartEncoded": "false"}
        if self.settings.messaging_service_sid:
            fields["MessagingServiceSid"] = self.settings.messaging_service_sid
        else:
            fields["From"] = message.sender
        if message.validity_seconds:
            fields["ValidityPeriod"] = str(min(message.validity_seconds, LONGEST_VALIDITY))
        callback = self._write_callback()
        if callback:
            fields["StatusCallback"] = callback
        return HttpRequest.form(self._path("Messages.json"), fields, self._headers)

    def _write_callback(self) -> str:
        """Where they tell us; they take no host name with an underscore."""
        settings = self.settings
        if settings.receipts == "pull" or "_" in (urlsplit(settings.push_url).hostname or "_"):
            return ""
        options = f"#{settings.callback_options}" if settings.callback_options else ""
        return f"{settings.push_url}/receipts{options}"

    def read_answer(self, answer: HttpAnswer, messages: Sequence[OutboundMessage]) -> list[SubmitOutcome]:
        if answer.status >= 400:
            raise codes.read_refusal(answer)
        sid = str(answer.object()["sid"])
        if not sid.startswith(("SM", "MM")):
            raise OutcomeUnknown("not a message", code="sid", reason=Reason.MALFORMED, evidence=answer.evidence)
        return [SubmitOutcome(messages[0].token, OutcomeKind.ACCEPTED, sid, job=sid)]

    def write_unknown_job(self, messages: Sequence[OutboundMessage], sent_at: float) -> str:
        [message] = messages
        return SEARCH + "/".join([message.msisdn, f"{sent_at:.0f}", _digest(message.text)])

    # -- receipts ----------------------------------------------------------------------------------------

    def verify_push(self, push: PushRequest) -> bool:
        """By the account's token, or by the shared key where their call names it. With an API key alone there is
        nothing to check with: the unguessable address has to do."""
        settings = self.settings
        given = push.headers.get(SIGNATURE_HEADER, "").encode()
        named = read_settings(push.headers.get(SETTINGS_HEADER, ""))
        key, digest = settings.auth_token, hashlib.sha1
        if settings.signing_key_id and named.get("key") == settings.signing_key_id:
            key, digest = settings.signing_key_secret, hashlib.sha256
        if not key:
            return not settings.signing_key_id
        try:
            fields = push.form
        except ValueError:
            return False
        query = urlsplit(push.url).query
        ours = f"{settings.push_url}/{push.kind}" + (f"?{query}" if query else "")
        urls = [spelling for url in (ours, push.url) for spelling in list_spellings(url)]
        return any(hmac.compare_digest(given, sign(url, fields, key, digest).encode()) for url in urls)

    def read_push(self, push: PushRequest) -> list[bytes]:
        row = dict(push.form)
        if push.kind == "inbound":
            return [pack_inbound({name: row[name] for name in ("MessageSid", "From", "To", "Body")})]
        return [pack_receipt({"sid": row["MessageSid"], "status": row["MessageStatus"], **row})]

    async def pull_jobs(self, jobs: Sequence[str], page: int) -> PulledPage:
        found: tuple[tuple[str, int], ...] = ()
        if jobs[0].startswith(SEARCH):
            rows = await self._search(*jobs[0].removeprefix(SEARCH).split("/"))
            found = tuple((str(row["sid"]), 1) for row in rows)
        else:
            rows = [await self._fetch(self._path(f"Messages/{jobs[0]}.json"))]
        # The text stays where it is.
        return PulledPage([pack_receipt({name: row.get(name) for name in KEPT}) for row in rows], found=found)

    async def _search(self, msisdn: str, sent_at: str, digest: str) -> list[dict[str, Any]]:
        """Messages to this number with this text that were made while our call was on the way."""
        began = float(sent_at) - CLOCKS
        ended = float(sent_at) + self.settings.total_seconds + CLOCKS
        day = f"{datetime.fromtimestamp(began, UTC):%Y-%m-%d}"
        query = (("To", msisdn), ("DateSent>", day), ("PageSize", "1000"))
        body = await self._fetch(self._path("Messages.json"), query)
        return [
            row
            for row in body["messages"]
            if row["direction"] == "outbound-api"
            and began <= parsedate_to_datetime(row["date_created"]).timestamp() <= ended
            and hmac.compare_digest(_digest(row["body"]), digest)
        ]

    async def _fetch(self, path: str, query: Sequence[tuple[str, str]] = ()) -> dict[str, Any]:
        answer = await self.exchange(HttpRequest.get(path, query, self._headers))
        if answer.status >= 400:
            raise codes.read_refusal(answer)
        return answer.object()

    def read_receipt(self, payload: bytes) -> DeliveryEvent:
        row = json.loads(payload)
        sid = str(row["sid"])
        error = str(row.get("ErrorCode") or row.get("error_code") or "")
        state, reason, code = codes.read_status(str(row["status"]), error)
        at = str(row.get("RawDlrDoneDate") or row.get("date_updated") or "")
        return DeliveryEvent(
            sid,
            read_international(row.get("To") or row.get("to")),
            state,
            reason,
            code=code,
            occurred_at=at,
            job_id=sid,
            billed_parts=read_parts(row.get("num_segments")),
            price=read_price(row.get("price")),
        )

    # -- messages from handsets, account -----------------------------------------------------------------

    def read_inbound(self, payload: bytes) -> InboundMessage:
        row = json.loads(payload)
        number = read_international(row["From"])
        return InboundMessage(number, row["To"], row["Body"], provider_message_id=row["MessageSid"])

    async def get_balance(self) -> str:
        """Amount and currency; a subaccount has none of its own."""
        body = await self._fetch(self._path("Balance.json"))
        if body["balance"] is None:
            raise self.unsupported("balance of a subaccount")
        return f"{body['balance']} {body.get('currency') or ''}".strip()

    async def check(self) -> CheckResult:
        result = await super().check()
        is_subaccount = result.finding is Finding.UNSUPPORTED
        return CheckResult(True, finding=Finding.CONNECTED) if is_subaccount else result


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]
