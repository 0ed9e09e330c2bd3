"""Infobip SMS API v3: many messages a call, each with an id of ours and an answer of its own; reports are pushed.

What they do not tell is looked up in the logs, by the call's bulk id, or by time for a call without an answer.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gateways.adapters.infobip import codes
from gateways.adapters.infobip.fields import FIELDS
from gateways.adapters.infobip.signature import DIGESTS, is_login, is_signature
from gateways.base import BadSettings, LoginRefused, OutcomeUnknown, Rejected
from gateways.http.charges import read_part_price, read_parts
from gateways.http.events import PulledPage, PushRequest, pack_inbound, pack_receipt
from gateways.http.gateway import HttpGateway
from gateways.http.messages import HttpAnswer, HttpRequest
from gateways.http.numbers import read_international, write_digits
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

SEARCH = "?"
MOST_ROWS = 1000
ID_LIMIT = 80
LONGEST_HOURS = 48
KEPT = ("bulkId", "messageId", "destination", "to", "doneAt", "status", "error", "messageCount", "price")


@dataclass(frozen=True, slots=True, kw_only=True)
class InfobipSettings(HttpSettings):
    """base_url           the account's own: https://xxxxx.api.infobip.com
    api_key               of the portal; sent as "App <key>"
    batch_size            no limit is documented: a careful default
    iys_recipient_type    who commercial messages go to: BIREYSEL or TACIR
    iys_brand_code        0 = the account's default brand
    entity_id, application_id   of their platform, for accounts that keep customers apart
    id_prefix             before our message ids: apart for each installation that shares the account
    searches_logs         ask /sms/3/logs by bulk id and by time (its query's fields are unverified)
    webhook_user, webhook_password   where the subscription's security type is BASIC
    hmac_header, hmac_algorithm, hmac_secret   where it is HMAC: the header's name and the digest (sha1, sha256,
                          sha512) are what the portal shows (unverified); hex and base64 are both understood
    """

    api_key: str = secret()
    batch_size: int = 200
    iys_recipient_type: str = "BIREYSEL"
    iys_brand_code: int = 0
    entity_id: str = ""
    application_id: str = ""
    id_prefix: str = "peyk-"
    searches_logs: bool = True
    webhook_user: str = ""
    webhook_password: str = secret()
    hmac_header: str = ""
    hmac_algorithm: str = "sha256"
    hmac_secret: str = secret()
    # Pushed within seconds as a rule; logs are kept for 48 hours.
    receipt_polls: tuple[float, ...] = (1800.0, 7200.0, 43_200.0, 122_400.0)
    receipt_days: float = 1.9

    def check(self) -> None:
        HttpSettings.check(self)
        self.require("api_key")
        self.require_plain("api_key")
        if self.iys_recipient_type not in ("BIREYSEL", "TACIR"):
            raise BadSettings("iys_recipient_type: BIREYSEL or TACIR")
        if self.hmac_algorithm not in DIGESTS:
            raise BadSettings("hmac_algorithm: sha1, sha256 or sha512")
        if bool(self.hmac_secret) != bool(self.hmac_header):
            raise BadSettings("hmac_header: a header and a secret belong together")
        if len(self.id_prefix) > ID_LIMIT - 20:
            raise BadSettings("id_prefix: too long")


class InfobipGateway(HttpGateway):
    slug = "infobip"
    title = "Infobip"
    settings_fields = FIELDS
    settings_class = InfobipSettings
    secret_settings = frozenset({"api_key", "webhook_password", "hmac_secret"})
    typed_pushes = ("inbound",)
    capabilities = Capabilities(
        batch_size=1000,
        receipts="both",
        receipts_by="job",
        receipt_rows_per_query=MOST_ROWS,
        tells_charges=True,
        finds_unknown=True,
        balance=True,
        inbound=True,
        national_tables=True,
    )

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"App {self.settings.api_key}", "Accept": "application/json"}

    # -- sending -----------------------------------------------------------------------------------------

    def write_request(self, messages: Sequence[OutboundMessage]) -> HttpRequest:
        return HttpRequest.json("/sms/3/messages", {"messages": [self._write(m) for m in messages]}, self._headers)

    def _write(self, message: OutboundMessage) -> dict[str, Any]:
        settings = self.settings
        content: dict[str, Any] = {"text": message.text, "transliteration": "NONE"}
        if message.encoding.startswith("gsm7-tr"):
            content["language"] = {"languageCode": "TR"}
        options: dict[str, Any] = {}
        if message.content_class == "commercial":
            iys: dict[str, Any] = {"recipientType": settings.iys_recipient_type}
            if settings.iys_brand_code:
                iys["brandCode"] = settings.iys_brand_code
            options["regional"] = {"turkeyIys": iys}
        if message.validity_seconds:
            hours = min(LONGEST_HOURS, -(-message.validity_seconds // 3600))
            options["validityPeriod"] = {"amount": hours, "timeUnit": "HOURS"}
        names = {"entityId": settings.entity_id, "applicationId": settings.application_id}
        if any(names.values()):
            options["platform"] = {name: value for name, value in names.items() if value}
        item: dict[str, Any] = {
            "sender": message.sender.lstrip("+"),
            "destinations": [{"to": write_digits(message.msisdn), "messageId": self._id(message)}],
            "content": content,
        }
        if options:
            item["options"] = options
        if settings.push_url and (settings.receipts or "both") in ("push", "both"):
            url = f"{settings.push_url}/receipts"
            item["webhooks"] = {"delivery": {"url": url}, "contentType": "application/json"}
        return item

    def _id(self, message: OutboundMessage) -> str:
        return f"{self.settings.id_prefix}{message.token}"

    def read_answer(self, answer: HttpAnswer, messages: Sequence[OutboundMessage]) -> list[SubmitOutcome]:
        body = answer.object()
        if answer.status >= 400:
            raise self._read_refusal(answer, body)
        job = str(body.get("bulkId") or "") if self.settings.searches_logs else ""
        rows = {str(row["messageId"]): row for row in body["messages"]}
        return [self._read_row(rows.get(self._id(m)), m.token, job, answer) for m in messages]

    def _read_row(self, row: Any, token: int, job: str, answer: HttpAnswer) -> SubmitOutcome:
        """What the answer says of one message; of one it does not name, nothing is known."""
        status = row["status"] if row else {}
        kind = codes.SUBMIT.get(str(status.get("groupName") or "").upper(), OutcomeKind.UNKNOWN)
        if kind is OutcomeKind.ACCEPTED:
            return SubmitOutcome(token, kind, str(row["messageId"]), job=job)
        code = str(status.get("name") or status.get("groupName") or "missing")
        if code.upper() in codes.NO_MONEY:
            wait = codes.NO_MONEY_SECONDS
            return SubmitOutcome(
                token, OutcomeKind.DEFERRED, code=code, reason=Reason.NO_BALANCE, retry_after_seconds=wait
            )
        if kind is OutcomeKind.REJECTED:
            return SubmitOutcome(token, kind, code=code, reason=Reason.REFUSED)
        return SubmitOutcome(token, kind, code=code, reason=Reason.OTHER, evidence=answer.evidence)

    def _read_refusal(self, answer: HttpAnswer, body: dict[str, Any]) -> Rejected | OutcomeUnknown | LoginRefused:
        """Both styles of their error body. A 4xx that says so took nothing; one message may be the cause."""
        legacy = (body.get("requestError") or {}).get("serviceException") or {}
        code = str(body.get("errorCode") or legacy.get("messageId") or "")
        if code == "UNAUTHORIZED":
            return LoginRefused("login refused", code=code, reason=Reason.LOGIN)
        if code:
            return Rejected("refused", code=code, reason=Reason.BAD_CONTENT, evidence=answer.evidence, spoiled=True)
        return OutcomeUnknown("unknown answer", code=str(answer.status), evidence=answer.evidence)

    def write_unknown_job(self, messages: Sequence[OutboundMessage], sent_at: float) -> str:
        if not self.settings.searches_logs:
            return ""
        began = datetime.fromtimestamp(sent_at - 60, UTC)
        ended = datetime.fromtimestamp(sent_at + self.settings.total_seconds + 60, UTC)
        return f"{SEARCH}{_write_time(began)}/{_write_time(ended)}"

    # -- receipts ----------------------------------------------------------------------------------------

    def verify_push(self, push: PushRequest) -> bool:
        settings = self.settings
        if settings.webhook_password:
            given = push.headers.get("authorization", "")
            return is_login(given, settings.webhook_user, settings.webhook_password)
        if settings.hmac_secret:
            given = push.headers.get(settings.hmac_header.lower(), "")
            return is_signature(given, push.body, settings.hmac_secret, settings.hmac_algorithm)
        return True

    def read_push(self, push: PushRequest) -> list[bytes]:
        pack = pack_inbound if push.kind == "inbound" else pack_receipt
        return [pack(row) for row in push.json()["results"]]

    async def pull_jobs(self, jobs: Sequence[str], page: int) -> PulledPage:
        """One call's messages in the logs, or those of a time. Cursors of the logs are not known well enough: what
        does not fit on one page is left to the pushes."""
        job = jobs[0]
        query = {"limit": str(MOST_ROWS)}
        if job.startswith(SEARCH):
            query["sentSince"], query["sentUntil"] = job.removeprefix(SEARCH).split("/")
        else:
            query["bulkId"] = job
        answer = await self.exchange(HttpRequest.get("/sms/3/logs", query, self._headers))
        body = answer.object()
        if answer.status >= 400:
            raise self._read_refusal(answer, body)
        # Texts stay where they are.
        rows = [{name: row[name] for name in KEPT if name in row} for row in body["results"]]
        if job.startswith(SEARCH):
            rows = [row for row in rows if str(row.get("messageId")).startswith(self.settings.id_prefix)]
        return PulledPage([pack_receipt(row) for row in rows])

    def read_receipt(self, payload: bytes) -> DeliveryEvent:
        row = json.loads(payload)
        state, reason, code = codes.read_status(row)
        parts, price = read_parts(row.get("messageCount")), row.get("price")
        theirs, prefix = str(row["messageId"]), self.settings.id_prefix
        return DeliveryEvent(
            theirs,
            read_international(row.get("to") or row.get("destination")),
            state,
            reason,
            code=code,
            occurred_at=str(row.get("doneAt") or ""),
            job_id=str(row.get("bulkId") or ""),
            client_reference=theirs.removeprefix(prefix) if theirs.startswith(prefix) else "",
            billed_parts=parts,
            # Their "message" is a part here: messageCount says how many of them there were.
            price=read_part_price(price.get("pricePerMessage"), parts) if isinstance(price, dict) else "",
        )

    # -- messages from handsets, account -----------------------------------------------------------------

    def read_inbound(self, payload: bytes) -> InboundMessage:
        row = json.loads(payload)
        return InboundMessage(
            read_international(row["from"]),
            str(row["to"]),
            str(row["text"]),
            provider_message_id=str(row["messageId"]),
            occurred_at=str(row.get("receivedAt") or ""),
        )

    async def get_balance(self) -> str:
        answer = await self.exchange(HttpRequest.get("/account/1/balance", headers=self._headers))
        body = answer.object()
        if answer.status >= 400:
            raise self._read_refusal(answer, body)
        return f"{float(body['balance']):.2f} {body.get('currency') or ''}".strip()


def _write_time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000+0000"
