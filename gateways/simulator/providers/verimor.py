"""Verimor as its sheet tells it: a campaign id as plain text, our own ids, words with a 400, pushes that are dropped
after four tries, reports a hundred a page."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from gateways.simulator.http_server import Call, Reply
from gateways.simulator.providers.base import Double, Taken
from smscore import segment

ZONE = ZoneInfo("Europe/Istanbul")
SHAPE = "%Y-%m-%d %H:%M:%S"
NUMBER = re.compile(r"905\d{9}|(?!90)[1-9]\d{8,14}")
PERIOD = re.compile(r"(\d{1,2}):([0-5]\d)")
ROWS = 100
MOST_PARTS = 7
MOST_OCTETS = 10 * 1024 * 1024
STATUS = {"DELIVRD": "DELIVERED", "EXPIRED": "EXPIRED", "UNDELIV": "NOT_DELIVERED", "REJECTD": "REJECTED"}
FORBIDDEN = "YASAK-SÖZ"


class Verimor(Double):
    """``headers``: the account's sender IDs (empty: any). ``iys_refusals``, ``blacklist``: numbers (905…) that end so.
    ``is_address_allowed``: our address is on their list. ``balance``: credits, one a part."""

    slug = "verimor"
    push_tries = 4
    config = {
        "headers": [],
        "is_address_allowed": True,
        "has_brand": True,
        "iys_refusals": [],
        "blacklist": [],
        "requests_per_minute": 240,
        "queries_per_minute": 20,
        "most_messages": 50_000,
        "balance": 10_000_000.0,
    }
    demo_settings = {"username": "908500000000"}
    demo_config = {"requests_per_minute": 3000, "queries_per_minute": 1300}

    def __init__(self, centre: Any) -> None:
        super().__init__(centre)
        self.campaigns: dict[str, dict[str, Any]] = {}
        self.own_ids: dict[int, str | None] = {}
        self.sent: set[tuple[str, str, str]] = set()
        self.doubled: set[int] = set()
        self.inbox: list[dict[str, Any]] = []

    def answer(self, call: Call) -> Reply:
        name = call.path.lstrip("/").partition("/")[0]
        routes = {
            ("POST", "send.json"): self._send,
            ("GET", "status"): self._status,
            ("GET", "inbound_messages"): self._inbound,
            ("GET", "headers"): self._headers,
            ("GET", "balance"): self._balance,
        }
        route = routes.get((call.method, name))
        if route is None:
            return Reply.text("<html>404</html>", 404, "text/html")
        if len(call.body) > MOST_OCTETS:
            return Reply.text("", 413)
        try:
            fields: dict[str, Any] = call.json() if call.method == "POST" else dict(call.query)
        except ValueError:
            return Reply.text("INVALID_JSON", 400)
        user = str(fields.get("username", ""))
        if not self.config["is_address_allowed"] or not self.knows(user, str(fields.get("password", ""))):
            return Reply.text("Yetkisiz erişim", 401)
        if self.is_over("requests", self.config["requests_per_minute"], 60):
            return Reply.text("", 429)
        return route(call, fields, user)

    # -- send --------------------------------------------------------------------------------------------

    def _send(self, call: Call, body: dict[str, Any], user: str) -> Reply:
        entries = [(e.get("msg", ""), *split(e)) for e in body.get("messages") or ()]
        refusal = self._look_at(body, [(text, numbers) for text, numbers, _ in entries])
        if refusal:
            return Reply.text(refusal, 400)
        items = [(f"+{number}", text) for text, numbers, _ in entries for number in numbers]
        own_ids = [own for _, _, ids in entries for own in ids]
        sender = str(body.get("source_addr") or (self.config["headers"] or ["VARSAYILAN"])[0])
        known = len(self.jobs)
        try:
            job = self.take(call, user, sender, items, national=str(body.get("datacoding", "")) != "2")[0].job
        finally:  # also where the answer gets lost
            if len(self.jobs) > known:
                self._note(next(reversed(self.jobs)), body, own_ids)
        return Reply.text(job)

    def _note(self, job: str, body: dict[str, Any], own_ids: list[str | None]) -> None:
        self.campaigns[job] = body
        for row, own in zip(self.jobs[job], own_ids, strict=True):
            self.own_ids[row.message_id] = own
            self.config["balance"] -= self.count_billed(row)
            content = (row.sender, row.msisdn, row.text)
            if content in self.sent:
                self.doubled.add(row.message_id)
            self.sent.add(content)

    def _look_at(self, body: dict[str, Any], entries: list[tuple[str, list[str]]]) -> str:
        """The word for what is wrong with a call; empty if nothing is."""
        config = self.config
        if config["headers"] and body.get("source_addr") not in ("", None, *config["headers"]):
            return "INVALID_SOURCE_ADDRESS"
        if not is_period(str(body.get("valid_for", "24:00"))):
            return "INVALID_PERIOD"
        if str(body.get("datacoding", "")) not in ("", "0", "1", "2"):
            return "INVALID_DATACODING"
        if body.get("is_commercial"):
            if body.get("iys_recipient_type") not in ("BIREYSEL", "TACIR"):
                return "INVALID_IYS_RECIPIENT_TYPE"
            if not config["has_brand"]:
                return "MISSING_IYS_BRAND_CODE"
        numbers = [number for _, listed in entries for number in listed]
        if len(numbers) > config["most_messages"]:
            return "MESSAGE_COUNT_LIMIT_EXCEEDED"
        national = str(body.get("datacoding", "")) != "2"
        word = look_at_texts([text for text, _ in entries], national=national)
        if word:
            return word
        if not numbers or not all(listed for _, listed in entries):
            return "MISSING_DESTINATION_ADDRESS"
        if any(not NUMBER.fullmatch(number) or self.refuses(f"+{number}") for number in numbers):
            return "INVALID_DESTINATION_ADDRESS"
        return "INSUFFICIENT_CREDITS" if config["balance"] < len(numbers) else ""

    # -- reports -----------------------------------------------------------------------------------------

    def _status(self, call: Call, query: dict[str, str], user: str) -> Reply:
        if self.is_over("queries", self.config["queries_per_minute"], 60):
            return Reply.text("", 429)
        job = query.get("id", "")
        if not job:
            asked = query.get("custom_id", "")
            job = next((name for name, body in self.campaigns.items() if asked and body.get("custom_id") == asked), "")
        if job not in self.jobs:
            return Reply.text("Bu idye sahip kampanya bulunamadı", 404)
        if self.jobs[job][0].account != user:
            return Reply.text("Bu kampanya size ait değil", 401)
        least, numbers = int(query.get("greater_than") or 0), set(filter(None, query.get("dest", "").split(",")))
        rows = [r for r in self.jobs[job] if r.message_id > least and (not numbers or r.digits in numbers)]
        return Reply.json([self._row_of(row) for row in rows[:ROWS]])

    def _row_of(self, row: Taken) -> dict[str, Any]:
        status, error, at = "WAITING", "0", None
        if row.is_final(self.now):
            status, error = self._ending_of(row)
            at = f"{datetime.fromtimestamp(time.time() - (self.now - row.due_at), ZONE):{SHAPE}}"
        return {
            "type": "outbound",
            "campaign_id": int(row.job),
            "campaign_custom_id": self.campaigns.get(row.job, {}).get("custom_id"),
            "message_id": str(row.message_id),
            "message_custom_id": self.own_ids.get(row.message_id),
            "dest": row.digits,
            "size": self.count_billed(row),
            "international_multiplier": 1,
            "credits": self.count_billed(row),
            "status": status,
            "gsm_error": error,
            "sent_at": at if status == "DELIVERED" else None,
            "done_at": at,
        }

    def _ending_of(self, row: Taken) -> tuple[str, str]:
        if row.message_id in self.doubled:
            return "DOUBLE_SEND_ERROR", "0"
        if row.digits in self.config["blacklist"]:
            return "BLACKLISTED_DESTINATION_ADDRESS", "0"
        if self.campaigns.get(row.job, {}).get("is_commercial") and row.digits in self.config["iys_refusals"]:
            return "NOT_ALLOWED_BY_IYS", "0"
        return STATUS.get(row.word, "SEND_ERROR"), row.error.lstrip("0") or "0"

    def write_receipts(self, rows: Sequence[Taken]) -> list[tuple[dict[str, str], bytes]]:
        reply = Reply.json([self._row_of(row) for row in rows])
        return [(dict(reply.headers), reply.body)]

    # -- the rest ----------------------------------------------------------------------------------------

    def receive(self, phone: str, recipient: str, text: str) -> None:
        at = datetime.now(UTC).astimezone(ZONE)
        row = {
            "message_id": self.centre.next_message_id(),
            "type": "inbound",
            "received_at": at.isoformat(timespec="milliseconds"),
            "network": "TURKCELL",
            "source_addr": phone.lstrip("+"),
            "destination_addr": recipient.lstrip("+"),
            "keyword": text.split(" ")[0],
            "content": text,
        }
        self.inbox.append(row)
        super().receive(phone, recipient, text)

    def write_inbound(self, phone: str, recipient: str, text: str) -> list[tuple[dict[str, str], bytes]]:
        reply = Reply.json([{**self.inbox[-1], "created_at": self.inbox[-1]["received_at"]}])
        return [(dict(reply.headers), reply.body)]

    def _inbound(self, call: Call, query: dict[str, str], user: str) -> Reply:
        if query.get("greater_than"):
            rows = [row for row in self.inbox if row["message_id"] > int(query["greater_than"])]
        else:
            began, ended = (
                datetime.strptime(query[name], SHAPE).replace(tzinfo=ZONE) for name in ("from_time", "to_time")
            )
            rows = [row for row in self.inbox if began <= datetime.fromisoformat(row["received_at"]) <= ended]
        return Reply.json(rows[:ROWS])

    def _headers(self, call: Call, query: dict[str, str], user: str) -> Reply:
        return Reply.json(self.config["headers"] or ["ORNEKFIRMA"])

    def _balance(self, call: Call, query: dict[str, str], user: str) -> Reply:
        return Reply.text(str(self.config["balance"]))


def split(entry: dict[str, Any]) -> tuple[list[str], list[str | None]]:
    """Numbers and ids of an entry. Ids that are more or fewer than the numbers are ignored."""
    numbers = [number.strip() for number in str(entry.get("dest") or "").split(",") if number.strip()]
    ids = [own.strip() for own in str(entry.get("id") or "").split(",")]
    return numbers, list(ids) if len(ids) == len(numbers) and all(ids) else [None] * len(numbers)


def is_period(text: str) -> bool:
    found = PERIOD.fullmatch(text)
    return found is not None and 1 <= int(found[1]) * 60 + int(found[2]) <= 48 * 60


def look_at_texts(texts: list[str], *, national: bool) -> str:
    if not texts or not all(texts):
        return "MISSING_MESSAGE"
    if any(FORBIDDEN in text for text in texts):
        return "FORBIDDEN_MESSAGE"
    return "MESSAGE_TOO_LONG" if any(segment(t, national=national).parts > MOST_PARTS for t in texts) else ""
