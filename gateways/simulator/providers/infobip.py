"""Infobip SMS API v3 as its sheet tells it: refusals for single messages in a 200, two styles of error bodies, batched
reports, tried again after ever longer waits."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from gateways.simulator.http_server import Call, Reply
from gateways.simulator.providers.base import Double, Taken

USER = "infobip"  # an API key is all there is
BULK = "b-"
STATUS = {
    "DELIVRD": (3, "DELIVERED", 5, "DELIVERED_TO_HANDSET"),
    "UNDELIV": (2, "UNDELIVERABLE", 9, "UNDELIVERABLE_NOT_DELIVERED"),
    "EXPIRED": (4, "EXPIRED", 15, "EXPIRED_EXPIRED"),
    "REJECTD": (5, "REJECTED", 6, "REJECTED_NETWORK"),
}
PENDING = (1, "PENDING", 26, "PENDING_ACCEPTED")
REFUSED = (5, "REJECTED", 14, "REJECTED_DESTINATION")
# Our operator's errors: (group, name, permanent).
ERRORS = {
    "001": ("HANDSET_ERRORS", "EC_UNKNOWN_SUBSCRIBER", True),
    "006": ("HANDSET_ERRORS", "EC_ABSENT_SUBSCRIBER", False),
    "032": ("HANDSET_ERRORS", "EC_SM_DELIVERY_FAILURE", False),
}
OPERATOR_ERROR = ("OPERATOR_ERRORS", "EC_SYSTEM_FAILURE", False)
TRANSLITERATIONS = {
    *("NONE", "TURKISH", "GREEK", "CYRILLIC", "SERBIAN_CYRILLIC", "BULGARIAN_CYRILLIC", "CENTRAL_EUROPEAN"),
    *("BALTIC", "PORTUGUESE", "COLOMBIAN", "NON_UNICODE", "ALL"),
}


class Infobip(Double):
    """``senders``: the account's (empty: any). ``demands_iys``: numbers of Turkey need ``turkeyIys``.
    ``hmac_secret``: reports are signed, in ``hmac_header``."""

    slug = "infobip"
    config = {
        "senders": [],
        "demands_iys": False,
        "most_messages": 1000,
        "hmac_header": "X-Signature",
        "hmac_secret": "",
        "balance": 47.79,
    }
    demo_settings = {"receipt_polls": [4.0, 8.0, 16.0, 30.0]}
    demo_secret = json.dumps({"api_key": "peyk"})

    def answer(self, call: Call) -> Reply:
        kind, _, key = call.headers.get("authorization", "").partition(" ")
        if kind != "App" or not self.knows(USER, key):
            return refuse_login()
        routes = {
            ("POST", "/sms/3/messages"): self._send,
            ("GET", "/sms/3/logs"): self._logs,
            ("GET", "/account/1/balance"): self._balance,
        }
        route = routes.get((call.method, call.path))
        return route(call) if route else refuse("E404", "Requested URL not found", 404)

    def write_throttled(self, *, is_busy: bool) -> Reply:
        if is_busy:
            return refuse("E503", "Service unavailable.", 503)
        return refuse("E429", "Too many requests.", 429)

    # -- send --------------------------------------------------------------------------------------------

    def _send(self, call: Call) -> Reply:
        items = call.json().get("messages")
        violation = self._look_at(items)
        if violation:
            return refuse("E400", "Request cannot be processed.", 400, violation)
        rows = [(item, to) for item in items for to in item["destinations"]]
        bulk = str(self.centre.next_message_id())
        good = [(item, to) for item, to in rows if not self._refuses(item, to["to"])]
        taken = iter(self._take(call, good) if good else [])
        answers = []
        for item, to in rows:
            row = next(taken) if (item, to) in good else None
            answers.append(
                {
                    "messageId": row.name if row else to.get("messageId", ""),
                    "destination": to["to"],
                    "status": write_status(PENDING if row else REFUSED),
                    "details": {"messageCount": self.count_billed(row) if row else 0},
                }
            )
            bulk = row.job if row else bulk
        return Reply.json({"bulkId": BULK + bulk, "messages": answers})

    def _take(self, call: Call, good: Sequence[tuple[dict[str, Any], dict[str, str]]]) -> list[Taken]:
        first = good[0][0]
        national = any((item["content"].get("language") or {}).get("languageCode") == "TR" for item, _ in good)
        url = ((first.get("webhooks") or {}).get("delivery") or {}).get("url", "")
        sent = [
            ("+" + to["to"], item["content"]["text"], to.get("messageId") or f"ib-{self.centre.next_message_id()}")
            for item, to in good
        ]
        return self.take(call, USER, first.get("sender", ""), sent, national=national, push_to=url)

    def _refuses(self, item: dict[str, Any], to: str) -> bool:
        senders = self.config["senders"]
        return self.refuses("+" + to) or bool(senders and item.get("sender") not in senders)

    def _look_at(self, items: Any) -> dict[str, str]:
        """The first violation; empty if there is none."""
        if not items or len(items) > self.config["most_messages"]:
            return {"property": "messages", "violation": "size must be between 1 and the limit"}
        for at, item in enumerate(items):
            where = f"messages[{at}]"
            destinations = item.get("destinations")
            if not destinations:
                return {"property": f"{where}.destinations", "violation": "must not be empty"}
            if any(not str(d.get("to", "")).isdigit() or len(d["to"]) > 64 for d in destinations):
                return {"property": f"{where}.destinations.to", "violation": "must be a number"}
            if any(len(d.get("messageId", "")) > 200 for d in destinations):
                return {"property": f"{where}.destinations.messageId", "violation": "size must be up to 200"}
            content = item.get("content") or {}
            if not content.get("text") or content.get("transliteration", "NONE") not in TRANSLITERATIONS:
                return {"property": f"{where}.content", "violation": "is not valid"}
            if (content.get("language") or {}).get("languageCode", "TR") not in ("TR", "ES", "PT", "AUTODETECT"):
                return {"property": f"{where}.content.language", "violation": "is not valid"}
            iys = ((item.get("options") or {}).get("regional") or {}).get("turkeyIys")
            if (iys or self.config["demands_iys"]) and (iys or {}).get("recipientType") not in ("BIREYSEL", "TACIR"):
                return {"property": f"{where}.options.regional.turkeyIys", "violation": "is required"}
        return {}

    # -- reports -----------------------------------------------------------------------------------------

    def _logs(self, call: Call) -> Reply:
        """What was sent within 48 hours, any number of times."""
        query = call.query
        since, until = (read_time(query.get(name, "")) for name in ("sentSince", "sentUntil"))
        jobs = [query["bulkId"].removeprefix(BULK)] if query.get("bulkId") else list(self.jobs)
        rows = [row for job in jobs for row in self.jobs.get(job, ())]
        rows = [r for r in rows if (since is None or r.at >= since) and (until is None or r.at <= until)]
        shown = [self._show(row, "destination") for row in rows for _ in range(max(1, row.copies))]
        return Reply.json({"results": shown[: int(query.get("limit", "1000"))], "cursor": {"limit": 1000}})

    def _show(self, row: Taken, number: str) -> dict[str, Any]:
        is_final = row.is_final(self.now)
        sent = datetime.fromtimestamp(row.at, UTC)
        done = sent + timedelta(milliseconds=120) if is_final else None
        return {
            "bulkId": BULK + row.job,
            "messageId": row.name,
            number: row.digits,
            "sender": row.sender,
            "sentAt": write_time(sent),
            "doneAt": write_time(done) if done else None,
            "messageCount": self.count_billed(row),
            "mccMnc": "28601",
            "price": {"pricePerMessage": 0.0045, "currency": "EUR"},
            "status": write_status(STATUS[row.word] if is_final else PENDING),
            "error": write_error(row.word if is_final else "", row.error),
        }

    def write_receipts(self, rows: Sequence[Taken]) -> list[tuple[dict[str, str], bytes]]:
        return [self._sign({"results": [self._show(row, "to") for row in rows]})]

    def wait_before_retry(self, tries: int) -> float:
        """1 min + 1 min × n², in the script's minutes."""
        return super().wait_before_retry(tries) * (1 + tries * tries)

    def write_inbound(self, phone: str, recipient: str, text: str) -> list[tuple[dict[str, str], bytes]]:
        row = {
            "messageId": f"mo-{self.centre.next_message_id()}",
            "from": phone.lstrip("+"),
            "to": recipient.lstrip("+"),
            "text": text,
            "cleanText": text,
            "keyword": "",
            "receivedAt": write_time(datetime.now(UTC)),
            "smsCount": 1,
            "price": {"pricePerMessage": 0, "currency": "EUR"},
            "callbackData": None,
        }
        return [self._sign({"results": [row], "messageCount": 1, "pendingMessageCount": 0})]

    def _sign(self, value: Any) -> tuple[dict[str, str], bytes]:
        body = json.dumps(value, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json"}
        if self.config["hmac_secret"]:
            digest = hmac.new(self.config["hmac_secret"].encode(), body, hashlib.sha256).digest()
            headers[self.config["hmac_header"]] = base64.b64encode(digest).decode()
        return headers, body

    def _balance(self, call: Call) -> Reply:
        return Reply.json({"balance": self.config["balance"], "currency": "EUR"})


def refuse(code: str, description: str, status: int, violation: dict[str, str] | None = None) -> Reply:
    violations = [violation] if violation else []
    body = {"errorCode": code, "description": description, "action": "", "violations": violations, "resources": []}
    return Reply.json(body, status)


def refuse_login() -> Reply:
    """The older style of their errors."""
    exception = {"messageId": "UNAUTHORIZED", "text": "Invalid login details"}
    return Reply.json({"requestError": {"serviceException": exception}}, 401)


def write_status(status: tuple[int, str, int, str]) -> dict[str, Any]:
    group, group_name, number, name = status
    return {"groupId": group, "groupName": group_name, "id": number, "name": name, "description": name.lower()}


def write_error(word: str, error: str) -> dict[str, Any]:
    if word != "UNDELIV":
        return {"groupId": 0, "groupName": "OK", "id": 0, "name": "NO_ERROR", "permanent": False}
    group, name, permanent = ERRORS.get(error, OPERATOR_ERROR)
    return {"groupId": 1, "groupName": group, "id": int(error), "name": name, "permanent": permanent}


def write_time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"


def read_time(text: str) -> float | None:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp() if text else None
