"""Figensoft's Posta Güvercini, JSON API, as its sheet tells it: PascalCase, an id for each receiver, codes in the body,
status by ids, every field of a status a text."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gateways.simulator.http_server import Call, Reply
from gateways.simulator.providers.base import Double, Taken
from smscore import segment

ZONE = ZoneInfo("Europe/Istanbul")
SHAPE = "%Y%m%d %H:%M"
NUMBER = re.compile(r"(90)?5\d{9}")
MOST_RECEIVERS = 800
LONGEST_TURKISH = 268
WAITING, SENT, DELIVERED, EXPIRED, NO_LINE, NO_CONSENT = "110", "300", "400", "403", "404", "424"
ENDINGS = {"DELIVRD": DELIVERED, "EXPIRED": EXPIRED, "UNDELIV": "402", "REJECTD": NO_CONSENT}
ERRORS = {"001": NO_LINE, "006": "412", "013": "406", "032": "411", "034": "405"}
INVALID_NUMBER, TOO_LONG, NO_CREDIT = "-201", "-447", "-220"
TEXTS = {WAITING: "Bekliyor", SENT: "Gönderildi", DELIVERED: "Ulaştı", EXPIRED: "Zaman aşımı"}


class Refused(Exception):
    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class Figensoft(Double):
    """``error_status``: the HTTP status of a body that is no success, 200 or 500. ``headers``: its sender IDs.
    ``codes``: digits of a number → delivery code it ends with. ``is_turkish_ucs2``: how it sends Turkish letters."""

    slug = "figensoft"
    config = {
        "error_status": 500,
        "headers": [],
        "codes": {},
        "is_turkish_ucs2": True,
        "most_ids": 1000,
        "balance": 10_000_000,
    }
    demo_settings = {"username": "demo"}

    def __init__(self, centre: Any) -> None:
        super().__init__(centre)
        self.messages: dict[str, Taken] = {}
        self.seen: set[str] = set()

    def answer(self, call: Call) -> Reply:
        routes = {
            "/v1/Sms/Send_1_N": self._send_one_text,
            "/v1/Sms/Send_N_N": self._send_texts,
            "/v1/Sms/Status": self._status,
            "/v1/Sms/CreditBalance": self._balance,
        }
        route = routes.get(call.path)
        if route is None or call.method != "POST":
            return Reply.text("<html>404</html>", 404, "text/html")
        body = call.json()
        user = str(body.get("Username", ""))
        if not self.knows(user, str(body.get("Password", ""))):
            return self._refuse(Refused(500, "Kullanıcı adı veya şifre hatalı"))
        try:
            result = route(call, body, user)
        except Refused as why:
            return self._refuse(why)
        text = "Transaction done successfully"
        return Reply.json({"StatusCode": 200, "StatusDescription": text, "Result": result})

    def write_throttled(self, *, is_busy: bool) -> Reply:
        """No code of theirs is known for it: a bare 429, or what they say when their database is away."""
        if is_busy:
            return self._refuse(Refused(1020, "Connection failed"))
        return Reply.text("Too Many Requests", 429)

    def _refuse(self, why: Refused) -> Reply:
        body = {"StatusCode": why.code, "StatusDescription": why.text, "Result": None}
        return Reply.json(body, self.config["error_status"])

    # -- send --------------------------------------------------------------------------------------------

    def _send_one_text(self, call: Call, body: dict[str, Any], user: str) -> list[dict[str, Any]]:
        return self._send(call, body, user, [(str(n), str(body["Message"])) for n in body.get("Receivers") or ()])

    def _send_texts(self, call: Call, body: dict[str, Any], user: str) -> list[dict[str, Any]]:
        items = body.get("Messages") or ()
        return self._send(call, body, user, [(str(m["Receiver"]), str(m["Message"])) for m in items])

    def _send(self, call: Call, body: dict[str, Any], user: str, items: list[tuple[str, str]]) -> list[dict[str, Any]]:
        self._look_at(body, items)
        sender = str(body.get("Originator") or "VARSAYILAN")
        fates = self._judge([text for _, text in items], [read_number(number) for number, _ in items])
        good = [(read_number(n), t) for (n, t), (code, _) in zip(items, fates, strict=True) if not code]
        national = not self.config["is_turkish_ucs2"]
        taken = iter(self.take(call, user, sender, good, national=national) if good else [])
        rows = []
        for (number, text), (code, parts) in zip(items, fates, strict=True):
            row = self._drop(user, sender, number, text, parts, code) if code else next(taken)
            self.messages[str(row.message_id)] = row
            charge = self.count_billed(row)
            self.config["balance"] -= 0 if code else charge
            rows.append({"MessageId": str(row.message_id), "Receiver": number, "Charge": charge})
        return rows

    def _look_at(self, body: dict[str, Any], items: list[tuple[str, str]]) -> None:
        if not items:
            raise Refused(1060, "Receiver list is empty")
        if len(items) > MOST_RECEIVERS:
            raise Refused(1070, f"Receiver count can be {MOST_RECEIVERS} at most")
        if any(not text for _, text in items):
            raise Refused(1090, "Message is empty")
        if body.get("Channel", "OTP") not in ("OTP", "BULK"):
            raise Refused(400, "Channel")
        for field, code in (("SendDate", 1063), ("ExpireDate", 1064)):
            if body.get(field):
                self._check_date(field, str(body[field]), code)
        if self.config["headers"] and body.get("Originator") not in (None, *self.config["headers"]):
            raise Refused(400, "Originator")

    def _check_date(self, field: str, text: str, code: int) -> None:
        try:
            at = datetime.strptime(text, SHAPE).replace(tzinfo=ZONE)
        except ValueError as error:
            raise Refused(code, field) from error
        if at < datetime.now(ZONE) - timedelta(minutes=1):
            raise Refused(code, field)

    def _judge(self, texts: list[str], numbers: list[str]) -> list[tuple[str, int]]:
        """(code of a message that goes nowhere, or empty; its parts) each: it gets an id all the same."""
        left = self.config["balance"]
        fates = []
        for text, number in zip(texts, numbers, strict=True):
            found = segment(text, national=not self.config["is_turkish_ucs2"])
            code = ""
            if not NUMBER.fullmatch(number.lstrip("+")) or self.refuses(number):
                code = INVALID_NUMBER
            elif found.encoding == "ucs2" and len(text) > LONGEST_TURKISH:
                code = TOO_LONG
            elif found.parts > left:
                code = NO_CREDIT
            else:
                left -= found.parts
            fates.append((code, found.parts))
        return fates

    def _drop(self, user: str, sender: str, number: str, text: str, parts: int, code: str) -> Taken:
        message_id = self.centre.next_message_id()
        msisdn = read_number(number)
        return Taken(message_id, "", user, sender, msisdn, text, parts, "REJECTD", code, self.now, time.time())

    # -- status ------------------------------------------------------------------------------------------

    def _status(self, call: Call, body: dict[str, Any], user: str) -> list[dict[str, str]]:
        ids = [str(number) for number in body.get("MessageIds") or ()]
        if not ids or len(ids) > self.config["most_ids"]:
            raise Refused(2050, "MessageIds")
        rows = []
        for number in ids:
            row = self.messages.get(number)
            known = row is not None and row.account == user
            rows += [self._row_of(number, row if known else None)] * (max(1, row.copies) if row and known else 1)
        return rows

    def _row_of(self, number: str, row: Taken | None) -> dict[str, str]:
        names = ("Receiver", "SmsStatus", "SmsStatusDescription", "IsFinalStatus", "StatusTime", "SmsCharge")
        if row is None:
            return {"MessageId": number, **dict.fromkeys(names, ""), "SmsStatusDescription": "Bilinmiyor ?"}
        code, at = self._code_of(number, row), row.at
        is_final = row.is_final(self.now)
        if is_final:
            at = time.time() - (self.now - row.due_at)
        values = (
            row.digits,
            code,
            TEXTS.get(code, "Ulaşmadı"),
            "1" if is_final else "0",
            f"{datetime.fromtimestamp(at, ZONE):{SHAPE}}",
            str(self.count_billed(row)),
        )
        return {"MessageId": number, **dict(zip(names, values, strict=True))}

    def _code_of(self, number: str, row: Taken) -> str:
        """Waiting when first asked, sent after that, then how it ended."""
        if not row.is_final(self.now):
            is_first = number not in self.seen
            self.seen.add(number)
            return WAITING if is_first else SENT
        if row.digits in self.config["codes"]:
            return str(self.config["codes"][row.digits])
        if row.error.startswith("-"):
            return row.error
        return ERRORS.get(row.error, ENDINGS[row.word]) if row.word == "UNDELIV" else ENDINGS[row.word]

    def _balance(self, call: Call, body: dict[str, Any], user: str) -> dict[str, int]:
        return {"Balance": self.config["balance"]}


def read_number(number: str) -> str:
    """E.164: ten digits are a Turkish number."""
    return f"+90{number}" if len(number) == 10 else f"+{number}"
