"""Vonage SMS API as its sheet tells it: HTTP 200 for everything, an element, an id and a receipt for every part, and
question marks for letters that a text message cannot carry."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlencode

from gateways.adapters.vonage.signature import sign
from gateways.simulator.http_server import Call, Reply
from gateways.simulator.providers.base import Double, Taken
from smscore import segment

STATUS = {"DELIVRD": "delivered", "UNDELIV": "failed", "EXPIRED": "expired", "REJECTD": "rejected"}
ERROR = {"001": "3", "006": "2", "013": "4", "032": "7", "034": "8"}


class Vonage(Double):
    """``senders``: the account's (empty: any). ``webhook_format``: json or form. ``signature_secret``: calls to us are
    signed, by ``signature_method``. ``tells_accepted``: a receipt when the operator has it, too. ``takes_parts``: of a
    long text no more than so many parts are taken (0: all)."""

    slug = "vonage"
    config = {
        "senders": [],
        "webhook_format": "json",
        "signature_secret": "",
        "signature_method": "sha256",
        "tells_accepted": False,
        "takes_parts": 0,
        "balance": 12.34,
    }
    demo_settings = {"api_key": "peyk0001", "signature_method": "md5hash"}
    demo_secret = json.dumps({"api_secret": "peyk", "signature_secret": "imza"})
    demo_config = {"signature_secret": "imza", "signature_method": "md5hash", "tells_accepted": True}

    def answer(self, call: Call) -> Reply:
        form = call.form
        user, password = self._read_login(call, form)
        if not self.knows(user, password):
            if call.path == "/account/get-balance":
                return Reply.json({"error-code": "401", "error-code-label": "authentication failed"}, 401)
            return refuse("4", "Bad Credentials")
        if (call.method, call.path) == ("GET", "/account/get-balance"):
            return Reply.json({"value": self.config["balance"], "autoReload": False})
        if (call.method, call.path) != ("POST", "/sms/json"):
            return Reply.text("<html>404</html>", 404, "text/html")
        if not call.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            form = call.json()
        refusal = self._look_at(form)
        return refuse(*refusal) if refusal else self._send(call, user, form)

    def write_throttled(self, *, is_busy: bool) -> Reply:
        if is_busy:
            return refuse("5", "Internal Error")
        return refuse("1", "Throughput Rate Exceeded - please wait [ 250 ] and retry")

    def _read_login(self, call: Call, form: dict[str, str]) -> tuple[str, str]:
        kind, _, token = call.headers.get("authorization", "").partition(" ")
        if kind == "Basic":
            user, _, password = base64.b64decode(token).decode("utf-8", "replace").partition(":")
            return user, password
        return form.get("api_key", ""), form.get("api_secret", "")

    # -- send --------------------------------------------------------------------------------------------

    def _look_at(self, form: dict[str, str]) -> tuple[str, str] | None:
        """(status, text) of a refusal."""
        for name in ("from", "to", "text"):
            if not form.get(name):
                return "2", f"Missing {name}"
        if form.get("type", "text") not in ("text", "unicode") or not form["to"].isdigit():
            return "3", "Invalid parameter"
        if not 20_000 <= int(form.get("ttl", "20000")) <= 604_800_000:
            return "3", "Invalid ttl"
        if len(form.get("client-ref", "")) > 100 or len(form.get("callback", "")) > 100:
            return "3", "Invalid client-ref or callback"
        if self.config["senders"] and form["from"] not in self.config["senders"]:
            return "15", "Illegal Sender Address - rejected"
        return ("6", "Unroutable message - rejected") if self.refuses("+" + form["to"]) else None

    def _send(self, call: Call, user: str, form: dict[str, str]) -> Reply:
        text = form["text"]
        if form.get("type", "text") == "text":
            text = "".join(c if segment(c, national=False).encoding == "gsm7" else "?" for c in text)
        item = ("+" + form["to"], text, form.get("client-ref", ""))
        push_to = form.get("callback", "") if form.get("status-report-req", "true") == "true" else ""
        [row] = self.take(call, user, form["from"], [item], national=False, push_to=push_to)
        parts = [
            {
                "to": row.digits,
                "message-id": write_id(row, part),
                "status": "0",
                "remaining-balance": "12.34",
                "message-price": "0.0333",
                "network": "28601",
                "client-ref": row.name,
            }
            for part in range(self.count_billed(row))
        ]
        most = self.config["takes_parts"]
        if most and len(parts) > most:
            parts[most:] = [{"status": "9", "error-text": "Partner quota exceeded"}] * (len(parts) - most)
        return Reply.json({"message-count": str(len(parts)), "messages": parts})

    # -- receipts ----------------------------------------------------------------------------------------

    def write_receipts(self, rows: Sequence[Taken]) -> list[tuple[dict[str, str], bytes]]:
        return [call for row in rows for part in range(self.count_billed(row)) for call in self._tell(row, part)]

    def _tell(self, row: Taken, part: int) -> list[tuple[dict[str, str], bytes]]:
        error = {"UNDELIV": ERROR.get(row.error, "1"), "EXPIRED": "12", "REJECTD": "6"}.get(row.word, "0")
        fields = {
            "msisdn": row.digits,
            "to": row.sender,
            "network-code": "28601",
            "messageId": write_id(row, part),
            "price": "0.0333",
            "scts": f"{datetime.fromtimestamp(row.at, UTC):%y%m%d%H%M}",
            "api-key": row.account,
            "client-ref": row.name,
        }
        ends = self._sign({**fields, "status": STATUS[row.word], "err-code": error})
        if not self.config["tells_accepted"]:
            return [ends]
        return [self._sign({**fields, "status": "accepted", "err-code": "0"}), ends]

    def write_inbound(self, phone: str, recipient: str, text: str) -> list[tuple[dict[str, str], bytes]]:
        fields = {
            "msisdn": phone.lstrip("+"),
            "to": recipient,
            "messageId": f"{self.centre.next_message_id():016X}",
            "text": text,
            "type": "unicode",
            "keyword": text.split()[0].upper(),
        }
        return [self._sign(fields)]

    def _sign(self, fields: dict[str, str]) -> tuple[dict[str, str], bytes]:
        now = time.time()
        fields["message-timestamp"] = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%d %H:%M:%S}"
        if self.config["signature_secret"]:
            fields |= {"timestamp": str(int(now)), "nonce": f"{self.centre.next_message_id()}"}
            fields["sig"] = sign(fields, self.config["signature_secret"], self.config["signature_method"]).upper()
        if self.config["webhook_format"] == "form":
            return {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(fields).encode()
        return {"Content-Type": "application/json"}, json.dumps(fields, ensure_ascii=False).encode()


def write_id(row: Taken, part: int) -> str:
    """16 hexadecimal digits, another for every part."""
    return f"{row.message_id:013X}{part:03X}"


def refuse(status: str, text: str) -> Reply:
    return Reply.json({"message-count": "1", "messages": [{"status": status, "error-text": text}]})
