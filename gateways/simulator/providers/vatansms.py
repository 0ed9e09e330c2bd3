"""VatanSMS as its sheet tells it: POST only, the key in the body, one report id a call, errors in words.

What the sheet does not know is invented here and can be switched: the words, the shape of an answer to a send, the
status of a wrong login. ``/report/single`` has no known shape and is left out.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gateways.simulator.http_server import Call, Reply
from gateways.simulator.providers.base import Double, Taken

ZONE = ZoneInfo("Europe/Istanbul")
SHAPE = "%Y-%m-%d %H:%M:%S"
NUMBER = re.compile(r"5\d{9}")
WORDS = {"DELIVRD": "İletildi", "EXPIRED": "Zaman Aşımı", "UNDELIV": "Hatalı Numara", "REJECTD": "İYS Ret"}
WAITING = "Bekliyor"
TO_ASCII = str.maketrans("çğıöşüÇĞİÖŞÜ", "cgiosuCGIOSU")


class Refused(Exception):
    """The provider's own words for why not."""


class Vatansms(Double):
    """``login_status``: of a wrong login, 401 or 200. ``answer_shape``: flat, nested or bare (no id).
    ``refuses_whole``: one bad number refuses the call. ``strange_words``: by receipt word, in place of ``WORDS``.
    ``queries_per_second``: of reports; 0: no limit."""

    slug = "vatansms"
    config = {
        "headers": [],
        "login_status": 401,
        "answer_shape": "flat",
        "refuses_whole": False,
        "strange_words": {},
        "most_phones": 1000,
        "queries_per_second": 0,
        "credit": 10_000_000,
    }
    demo_settings = {
        "api_id": "demo",
        "status_words": {"Zaman Aşımı": "expired", "Hatalı Numara": "number", "İYS Ret": "consent"},
    }

    def __init__(self, centre: Any) -> None:
        super().__init__(centre)

    def answer(self, call: Call) -> Reply:
        routes = {
            "/1toN": self._send_one_text,
            "/NtoN": self._send_texts,
            "/otp": self._send_otp,
            "/report/detail": self._detail,
            "/report/between": self._between,
            "/senders": self._senders,
            "/user/information": self._account,
        }
        route = routes.get(call.path)
        if route is None or call.method != "POST":
            return Reply.text("<html>404</html>", 404, "text/html")
        body = call.json()
        user = str(body.get("api_id", ""))
        if not self.knows(user, str(body.get("api_key", ""))):
            return refuse("Api bilgileri hatalı", self.config["login_status"])
        most = self.config["queries_per_second"]
        if call.path.startswith("/report/") and self.is_over("reports", most, 1):
            return self.write_throttled(is_busy=False)
        try:
            return route(call, body, user)
        except Refused as why:
            return refuse(str(why))

    def write_throttled(self, *, is_busy: bool) -> Reply:
        """No word for "busy" is known: both are a 429."""
        return Reply.json({"status": "error", "description": "Çok fazla istek"}, 429, {"Retry-After": "1"})

    # -- send --------------------------------------------------------------------------------------------

    def _send_one_text(self, call: Call, body: dict[str, Any], user: str) -> Reply:
        return self._send(call, body, user, [(str(phone), str(body["message"])) for phone in body["phones"]])

    def _send_texts(self, call: Call, body: dict[str, Any], user: str) -> Reply:
        return self._send(call, body, user, [(str(p["phone"]), str(p["message"])) for p in body["phones"]])

    def _send_otp(self, call: Call, body: dict[str, Any], user: str) -> Reply:
        if len(body["phones"]) != 1:
            raise Refused("Tek telefon olmalı")
        return self._send_one_text(call, body, user)

    def _send(self, call: Call, body: dict[str, Any], user: str, items: list[tuple[str, str]]) -> Reply:
        good, bad = self._look_at(body, items)
        is_turkish = body["message_type"] == "turkce"
        sent = [("+90" + phone, text if is_turkish else text.translate(TO_ASCII)) for phone, text in good]
        taken = self.take(call, user, body["sender"], sent, national=is_turkish)
        job = taken[0].job
        self.config["credit"] -= sum(row.parts for row in taken)
        return self._accept(int(job), len(good), bad)

    def _accept(self, job: int, count: int, bad: list[str]) -> Reply:
        if self.config["answer_shape"] == "nested":
            return Reply.json({"status": "success", "message": "ok", "data": {"report_id": job, "cost": count}})
        found = {"status": "success", "description": "Mesajlar alındı", "id": job, "quantity": count}
        if self.config["answer_shape"] == "bare":
            del found["id"]
        return Reply.json({**found, "amount": self.config["credit"], "invalid_phones": bad})

    def _look_at(self, body: dict[str, Any], items: list[tuple[str, str]]) -> tuple[list[tuple[str, str]], list[str]]:
        """(items it takes, numbers it does not). Raises Refused."""
        if body.get("message_type") not in ("normal", "turkce"):
            raise Refused("Geçersiz mesaj tipi")
        if body.get("message_content_type", "bilgi") not in ("bilgi", "ticari"):
            raise Refused("Geçersiz içerik tipi")
        if self.config["headers"] and body.get("sender") not in self.config["headers"]:
            raise Refused("Gönderici adı onaylı değil")
        if len(items) > self.config["most_phones"]:
            raise Refused("Çok fazla numara")
        if any(not text for _, text in items):
            raise Refused("Mesaj metni boş")
        if self.config["credit"] < len(items):
            raise Refused("Yetersiz kredi")
        good = [(p, t) for p, t in items if NUMBER.fullmatch(p) and not self.refuses("+90" + p)]
        taken = {p for p, _ in good}
        bad = [p for p, _ in items if p not in taken]
        if not good or (bad and self.config["refuses_whole"]):
            raise Refused("Numara listesi hatalı")
        return good, bad

    # -- reports -----------------------------------------------------------------------------------------

    def _detail(self, call: Call, body: dict[str, Any], user: str) -> Reply:
        job = str(body["report_id"])
        if job not in self.find_jobs(user):
            raise Refused("Rapor bulunamadı")
        page, size = int(call.query.get("page", 1)), int(call.query.get("pageSize", 20))
        if page < 1 or not 1 <= size <= 100:
            raise Refused("Geçersiz sayfa")
        rows = self.rows(job)
        shown = [self._row_of(row) for row in rows[(page - 1) * size : page * size]]
        return Reply.json({"status": "success", "data": {"last_page": -(-len(rows) // size), "data": shown}})

    def _row_of(self, row: Taken) -> dict[str, Any]:
        word, at = WAITING, None
        if row.is_final(self.now):
            word = self.config["strange_words"].get(row.word) or WORDS[row.word]
            at = f"{datetime.now(ZONE) - timedelta(seconds=self.now - row.due_at):{SHAPE}}"
        return {
            "phone": row.national,
            "message": row.text,
            "status_description": word,
            "result_time": at,
            "created_at": f"{datetime.fromtimestamp(row.at, ZONE):{SHAPE}}",
        }

    def _between(self, call: Call, body: dict[str, Any], user: str) -> Reply:
        began, ended = (read_time(body[name]).timestamp() for name in ("start_date", "end_date"))
        found = [(job, self.jobs[job]) for job in self.find_jobs(user)]
        rows = [
            {
                "id": int(job),
                "message": taken[0].text,
                "sender": taken[0].sender,
                "credit_before": self.config["credit"] + sum(row.parts for row in taken),
                "count": len(taken),
            }
            for job, taken in found
            if began <= taken[0].at <= ended
        ]
        return Reply.json({"status": "success", "data": rows})

    # -- the rest ----------------------------------------------------------------------------------------

    def _senders(self, call: Call, body: dict[str, Any], user: str) -> Reply:
        rows = [{"sender": name, "status": 1} for name in self.config["headers"] or ["ORNEKFIRMA"]]
        return Reply.json({"status": "success", "data": [*rows, {"sender": "BEKLEYEN", "status": 0}]})

    def _account(self, call: Call, body: dict[str, Any], user: str) -> Reply:
        data = {"name": "Örnek", "surname": "Firma", "credit": self.config["credit"]}
        return Reply.json({"status": "success", "data": data})


def refuse(words: str, status: int = 200) -> Reply:
    return Reply.json({"status": "error", "description": words}, status)


def read_time(text: str) -> datetime:
    return datetime.strptime(text, SHAPE).replace(tzinfo=ZONE)
