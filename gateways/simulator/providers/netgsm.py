"""Netgsm REST v2 as its sheet tells it: one job id a call, reports by job, code 30 instead of 401, 406 for refusals."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from gateways.simulator.http_server import Call, Reply
from gateways.simulator.providers.base import Double, Taken

ZONE = ZoneInfo("Europe/Istanbul")
LONGEST_SPAN = timedelta(days=30)
NUMBER = re.compile(r"5\d{9}")
MINUTE = re.compile(r"\d{12}")  # ddMMyyyyHHmm
STATUS = {"DELIVRD": 1, "EXPIRED": 2, "UNDELIV": 4, "REJECTD": 11}
ERROR = {"000": 0, "001": 116, "006": 102, "013": 115, "032": 101, "034": 119}


class Netgsm(Double):
    """``headers``: the account's sender IDs (empty: any). ``iys_refusals``: national numbers that end in status 16.
    ``needs_dates``: /report without dates is refused."""

    slug = "netgsm"
    config = {
        "headers": [],
        "is_iys_allowed": True,
        "has_brand": True,
        "iys_refusals": [],
        "jobs_per_number": 20,
        "queries_per_minute": 10,
        "needs_dates": False,
        "most_messages": 1000,
        "balance": "57,860",
    }
    demo_settings = {"username": "8503000000"}
    demo_config = {"queries_per_minute": 1300}

    def __init__(self, centre: Any) -> None:
        super().__init__(centre)
        self.inbox: list[dict[str, str]] = []
        self.iys: dict[str, str] = {}

    def answer(self, call: Call) -> Reply:
        if call.path == "/balance":
            return self._balance(call)
        user = self._login(call)
        if not user:
            return refuse("30")
        routes = {
            ("POST", "/sms/rest/v2/send"): self._send,
            ("POST", "/sms/rest/v2/report"): self._report,
            ("GET", "/sms/rest/v2/inbox"): self._inbox,
            ("GET", "/sms/rest/v2/msgheader"): self._headers,
        }
        route = routes.get((call.method, call.path))
        return route(call, user) if route else Reply.text("<html>404</html>", 404, "text/html")

    def write_throttled(self, *, is_busy: bool) -> Reply:
        return refuse("100" if is_busy else "80")

    def _login(self, call: Call) -> str:
        kind, _, token = call.headers.get("authorization", "").partition(" ")
        try:
            user, _, password = base64.b64decode(token, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return ""
        return user if kind == "Basic" and self.knows(user, password) else ""

    # -- send --------------------------------------------------------------------------------------------

    def _send(self, call: Call, user: str) -> Reply:
        body = call.json()
        items = body.get("messages") or []
        refusal = self._look_at(body, items)
        if refusal:
            return refuse(refusal)
        sent = [("+90" + item["no"], item["msg"]) for item in items]
        taken = self.take(call, user, body["msgheader"], sent, national=str(body.get("encoding", "")).upper() == "TR")
        job = taken[0].job
        self.iys[job] = body["iysfilter"]
        return Reply.json({"code": "00", "jobid": job, "description": "queued"})

    def _look_at(self, body: dict[str, Any], items: list[dict[str, str]]) -> str:
        config = self.config
        if not items or len(items) > config["most_messages"] or "iysfilter" not in body:
            return "70"
        if any(not NUMBER.fullmatch(str(item.get("no", ""))) or "msg" not in item for item in items):
            return "70"
        if any(not MINUTE.fullmatch(body.get(name) or "0" * 12) for name in ("startdate", "stopdate")):
            return "70"
        if any(not item["msg"] for item in items):
            return "20"
        if config["headers"] and body.get("msgheader") not in config["headers"]:
            return "40"
        if body["iysfilter"] in ("11", "12"):
            if not config["is_iys_allowed"]:
                return "50"
            if not config["has_brand"]:
                return "51"
        if any(self.refuses("+90" + item["no"]) for item in items):
            return "70"
        most = config["jobs_per_number"]
        if any(self.is_over(f"to {number}", most, 60) for number in {item["no"] for item in items}):
            return "85"
        return ""

    # -- reports -----------------------------------------------------------------------------------------

    def _report(self, call: Call, user: str) -> Reply:
        if self.is_over("reports", self.config["queries_per_minute"], 60):
            return refuse("80")
        body = call.json()
        jobs, dates = body.get("jobids"), (body.get("startdate"), body.get("stopdate"))
        if (self.config["needs_dates"] and not all(dates)) or not (jobs or all(dates)):
            return refuse("70")
        size, page = int(body.get("pagesize", 100)), int(body.get("pagenumber", 0))
        if not 1 <= size <= 100 or page < 0:
            return refuse("70")
        names = jobs if jobs else self._list_between(user, *dates)
        rows = [row for job in names for row in self._rows_of(str(job))]
        shown = rows[page * size : (page + 1) * size]
        if not shown:
            return refuse("60")
        return Reply.json({"code": "00", "description": "success", "jobs": shown})

    def _list_between(self, user: str, start: Any, stop: Any) -> list[str]:
        began, ended = (read_time(str(v), "%d.%m.%Y %H:%M:%S") for v in (start, stop))
        return [job for job in self.find_jobs(user) if began.timestamp() <= self.jobs[job][0].at <= ended.timestamp()]

    def _rows_of(self, job: str) -> list[dict[str, Any]]:
        seen: set[str] = set()
        rows = []
        for row in self.jobs.get(job, ()):
            shown = self._row_of(row, is_repeated=row.msisdn in seen)
            seen.add(row.msisdn)
            rows += [shown] * max(1, row.copies)
        return rows

    def _row_of(self, row: Taken, *, is_repeated: bool) -> dict[str, Any]:
        status, error, at = 0, 0, None
        if row.is_final(self.now):
            status, error = STATUS.get(row.word, 12), ERROR.get(row.error, 0)
            at = f"{datetime.now(ZONE) - timedelta(seconds=self.now - row.due_at):%d.%m.%Y %H:%M:%S}"
            if is_repeated:
                status, error = 13, 0
            elif self.iys.get(row.job) in ("11", "12") and row.national in self.config["iys_refusals"]:
                status, error = 16, 0
        return {
            "jobid": row.job,
            "number": row.digits,
            "status": status,
            "operator": 30,
            "msglen": self.count_billed(row),
            "deliveredDate": at if status == 1 else None,
            "errorCode": error,
            "referansID": None,
        }

    # -- the rest ----------------------------------------------------------------------------------------

    def _headers(self, call: Call, user: str) -> Reply:
        return Reply.json({"code": "00", "msgheaders": self.config["headers"] or ["ORNEKFIRMA", user]})

    def receive(self, phone: str, recipient: str, text: str) -> None:
        at = datetime.now(ZONE)
        row = {"message": text, "sender": phone.removeprefix("+90"), "receiver": recipient}
        self.inbox.append({**row, "datetime": f"{at:%d.%m.%Y %H:%M:%S}"})
        super().receive(phone, recipient, text)

    def write_inbound(self, phone: str, recipient: str, text: str) -> list[tuple[dict[str, str], bytes]]:
        at = read_time(self.inbox[-1]["datetime"], "%d.%m.%Y %H:%M:%S")
        row = {"mesaj": text, "ceptel": phone.removeprefix("+90"), "aboneno": recipient, "gorevid": "1"}
        reply = Reply.json({**row, "tarih": f"{at:%Y-%m-%d %H:%M:%S}.053"})
        return [(dict(reply.headers), reply.body)]

    def _inbox(self, call: Call, user: str) -> Reply:
        shown: Sequence[dict[str, str]] = self.inbox
        if call.query.get("startdate"):
            began, ended = (read_time(call.query[k], "%d%m%Y%H%M%S") for k in ("startdate", "stopdate"))
            if ended - began > LONGEST_SPAN:
                return refuse("60")
            shown = [m for m in shown if began <= read_time(m["datetime"], "%d.%m.%Y %H:%M:%S") <= ended]
        else:
            self.inbox = []  # without dates each message is listed only once
        if not shown:
            return refuse("40")
        return Reply.json({"code": "00", "description": "success", "messages": list(shown)})

    def _balance(self, call: Call) -> Reply:
        body = call.json()
        if not self.knows(str(body.get("usercode", "")), str(body.get("password", ""))):
            return refuse("30")
        return Reply.json({"code": "00", "balance": self.config["balance"]})


def refuse(code: str) -> Reply:
    return Reply.json({"code": code, "jobid": None, "description": "refused"}, 406)


def read_time(text: str, shape: str) -> datetime:
    return datetime.strptime(text, shape).replace(tzinfo=ZONE)
