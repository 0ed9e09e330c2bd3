"""Mutlucell as its sheet tells it: XML with the password in an attribute, ``$<packet>#<cost>`` or a bare number as the
answer, reports as lines, and a block for who asks for them too often."""

from __future__ import annotations

import re
import time
import xml.etree.ElementTree as ET
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from gateways.simulator.http_server import Call, Reply
from gateways.simulator.providers.base import Double, Taken
from smscore import segment

ZONE = ZoneInfo("Europe/Istanbul")
NUMBER = re.compile(r"(?:90|0)?(5\d{9})")
BAD_XML, BAD_SENDER, NO_CREDIT, BAD_LOGIN, BUSY, LATER, INACTIVE = "20", "21", "22", "23", "24", "25", "30"
STATUS = {"DELIVRD": 3, "EXPIRED": 5, "UNDELIV": 6, "REJECTD": 7}
ERROR = {"001": 12, "013": 16, "032": 17}
PROCESSING, QUEUED, FAULTY = 1, 4, 13


class Refused(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Mutlucell(Double):
    """``first_report_seconds``, ``report_gap_seconds``: who asks about a packet sooner is blocked: 30 from then on.
    ``is_active``: the account is not."""

    slug = "mutlucell"
    config = {
        "headers": [],
        "is_active": True,
        "first_report_seconds": 60.0,
        "report_gap_seconds": 900.0,
        "balance": 10_000_000.0,
    }
    demo_settings = {"username": "demo", "report_first_seconds": 0.0, "report_gap_seconds": 0.0}
    demo_config = {"first_report_seconds": 0.0, "report_gap_seconds": 0.0}

    def __init__(self, centre: Any) -> None:
        super().__init__(centre)
        self.asked_at: dict[str, float] = {}
        self.blocked: set[str] = set()
        self.seen: set[str] = set()

    def answer(self, call: Call) -> Reply:
        routes = {
            "sndblkex": ("smspack", self._send),
            "gtblkrprtex": ("smsrapor", self._report),
            "gtcrdtex": ("smskredi", self._credit),
            "gtorgex": ("smsorig", self._senders),
        }
        try:
            root_name, route = routes[call.path.strip("/")]
        except KeyError:
            return Reply.text("<html>404</html>", 404, "text/html")
        try:
            root = ET.fromstring(call.body)  # noqa: S314 - ours, on a loopback address
            if call.method != "POST" or root.tag != root_name:
                raise Refused(BAD_XML)
            user = root.get("ka", "")
            if not self.knows(user, root.get("pwd", "")):
                raise Refused(BAD_LOGIN)
            if not self.config["is_active"] or user in self.blocked:
                raise Refused(INACTIVE)
            return Reply.text(route(call, root, user))
        except Refused as why:
            return Reply.text(why.code)
        except ET.ParseError:
            return Reply.text(BAD_XML)

    def write_throttled(self, *, is_busy: bool) -> Reply:
        return Reply.text(LATER if is_busy else BUSY)

    # -- send --------------------------------------------------------------------------------------------

    def _send(self, call: Call, root: ET.Element, user: str) -> str:
        sender, national = root.get("org", ""), root.get("charset") == "turkish"
        if not sender or (self.config["headers"] and sender not in self.config["headers"]):
            raise Refused(BAD_SENDER)
        for name in ("tarih", "bitis"):
            if root.get(name):
                check_time(root.get(name, ""))
        good, bad = self._read_messages(root)
        parts = sum(segment(text, national=national).parts for _, text in good)
        if parts > self.config["balance"]:
            raise Refused(NO_CREDIT)
        known = len(self.jobs)
        job = str(self.centre.next_message_id())
        try:
            if good:
                job = self.take(call, user, sender, good, national=national)[0].job
        finally:  # also where the answer gets lost
            if len(self.jobs) > known:
                job = next(reversed(self.jobs))
                self.config["balance"] -= parts
            if bad and (len(self.jobs) > known or not good):
                self.jobs.setdefault(job, []).extend(self._drop(job, user, sender, m, t) for m, t in bad)
        return f"${job}#{float(parts)}"

    def _read_messages(self, root: ET.Element) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """(E.164, text): good ones, and those whose number is none: these end as faulty."""
        good: list[tuple[str, str]] = []
        bad: list[tuple[str, str]] = []
        for message in root.findall("mesaj"):
            text, numbers = message.findtext("metin") or "", (message.findtext("nums") or "").split(",")
            if not text or not any(numbers):
                raise Refused(BAD_XML)
            for number in (n.strip() for n in numbers):
                found = NUMBER.fullmatch(number)
                msisdn = f"+90{found[1]}" if found else f"+{number}"
                (good if found and not self.refuses(msisdn) else bad).append((msisdn, text))
        if not good and not bad:
            raise Refused(BAD_XML)
        return good, bad

    def _drop(self, job: str, user: str, sender: str, msisdn: str, text: str) -> Taken:
        number = self.centre.next_message_id()
        return Taken(number, job, user, sender, msisdn, text, 0, "FAULTY", "", self.now, time.time())

    # -- reports -----------------------------------------------------------------------------------------

    def _report(self, call: Call, root: ET.Element, user: str) -> str:
        job = root.get("id", "")
        if job not in self.jobs or self.jobs[job][0].account != user:
            raise Refused(BAD_XML)
        is_early = time.time() - self.jobs[job][0].at < self.config["first_report_seconds"]
        is_often = self.now - self.asked_at.get(job, float("-inf")) < self.config["report_gap_seconds"]
        if is_early or is_often:
            self.blocked.add(user)
            raise Refused(INACTIVE)
        self.asked_at[job] = self.now
        is_first = job not in self.seen
        self.seen.add(job)
        rows = [f"{row.digits} {self._status_of(row, is_first=is_first)}" for row in self.rows(job)]
        return "".join(f"{row}\n" for row in rows)

    def _status_of(self, row: Taken, *, is_first: bool) -> int:
        if row.word == "FAULTY":
            return FAULTY
        if not row.is_final(self.now):
            return QUEUED if is_first else PROCESSING
        return ERROR.get(row.error, STATUS[row.word]) if row.word == "UNDELIV" else STATUS[row.word]

    # -- the rest ----------------------------------------------------------------------------------------

    def _credit(self, call: Call, root: ET.Element, user: str) -> str:
        return f"${self.config['balance']}"

    def _senders(self, call: Call, root: ET.Element, user: str) -> str:
        return "$" + "".join(f"{name}\t" for name in self.config["headers"] or ["ORNEKFIRMA"])


def check_time(text: str) -> None:
    try:
        datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=ZONE)
    except ValueError as error:
        raise Refused(BAD_XML) from error
