"""Two providers that nobody wrote an adapter for, as different as providers are.

``/v1``: JSON, a bearer key, many messages a call, an id and a verdict for each, receipts by push and by ids.
``/gw``: one message a call in the query, plain text back (``OK 123``, ``ERR 40``, always HTTP 200), receipts as lines
of a report and as a form. Its ``POST`` takes many numbers for one text, and gives the call one id.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from gateways.simulator.http_server import Call, Reply
from gateways.simulator.providers.base import Double, Taken

E164, NATIONAL = re.compile(r"\+[1-9]\d{7,14}"), re.compile(r"5\d{9}")
STATES = {"DELIVRD": "DELIVERED", "UNDELIV": "FAILED", "EXPIRED": "EXPIRED", "REJECTD": "REJECTED"}
PRICE = Decimal("0.0120")
NUMBERS = {"DELIVRD": "1", "UNDELIV": "2", "EXPIRED": "3", "REJECTD": "4"}

JSON_REPORT = {
    "rows": "reports[]",
    "id": "id",
    "number": "to",
    "status": "state",
    "code": "error",
    "at": "at",
    "parts": "parts",
    "price": "price",
}
JSON_SHAPE: dict[str, Any] = {
    "auth": "bearer",
    "number_format": "e164",
    "send": {
        "path": "/v1/messages",
        "batch": 100,
        "body": '{"sender": "[sender]", "kind": "[content_class]", "coding": "[encoding]", "messages": [[messages]]}',
        "item": '{"to": "[number]", "body": "[text]", "ref": "[id]"}',
        "encodings": {"gsm7": "gsm", "gsm7-tr": "gsm-tr", "ucs2": "unicode"},
        "classes": {"commercial": "marketing", "informational": "service"},
    },
    "answer": {
        "status": [202],
        "code": {"path": "error.code"},
        "id_per": "message",
        "rows": "items[]",
        "row_id": "id",
        "row_code": "result",
        "row_accepted": ["0"],
        "refusals": {
            "AUTH": "login",
            "SENDER": "refused bad_sender",
            "RATE": "throttled 3",
            "BUSY": "later 5",
            "14": "refused bad_address",
        },
    },
    "receipt": {
        **JSON_REPORT,
        "statuses": {
            "PENDING": "accepted",
            "DELIVERED": "delivered",
            "FAILED": "undelivered",
            "EXPIRED": "undelivered expired",
            "REJECTED": "undelivered refused",
        },
        "errors": {"1": "unknown_subscriber", "6": "absent_subscriber", "32": "handset_full", "34": "network"},
    },
    "poll": {
        "path": "/v1/reports",
        "body": '{"ids": [[jobs]]}',
        "item": '"[job]"',
        "receipt": JSON_REPORT,
    },
    "balance": {"method": "GET", "path": "/v1/account", "value": {"path": "balance.credit"}},
}
TEXT_SHAPE: dict[str, Any] = {
    "login": "bayi1",
    "number_format": "national",
    "send": {
        "method": "GET",
        "path": "/gw/send.php",
        "kind": "query",
        "body": "usr=[login]&pwd=[password]&from=[sender]&to=[number]&msg=[text]&coding=[encoding]&iys=[content_class]",
        "encodings": {"gsm7": "0", "gsm7-tr": "1", "ucs2": "2"},
        "classes": {"commercial": "1", "informational": "0"},
    },
    "answer": {
        "body_decides": True,
        "code": {"pattern": "ERR [digits]"},
        "id": {"pattern": "OK [digits]"},
        "refusals": {
            "30": "login",
            "40": "refused bad_sender",
            "50": "refused bad_address one",
            "80": "throttled",
            "81": "later 30",
        },
    },
    "receipt": {
        "source": "form",
        "id": "msgid",
        "number": "gsm",
        "status": "durum",
        "code": "hata",
        "parts": "boy",
        "statuses": {
            "0": "accepted",
            "1": "delivered",
            "2": "undelivered network",
            "3": "undelivered expired",
            "4": "undelivered refused",
        },
        "errors": {"001": "unknown_subscriber", "006": "absent_subscriber", "032": "handset_full"},
    },
    "poll": {
        "method": "GET",
        "path": "/gw/report.php",
        "kind": "query",
        "body": "usr=[login]&pwd=[password]&id=[job]",
        "code": {"pattern": "ERR [digits]"},
        "nothing": ["60"],
        "receipt": {
            "source": "lines",
            "column": ";",
            "id": "1",
            "number": "2",
            "status": "3",
            "code": "4",
            "parts": "5",
        },
    },
    "balance": {
        "method": "GET",
        "path": "/gw/credit.php",
        "kind": "query",
        "body": "usr=[login]&pwd=[password]",
        "value": {"pattern": "OK [value]"},
    },
}


class Generic(Double):
    """``senders``: what may stand as sender (empty: anything)."""

    slug = "generic"
    config = {"senders": []}
    demo_settings = JSON_SHAPE

    def __init__(self, centre: Any) -> None:
        super().__init__(centre)
        self._text_jobs: set[str] = set()
        self._is_text = False

    def answer(self, call: Call) -> Reply:
        self._is_text = call.path.startswith("/gw/")
        routes = {
            ("POST", "/v1/messages"): self._send_json,
            ("POST", "/v1/reports"): self._report_json,
            ("GET", "/v1/account"): self._account,
            ("GET", "/gw/send.php"): self._send_text,
            ("POST", "/gw/send.php"): self._send_text,
            ("GET", "/gw/report.php"): self._report_text,
            ("GET", "/gw/credit.php"): self._credit,
        }
        route = routes.get((call.method, call.path))
        return route(call) if route else Reply.text("<html>404</html>", 404, "text/html")

    def write_throttled(self, *, is_busy: bool) -> Reply:
        if self._is_text:
            return Reply.text("ERR 81" if is_busy else "ERR 80")
        return refuse("BUSY" if is_busy else "RATE", 400)

    def write_receipts(self, rows: Sequence[Taken]) -> list[tuple[dict[str, str], bytes]]:
        pushes = []
        for row in (row for row in rows if row.job in self._text_jobs):
            fields = {"msgid": row.job, "gsm": row.digits, "durum": NUMBERS[row.word], "hata": row.error}
            fields["boy"] = str(self.count_billed(row))
            pushes.append(({"Content-Type": "application/x-www-form-urlencoded"}, urlencode(fields).encode()))
        told = [self._show(row) for row in rows if row.job not in self._text_jobs]
        if told:
            reply = Reply.json({"reports": told})
            pushes.append((dict(reply.headers), reply.body))
        return pushes

    # -- JSON --------------------------------------------------------------------------------------------

    def _key(self, call: Call) -> str:
        """The key is one of the script's passwords; whose it is does not matter here."""
        kind, _, key = call.headers.get("authorization", "").partition(" ")
        accounts = self.centre.script.accounts
        return key if kind == "Bearer" and key and (not accounts or key in accounts.values()) else ""

    def _send_json(self, call: Call) -> Reply:
        key = self._key(call)
        if not key:
            return refuse("AUTH", 401)
        body = call.json()
        if self.config["senders"] and body["sender"] not in self.config["senders"]:
            return refuse("SENDER", 400)
        items = body["messages"]
        if not 1 <= len(items) <= 100 or body["kind"] not in ("marketing", "service"):
            return refuse("FORMAT", 400)
        good = [i for i in items if E164.fullmatch(i["to"]) and i["body"] and not self.refuses(i["to"])]
        sent = [(item["to"], item["body"]) for item in good]
        taken = iter(self.take(call, key, body["sender"], sent, national=body["coding"] == "gsm-tr") if sent else [])
        rows = []
        for item in items:
            row = {"id": f"m-{next(taken).message_id}", "result": 0} if item in good else {"id": None, "result": 14}
            rows.append({"ref": item["ref"], **row})
        return Reply.json({"items": rows}, 202)

    def _report_json(self, call: Call) -> Reply:
        if not self._key(call):
            return refuse("AUTH", 401)
        wanted = set(call.json()["ids"])
        found = [row for job in self.jobs for row in self.rows(job) if f"m-{row.message_id}" in wanted]
        return Reply.json({"reports": [self._show(row) for row in found]})

    def _show(self, row: Taken) -> dict[str, Any]:
        state = STATES[row.word] if row.is_final(self.now) else "PENDING"
        parts = self.count_billed(row)
        error = int(row.error) if state not in ("PENDING", "DELIVERED") else 0
        return {
            "id": f"m-{row.message_id}",
            "to": row.msisdn,
            "state": state,
            "error": error,
            "at": "2026-11-22T12:00:00Z",
            "parts": parts,
            "price": f"{PRICE * parts:.4f}",
        }

    def _account(self, call: Call) -> Reply:
        return Reply.json({"balance": {"credit": 1250.5}}) if self._key(call) else refuse("AUTH", 401)

    # -- plain text --------------------------------------------------------------------------------------

    def _is_known(self, fields: dict[str, str]) -> bool:
        return self.knows(fields.get("usr", ""), fields.get("pwd", ""))

    def _send_text(self, call: Call) -> Reply:
        fields = call.form if call.method == "POST" else dict(call.query)
        if not self._is_known(fields):
            return Reply.text("ERR 30")
        numbers = fields["to"].split(",")
        if self.config["senders"] and fields["from"] not in self.config["senders"]:
            return Reply.text("ERR 40")
        if any(not NATIONAL.fullmatch(number) or self.refuses(f"+90{number}") for number in numbers):
            return Reply.text("ERR 50")
        sent = [(f"+90{number}", fields["msg"]) for number in numbers]
        taken = self.take(call, fields["usr"], fields["from"], sent, national=fields["coding"] == "1")
        self._text_jobs.add(taken[0].job)
        return Reply.text(f"OK {taken[0].job}\r\n")

    def _report_text(self, call: Call) -> Reply:
        if not self._is_known(dict(call.query)):
            return Reply.text("ERR 30")
        lines = []
        for row in self.rows(call.query["id"]):
            status = NUMBERS[row.word] if row.is_final(self.now) else "0"
            lines.append(
                f"{row.job};{row.digits};{status};{row.error if status not in '01' else '000'};{self.count_billed(row)}"
            )
        return Reply.text("\r\n".join(lines) if lines else "ERR 60")

    def _credit(self, call: Call) -> Reply:
        return Reply.text("OK 57,86" if self._is_known(dict(call.query)) else "ERR 30")


def refuse(code: str, status: int) -> Reply:
    return Reply.json({"error": {"code": code, "text": "refused"}}, status)
