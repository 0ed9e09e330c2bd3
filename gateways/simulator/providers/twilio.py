"""Twilio Programmable Messaging as its sheet tells it: one recipient a call, form in, JSON out, signed callbacks in any
order, and the magic numbers of its test credentials."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from gateways.adapters.twilio.signature import sign
from gateways.simulator.http_server import Call, Reply
from gateways.simulator.providers.base import Double, Taken

NUMBER = re.compile(r"\+[1-9]\d{6,14}")
PRICE = Decimal("0.045")
"""Of a segment."""
SENDER = re.compile(r"\+?\d{3,15}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
MAGIC_TO = {
    "+15005550001": "21211",
    "+15005550002": "21612",
    "+15005550003": "21408",
    "+15005550004": "21610",
    "+15005550009": "21614",
}
MAGIC_FROM = {"+15005550001": "21212", "+15005550007": "21606", "+15005550008": "21611"}
STATUS = {"DELIVRD": "delivered", "UNDELIV": "undelivered", "EXPIRED": "undelivered", "REJECTD": "failed"}
ERROR = {"001": "30005", "006": "30003", "013": "30004", "032": "30008", "034": "30008"}


class Twilio(Double):
    """``senders``: the account's (empty: any). ``tells_sent``: callbacks of ``sent`` too, which may come after the last
    one. ``is_subaccount``: has no balance of its own. API keys log in by the script's accounts; callbacks are signed
    with the token of the account: ``auth_token``, or what the account last logged in with."""

    slug = "twilio"
    config = {"senders": [], "tells_sent": False, "is_subaccount": False, "auth_token": "", "balance": "21.50"}
    demo_settings = {"account_sid": "AC" + "0" * 31 + "1", "receipt_polls": [6.0, 12.0, 24.0]}
    demo_secret = json.dumps({"auth_token": "peyk"})
    demo_config = {"tells_sent": True}

    def __init__(self, centre: Any) -> None:
        super().__init__(centre)
        self._token = ""
        self._account = ""

    def answer(self, call: Call) -> Reply:
        user, password = read_basic(call.headers.get("authorization", ""))
        if not self.knows(user, password):
            return refuse("20003", 401, "Authenticate")
        parts = call.path.split("/")[1:]
        if parts[:2] != ["2010-04-01", "Accounts"] or len(parts) < 4:
            return refuse("20404", 404, "The requested resource was not found")
        self._account, rest = parts[2], parts[3:]
        if user == self._account:
            self._token = password
        if rest == ["Balance.json"]:
            balance = None if self.config["is_subaccount"] else self.config["balance"]
            return Reply.json({"account_sid": self._account, "balance": balance, "currency": "USD"})
        if rest == ["Messages.json"]:
            return self._send(call) if call.method == "POST" else self._list(call)
        return self._one(call, rest[-1].removesuffix(".json"))

    def write_throttled(self, *, is_busy: bool) -> Reply:
        if is_busy:
            return refuse("20500", 503, "Service unavailable")
        return refuse("20429", 429, "Too Many Requests")

    # -- send --------------------------------------------------------------------------------------------

    def _send(self, call: Call) -> Reply:
        form = call.form
        code = self._look_at(form)
        if code:
            return refuse(code, 400, f"refused: {code}")
        sender = form.get("From") or form["MessagingServiceSid"]
        url = form.get("StatusCallback", "").partition("#")[0]
        [row] = self.take(call, self._account, sender, [(form["To"], form["Body"])], national=False, push_to=url)
        return Reply.json(self._show(row, "queued"), 201)

    def _look_at(self, form: dict[str, str]) -> str:
        """The code of a refusal; empty if there is none."""
        to, sender = form.get("To", ""), form.get("From", "")
        if to in MAGIC_TO or sender in MAGIC_FROM:
            return MAGIC_TO.get(to) or MAGIC_FROM[sender]
        if not NUMBER.fullmatch(to) or self.refuses(to):
            return "21211"
        if not sender and not form.get("MessagingServiceSid", "").startswith("MG"):
            return "21603"
        if sender and not SENDER.fullmatch(sender):
            return "21212"
        if sender and self.config["senders"] and sender not in self.config["senders"]:
            return "21606"
        if not form.get("Body"):
            return "21602"
        if len(form["Body"]) > 1600:
            return "21617"
        if not 1 <= int(form.get("ValidityPeriod", "1")) <= 36_000:
            return "21624"
        return "21609" if "_" in (urlsplit(form.get("StatusCallback", "")).hostname or "") else ""

    # -- one message, and the list -----------------------------------------------------------------------

    def _one(self, call: Call, sid: str) -> Reply:
        row = next((r for rows in self.jobs.values() for r in rows if write_sid(r) == sid), None)
        if row is None:
            return refuse("20404", 404, "The requested resource was not found")
        if call.method == "GET":
            return Reply.json(self._show(row))
        return refuse("30409", 409, "Message cannot be canceled")

    def _list(self, call: Call) -> Reply:
        query = call.query
        day = query.get("DateSent>", "")
        rows = [r for rows in self.jobs.values() for r in rows]
        rows = [r for r in rows if query.get("To", r.msisdn) == r.msisdn]
        rows = [r for r in rows if f"{datetime.fromtimestamp(r.at, UTC):%Y-%m-%d}" >= day]
        shown = [self._show(row) for row in reversed(rows)][: int(query.get("PageSize", "50"))]
        return Reply.json({"messages": shown, "page": 0, "page_size": 50, "next_page_uri": None})

    def _show(self, row: Taken, status: str = "") -> dict[str, Any]:
        is_final = row.is_final(self.now)
        at = format_datetime(datetime.fromtimestamp(row.at, UTC))
        status = status or (STATUS[row.word] if is_final else "sent")
        segments = self.count_billed(row)
        return {
            "sid": write_sid(row),
            "account_sid": self._account,
            "messaging_service_sid": row.sender if row.sender.startswith("MG") else None,
            "from": row.sender,
            "to": row.msisdn,
            "body": row.text,
            "status": status,
            "direction": "outbound-api",
            "num_segments": str(segments),
            "num_media": "0",
            "price": f"-{PRICE * segments:.5f}" if is_final else None,
            "price_unit": "USD",
            "error_code": int(find_error(row)) if is_final and find_error(row) else None,
            "error_message": None,
            "api_version": "2010-04-01",
            "date_created": at,
            "date_sent": at,
            "date_updated": at,
            "uri": f"/2010-04-01/Accounts/{self._account}/Messages/{write_sid(row)}.json",
        }

    # -- callbacks ---------------------------------------------------------------------------------------

    def write_receipts(self, rows: Sequence[Taken]) -> list[tuple[dict[str, str], bytes]]:
        calls = []
        for row in rows:
            calls.append(self._write_callback(row, STATUS[row.word], find_error(row)))
            if self.config["tells_sent"]:
                calls.append(self._write_callback(row, "sent", ""))
        return calls

    def _write_callback(self, row: Taken, status: str, error: str) -> tuple[dict[str, str], bytes]:
        sid = write_sid(row)
        fields = {
            "AccountSid": self._account,
            "ApiVersion": "2010-04-01",
            "From": row.sender,
            "MessageSid": sid,
            "MessageStatus": status,
            "SmsSid": sid,
            "SmsStatus": status,
            "To": row.msisdn,
            "RawDlrDoneDate": f"{datetime.fromtimestamp(row.at, UTC):%y%m%d%H%M}",
        }
        return self._sign(row.push_to, {**fields, "ErrorCode": error} if error else fields)

    def write_inbound(self, phone: str, recipient: str, text: str) -> list[tuple[dict[str, str], bytes]]:
        sid = f"SM{self.centre.next_message_id():032x}"
        fields = {"MessageSid": sid, "SmsSid": sid, "AccountSid": self._account, "ApiVersion": "2010-04-01"}
        fields |= {"From": phone, "To": recipient, "Body": text, "NumMedia": "0", "NumSegments": "1"}
        return [self._sign(self.config["push_inbound"], fields)]

    def _sign(self, url: str, fields: dict[str, str]) -> tuple[dict[str, str], bytes]:
        token = self.config["auth_token"] or self._token or next(iter(self.centre.script.accounts.values()), "")
        signature = sign(url, fields.items(), token)
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8", "X-Twilio-Signature": signature}
        return headers, urlencode(fields).encode()


def write_sid(row: Taken) -> str:
    return f"SM{row.message_id:032x}"


def find_error(row: Taken) -> str:
    return {"UNDELIV": ERROR.get(row.error, "30008"), "EXPIRED": "30036", "REJECTD": "30007"}.get(row.word, "")


def read_basic(header: str) -> tuple[str, str]:
    kind, _, token = header.partition(" ")
    try:
        user, _, password = base64.b64decode(token, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return (user, password) if kind == "Basic" else ("", "")


def refuse(code: str, status: int, message: str) -> Reply:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return Reply.json({"code": int(code), "message": message, "more_info": more, "status": status}, status)
