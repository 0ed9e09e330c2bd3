"""İleti Merkezi as its sheet tells it: one order id a call, codes in the body and as the HTTP status, texts here and
numbers there, "receipents", one webhook call a message."""

from __future__ import annotations

import re
import time
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from gateways.simulator.http_server import Call, Reply
from gateways.simulator.providers.base import Double, Taken
from smscore import segment

ZONE = ZoneInfo("Europe/Istanbul")
NUMBER = re.compile(r"(?:\+?90|0)?(5\d{9})")
TEST_SENDER = "APITEST"
MOST_PARTS, MOST_NUMBERS, REPEAT_SECONDS, ROWS = 7, 50_000, 600.0, 1000
TEXTS = {
    200: "İşlem başarılı",
    400: "İstek çözümlenemedi",
    401: "Üyelik bilgileri hatalı",
    402: "Bakiye yetersiz",
    404: "API istek yapılan yönteme sahip değil",
    450: "Gönderilen başlık kullanıma uygun değil",
    451: "Tekrar eden sipariş",
    452: "Mesaj alıcıları hatalı",
    453: "Sipariş boyutu aşıldı",
    454: "Mesaj metni boş",
    455: "Sipariş bulunamadı",
    456: "Sipariş gönderim tarihi henüz gelmedi",
    457: "Mesaj gönderim tarihinin formatı hatalı",
    503: "Sunucu geçici olarak servis dışı",
}


class Refused(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Order:
    """An order as XML or JSON said it: messages are (text, numbers)."""

    sender: str
    iys: str
    iys_list: str
    at: str
    messages: list[tuple[str, list[str]]]


class Iletimerkezi(Double):
    """``headers``: approved sender IDs (empty: any). ``mirrors_status``: the code is the HTTP status, too.
    ``blacklist``, ``iys_refusals``: ten digits each. ``orders_per_page`` of the list of orders."""

    slug = "iletimerkezi"
    config = {
        "headers": [],
        "mirrors_status": True,
        "has_brand": True,
        "blacklist": [],
        "iys_refusals": [],
        "balance": 10_000_000,
        "orders_per_page": 50,
    }
    demo_settings = {"key": "demo"}

    def __init__(self, centre: Any) -> None:
        super().__init__(centre)
        self.orders: dict[str, Order] = {}
        self.starts: dict[str, float] = {}
        self.seen: dict[object, float] = {}

    def answer(self, call: Call) -> Reply:
        is_xml = not call.path.endswith("/json")
        try:
            return self._write(is_xml, 200, self._route(call, is_xml))
        except Refused as why:
            return self._write(is_xml, why.code, {})
        except (ET.ParseError, ValueError, LookupError, TypeError, AttributeError):
            return self._write(is_xml, 400, {})

    def write_throttled(self, *, is_busy: bool) -> Reply:
        """No code of theirs is known for it: a bare 429."""
        return self._write(True, 503, {}) if is_busy else Reply.text("Too Many Requests", 429)

    def _write(self, is_xml: bool, code: int, rest: dict[str, Any]) -> Reply:
        status = code if self.config["mirrors_status"] else 200
        said = TEXTS.get(code, "")
        if not is_xml:
            return Reply.json({"response": {"status": {"code": code, "message": said}, **rest}}, status)
        order = f"<order><id>{rest['order']['id']}</id></order>" if rest else ""
        body = f"<response><status><code>{code}</code><message>{escape(said)}</message></status>{order}</response>"
        return Reply.text(f'<?xml version="1.0" encoding="UTF-8"?>\n{body}', status, "application/xml; charset=utf-8")

    def _route(self, call: Call, is_xml: bool) -> dict[str, Any]:
        operation = call.path.strip("/").removesuffix("/json")
        routes = {
            "get-report": self._report,
            "get-reports": self._reports,
            "get-balance": self._balance,
            "get-sender": self._senders,
        }
        if call.method != "POST" or (operation != "send-sms" and (is_xml or operation not in routes)):
            raise Refused(404)
        if is_xml:
            root = ET.fromstring(call.body)  # noqa: S314 - ours, on a loopback address
            user = self._log_in({name: root.findtext(f"authentication/{name}") or "" for name in ("key", "hash")})
            return self._send(call, user, read_xml(root))
        request = call.json()["request"]
        user = self._log_in(request["authentication"])
        if operation == "send-sms":
            return self._send(call, user, read_json(request["order"]))
        return routes[operation](request, user)

    def _log_in(self, login: dict[str, str]) -> str:
        if not self.knows(str(login.get("key", "")), str(login.get("hash", ""))):
            raise Refused(401)
        return str(login["key"])

    # -- send --------------------------------------------------------------------------------------------

    def _send(self, call: Call, user: str, order: Order) -> dict[str, Any]:
        numbers = self._look_at(order)
        content = (order.sender, tuple((text, tuple(listed)) for text, listed in order.messages))
        if self.now - self.seen.get(content, -REPEAT_SECONDS) < REPEAT_SECONDS:
            raise Refused(451)
        items = [(f"+90{n}", text) for (text, _), listed in zip(order.messages, numbers, strict=True) for n in listed]
        known = len(self.jobs)
        try:
            job = self.take(call, user, order.sender, items)[0].job
        finally:  # also where the answer gets lost
            if len(self.jobs) > known:
                job = next(reversed(self.jobs))
                self.orders[job], self.seen[content] = order, self.now
                self.config["balance"] -= sum(row.parts for row in self.jobs[job])
        if order.at:
            self.starts[job] = read_time(order.at)
        return {"order": {"id": job}}

    def _look_at(self, order: Order) -> list[list[str]]:
        """The numbers of each message, ten digits. Raises Refused."""
        if self.config["headers"] and order.sender not in (TEST_SENDER, *self.config["headers"]):
            raise Refused(450)
        if order.iys not in ("0", "1"):
            raise Refused(468)
        if order.iys == "1" and order.iys_list not in ("BIREYSEL", "TACIR"):
            raise Refused(469)
        if order.iys == "1" and not self.config["has_brand"]:
            raise Refused(470)
        for text, _ in order.messages:
            if not text:
                raise Refused(454)
            if segment(text).parts > MOST_PARTS:
                raise Refused(453)
        numbers = [[self._read_number(number) for number in listed] for _, listed in order.messages]
        everybody = [number for listed in numbers for number in listed]
        if not everybody or len(everybody) > MOST_NUMBERS or set(everybody) <= set(self.config["blacklist"]):
            raise Refused(452)
        if self.config["balance"] < len(everybody):
            raise Refused(402)
        return numbers

    def _read_number(self, text: str) -> str:
        found = NUMBER.fullmatch(text.replace(" ", ""))
        if not found or self.refuses(f"+90{found[1]}"):
            raise Refused(452)
        return found[1]

    # -- reports -----------------------------------------------------------------------------------------

    def _find(self, request: dict[str, Any], user: str) -> str:
        job = str(request["order"]["id"])
        if job not in self.jobs or self.jobs[job][0].account != user:
            raise Refused(455)
        return job

    def _report(self, request: dict[str, Any], user: str) -> dict[str, Any]:
        job = self._find(request, user)
        if self.starts.get(job, 0.0) > time.time():
            raise Refused(456)
        page, size = int(request["order"].get("page") or 1), int(request["order"].get("rowCount") or ROWS)
        if page < 1 or not 1 <= size <= ROWS:
            raise Refused(400)
        rows = [{"number": int(row.national), "status": self._status_of(row)} for row in self.rows(job)]
        is_over = all(row["status"] != 110 for row in rows)
        shown = rows[(page - 1) * size : page * size]
        return {"order": {"id": int(job), "status": 114 if is_over else 113, "message": shown}}

    def _status_of(self, row: Taken) -> int:
        if not row.is_final(self.now):
            return 110
        is_refused = self.orders[row.job].iys == "1" and row.national in self.config["iys_refusals"]
        return 111 if row.word == "DELIVRD" and not is_refused else 112

    def _reports(self, request: dict[str, Any], user: str) -> dict[str, Any]:
        began, ended = (datetime.strptime(request["filter"][n], "%Y-%m-%d").date() for n in ("start", "end"))  # noqa: DTZ007
        if not timedelta() <= ended - began <= timedelta(days=10):
            raise Refused(458)
        page, size = int(request["filter"].get("page") or 1), self.config["orders_per_page"]
        jobs = [j for j in self.find_jobs(user) if began <= self._submitted(j).date() <= ended]
        shown = [self._summary_of(job) for job in jobs[(page - 1) * size : page * size]]
        return {"count": len(jobs), "orders": shown}

    def _submitted(self, job: str) -> datetime:
        return datetime.fromtimestamp(self.jobs[job][0].at, ZONE)

    def _summary_of(self, job: str) -> dict[str, Any]:
        statuses = [self._status_of(row) for row in self.jobs[job]]
        at = f"{self._submitted(job):%Y-%m-%d %H:%M:%S}"
        return {
            "id": int(job),
            "status": 113 if 110 in statuses else 114,
            "total": len(statuses),
            "delivered": statuses.count(111),
            "undelivered": statuses.count(112),
            "waiting": statuses.count(110),
            "submitAt": at,
            "sendAt": at,
            "sender": self.orders[job].sender,
        }

    def write_receipts(self, rows: Sequence[Taken]) -> list[tuple[dict[str, str], bytes]]:
        """A call for each message."""
        pushes = []
        for row in rows:
            word = "delivered" if self._status_of(row) == 111 else "undelivered"
            ids = {"id": row.message_id, "packet_id": int(row.job)}
            reply = Reply.json({"report": {**ids, "status": word, "to": row.msisdn, "body": row.text}})
            pushes.append((dict(reply.headers), reply.body))
        return pushes

    # -- the rest ----------------------------------------------------------------------------------------

    def _balance(self, request: dict[str, Any], user: str) -> dict[str, Any]:
        return {"balance": {"amount": "0", "sms": str(self.config["balance"])}}

    def _senders(self, request: dict[str, Any], user: str) -> dict[str, Any]:
        return {"senders": {"sender": self.config["headers"] or ["ORNEKFIRMA"]}}


def read_xml(root: ET.Element) -> Order:
    order = root.find("order")
    if order is None:
        raise Refused(400)
    found = {name: order.findtext(name) or "" for name in ("sender", "iys", "iysList", "sendDateTime")}
    messages = [
        (m.findtext("text") or "", [n.text or "" for n in m.findall("receipents/number")])
        for m in order.findall("message")
    ]
    return Order(found["sender"], found["iys"], found["iysList"], found["sendDateTime"], messages)


def read_json(order: dict[str, Any]) -> Order:
    """One text: how several are written in JSON is not documented."""
    message, at = order["message"], order.get("sendDateTime") or [""]
    numbers = [str(number) for number in message["receipents"]["number"]]
    iys, iys_list = str(order.get("iys", "")), str(order.get("iysList", ""))
    return Order(str(order.get("sender", "")), iys, iys_list, at[0], [(str(message["text"]), numbers)])


def read_time(text: str) -> float:
    try:
        return datetime.strptime(text, "%d/%m/%Y %H:%M").replace(tzinfo=ZONE).timestamp()
    except ValueError as error:
        raise Refused(457) from error
