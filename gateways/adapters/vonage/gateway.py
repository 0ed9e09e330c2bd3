"""Vonage SMS API: one message a call, HTTP 200 whatever happens, an id and a receipt for every part of a long text."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateways.adapters.vonage import codes
from gateways.adapters.vonage.fields import FIELDS
from gateways.adapters.vonage.signature import METHODS, sign
from gateways.base import BadSettings, Deferred, GatewayError, OutcomeUnknown
from gateways.http.charges import read_price
from gateways.http.events import PushRequest, pack_inbound, pack_receipt
from gateways.http.gateway import HttpGateway
from gateways.http.messages import HttpAnswer, HttpRequest
from gateways.http.numbers import read_international, write_digits
from gateways.http.refusals import find_refusal
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

LEAST_TTL, MOST_TTL = 20_000, 604_800_000
LONGEST_CALLBACK = 100
MOST_PARTS = 255
RECEIPT_FIELDS = ("msisdn", "messageId", "status", "err-code", "scts", "client-ref", "price", "network-code")
CONCAT_FIELDS = ("concat-ref", "concat-total", "concat-part")
INBOUND_FIELDS = ("msisdn", "to", "messageId", "text", "message-timestamp", *CONCAT_FIELDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class VonageSettings(HttpSettings):
    """api_key/api_secret    of the dashboard
    signature_secret         their calls to us must be signed with it; empty: the address has to do
    signature_method         md5hash, md5, sha1, sha256 or sha512, as the dashboard says
    signature_seconds        how old a signed call may be: they call again for 24 hours
    """

    api_key: str = ""
    api_secret: str = secret()
    signature_secret: str = secret()
    signature_method: str = "sha256"
    signature_seconds: float = 90_000.0

    def check(self) -> None:
        HttpSettings.check(self)
        self.require("api_key", "api_secret")
        if self.signature_method not in METHODS:
            raise BadSettings(f"signature_method: one of {', '.join(METHODS)}")


class VonageGateway(HttpGateway):
    slug = "vonage"
    title = "Vonage"
    settings_fields = FIELDS
    default_url = "https://rest.nexmo.com"
    settings_class = VonageSettings
    secret_settings = frozenset({"api_secret", "signature_secret"})
    typed_pushes = ("receipts", "inbound")  # told with each call only where it is short enough
    capabilities = Capabilities(
        batch_size=1, receipts="push", receipts_per_part=True, tells_charges=True, balance=True, inbound=True
    )

    def list_secrets(self) -> list[str]:
        return [*super().list_secrets(), self._basic]

    @property
    def _basic(self) -> str:
        return base64.b64encode(f"{self.settings.api_key}:{self.settings.api_secret}".encode()).decode()

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Basic {self._basic}"}

    # -- sending -----------------------------------------------------------------------------------------

    def write_request(self, messages: Sequence[OutboundMessage]) -> HttpRequest:
        [message] = messages
        fields = {
            "from": message.sender.lstrip("+"),
            "to": write_digits(message.msisdn),
            "text": message.text,
            # They know no Turkish tables: what is not in the basic alphabet would arrive as question marks.
            "type": "text" if message.encoding == "gsm7" else "unicode",
            "status-report-req": "true",
            "client-ref": str(message.token),
        }
        if message.validity_seconds:
            fields["ttl"] = str(max(LEAST_TTL, min(message.validity_seconds * 1000, MOST_TTL)))
        callback = f"{self.settings.push_url}/receipts"
        if self.settings.push_url and len(callback) <= LONGEST_CALLBACK:
            fields["callback"] = callback  # else the account's own setting has to name it
        return HttpRequest.form("/sms/json", fields, self._headers)

    def read_answer(self, answer: HttpAnswer, messages: Sequence[OutboundMessage]) -> list[SubmitOutcome]:
        [message] = messages
        parts: list[dict[str, Any]] = answer.object()["messages"]
        refused = [part for part in parts if str(part["status"]) != codes.TAKEN]
        if not parts or len(parts) > MOST_PARTS:
            raise OutcomeUnknown("no parts", code="parts", reason=Reason.MALFORMED, evidence=answer.evidence)
        if not refused:
            ids = tuple(str(part["message-id"]) for part in parts)
            return [SubmitOutcome(message.token, OutcomeKind.ACCEPTED, ids[0], part_ids=ids)]
        code = str(refused[0]["status"])
        if len(refused) < len(parts):
            # Some parts are on their way: neither may they be sent again nor can the rest follow alone.
            raise OutcomeUnknown("in part", code=code, reason=Reason.PARTIAL, evidence=answer.evidence)
        raise self._find_refusal(code, str(refused[0].get("error-text") or ""), answer)

    def _find_refusal(self, code: str, text: str, answer: HttpAnswer) -> GatewayError:
        error = find_refusal(codes.SEND, code, answer)
        if isinstance(error, Deferred):
            error.retry_after_seconds = codes.read_wait(text) or error.retry_after_seconds
        return error

    # -- receipts and messages from handsets -------------------------------------------------------------

    def verify_push(self, push: PushRequest) -> bool:
        settings = self.settings
        if not settings.signature_secret:
            return True
        try:
            fields = _read_fields(push)
            age = abs(time.time() - float(fields.get("timestamp", "0")))
        except (ValueError, TypeError, AttributeError):
            return False
        ours = sign(fields, settings.signature_secret, settings.signature_method)
        is_theirs = hmac.compare_digest(fields.get("sig", "").lower().encode(errors="replace"), ours.encode())
        return is_theirs and age <= settings.signature_seconds

    def read_push(self, push: PushRequest) -> list[bytes]:
        fields = _read_fields(push)
        if push.kind == "inbound":
            return [pack_inbound({name: fields[name] for name in INBOUND_FIELDS if name in fields})]
        return [pack_receipt({name: fields[name] for name in RECEIPT_FIELDS if name in fields})]

    def read_receipt(self, payload: bytes) -> DeliveryEvent:
        row = json.loads(payload)
        state, reason, code = codes.read_status(str(row["status"]), str(row.get("err-code") or ""))
        return DeliveryEvent(
            str(row["messageId"]),
            read_international(row["msisdn"]),
            state,
            reason,
            code=code,
            occurred_at=str(row.get("scts") or ""),
            client_reference=str(row.get("client-ref") or ""),
            billed_parts=1,  # each part has a receipt of its own, and a price
            price=read_price(row.get("price")),
        )

    def read_inbound(self, payload: bytes) -> InboundMessage:
        """A long one comes in parts that name their place."""
        row = json.loads(payload)
        parts = int(row.get("concat-total") or 1)
        return InboundMessage(
            read_international(row["msisdn"]),
            str(row["to"]),
            str(row["text"]),
            reference=int(row["concat-ref"]) if parts > 1 else 0,
            part=int(row["concat-part"]) if parts > 1 else 1,
            parts=parts,
            provider_message_id=str(row.get("messageId") or ""),
            occurred_at=str(row.get("message-timestamp") or ""),
        )

    # -- account -----------------------------------------------------------------------------------------

    async def get_balance(self) -> str:
        """In euros."""
        answer = await self.exchange(HttpRequest.get("/account/get-balance", headers=self._headers))
        return f"{float(answer.object()['value']):.2f} EUR"


def _read_fields(push: PushRequest) -> dict[str, str]:
    """Query, form or JSON: which of them is a setting of the account. Raises ValueError."""
    if push.body.lstrip()[:1] == b"{":
        return {str(name): str(value) for name, value in push.json().items()}
    return dict(push.form or push.query)
