"""Mutlucell (smsgw.mutlucell.com).

XML in, a line of text out. One packet id per call; receipts by packet and number, asked for a minute after sending at
the earliest and a quarter of an hour apart: who asks more often is blocked.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from gateways.adapters.mutlucell import codes
from gateways.adapters.mutlucell.fields import FIELDS
from gateways.base import BadSettings, OutcomeUnknown
from gateways.http.events import STRANGE, PulledPage, pack_raw, pack_receipt
from gateways.http.gateway import HttpGateway
from gateways.http.messages import HttpAnswer, HttpRequest
from gateways.http.numbers import read_msisdn, share_texts, write_job_id, write_national
from gateways.http.refusals import find_refusal, refuse_unicode
from gateways.http.settings import HttpSettings, secret
from gateways.http.xml import write_element, write_request, write_text
from gateways.types import (
    Capabilities,
    DeliveryEvent,
    DeliveryState,
    OutboundMessage,
    OutcomeKind,
    Reason,
    SubmitOutcome,
)

ZONE = ZoneInfo("Europe/Istanbul")
LINE = re.compile(r"(\+?[0-9]{10,15})\s+([0-9]{1,3})")
ATTRIBUTE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
OURS = frozenset({"ka", "pwd", "org", "charset", "tarih", "bitis"})


@dataclass(frozen=True, slots=True, kw_only=True)
class MutlucellSettings(HttpSettings):
    """username, password    their ``ka`` and ``pwd``
    unicode_charset        ``charset`` for texts beyond GSM-7 and Turkish (unverified; empty: refused before sending)
    commercial_attributes  attributes of ``smspack`` for commercial messages (İYS; their names are unverified)
    sets_end_date          send the end of the validity (``bitis``)
    report_first_seconds, report_gap_seconds   their limits on asking about a packet; ``receipt_polls`` keeps to them
    """

    username: str = ""
    password: str = secret()
    unicode_charset: str = ""
    commercial_attributes: Mapping[str, str] = field(default_factory=dict)
    sets_end_date: bool = True
    report_first_seconds: float = 60.0
    report_gap_seconds: float = 900.0
    receipt_polls: tuple[float, ...] = (120.0, 1200.0, 4800.0, 14_400.0, 43_200.0, 86_400.0)

    def check(self) -> None:
        HttpSettings.check(self)
        self.require("username", "password")
        gaps = [later - sooner for sooner, later in pairwise(self.receipt_polls)] or [self.receipt_polls[0]]
        if self.receipt_polls[0] < self.report_first_seconds or min(gaps) < self.report_gap_seconds:
            raise BadSettings("receipt_polls: they block who asks before a minute or more often than every 15")
        for name, value in self.commercial_attributes.items():
            if not ATTRIBUTE.fullmatch(name) or name in OURS or not isinstance(value, str):
                raise BadSettings("commercial_attributes: names and texts, none of those we set")


class MutlucellGateway(HttpGateway):
    slug = "mutlucell"
    title = "Mutlucell"
    settings_fields = FIELDS
    default_url = "https://smsgw.mutlucell.com/smsgw-ws"
    settings_class = MutlucellSettings
    secret_settings = frozenset({"password"})
    gather_seconds = 1.0
    capabilities = Capabilities(
        batch_size=1000,
        id_per_message=False,
        receipts="pull",
        receipts_by="job",
        receipt_queries_per_minute=60,
        balance=True,
        prefixes=("+90",),
        national_tables=True,
        unicode=False,
    )

    @classmethod
    def carries_unicode(cls, settings: Mapping[str, Any]) -> bool:
        return bool(settings.get("unicode_charset"))

    def __init__(self, settings: MutlucellSettings) -> None:
        super().__init__(settings)
        self._asked_at: dict[str, float] = {}

    def _ask(
        self, operation: str, root: str, content: str = "", attributes: Mapping[str, str] | None = None
    ) -> HttpRequest:
        login = {"ka": self.settings.username, "pwd": self.settings.password}
        return write_request(f"/{operation}", write_element(root, content, {**login, **(attributes or {})}))

    # -- sending -----------------------------------------------------------------------------------------

    def write_request(self, messages: Sequence[OutboundMessage]) -> HttpRequest:
        first = messages[0]
        attributes = {"org": first.sender}
        if not self.settings.unicode_charset:
            refuse_unicode(messages)
        if first.encoding != "gsm7":
            unicode = self.settings.unicode_charset if first.encoding == "ucs2" else ""
            attributes["charset"] = unicode or "turkish"
        if self.settings.sets_end_date and first.validity_seconds:
            # Their minutes, rounded up: never shorter than what was asked for.
            until = datetime.now(ZONE) + timedelta(seconds=first.validity_seconds + 59)
            attributes["bitis"] = f"{until:%Y-%m-%d %H:%M}"
        if first.content_class == "commercial":
            attributes |= self.settings.commercial_attributes
        content = ""
        for group in share_texts(messages):
            text = write_element("metin", write_text(group[0].text))
            numbers = ",".join(f"90{write_national(m.msisdn)}" for m in group)
            content += write_element("mesaj", text + write_element("nums", numbers))
        return self._ask("sndblkex", "smspack", content, attributes)

    def read_answer(self, answer: HttpAnswer, messages: Sequence[OutboundMessage]) -> list[SubmitOutcome]:
        self._check(answer)
        packet = codes.read_packet(answer)
        return [
            SubmitOutcome(m.token, OutcomeKind.ACCEPTED, write_job_id(packet, m.msisdn), job=packet) for m in messages
        ]

    def _check(self, answer: HttpAnswer) -> None:
        """Raises what a bare number, or a status that is none of theirs, means."""
        if answer.status != 200:
            status = str(answer.status)
            raise OutcomeUnknown("status", code=status, reason=Reason.MALFORMED, evidence=answer.evidence)
        if error := codes.read_error(answer):
            raise find_refusal(codes.REFUSALS, error, answer)

    # -- receipts ----------------------------------------------------------------------------------------

    async def pull_jobs(self, jobs: Sequence[str], page: int) -> PulledPage:
        """Lines of "number status". What was asked for lately, with or without an answer, is not asked for again."""
        packet = jobs[0]
        if self._was_asked(packet):
            return PulledPage([])
        answer = await self.exchange(self._ask("gtblkrprtex", "smsrapor", attributes={"id": packet}))
        self._check(answer)
        lines = [line.strip() for line in answer.text.splitlines() if line.strip()]
        found = [LINE.fullmatch(line) for line in lines]
        if lines and not any(found):
            raise OutcomeUnknown("no report", code="report", reason=Reason.MALFORMED, evidence=answer.evidence)
        return PulledPage(
            [
                pack_receipt({"packet": packet, "number": row[1], "status": row[2]})
                if row
                else pack_raw(STRANGE, line.encode())
                for line, row in zip(lines, found, strict=True)
            ]
        )

    def _was_asked(self, packet: str) -> bool:
        now, gap = time.monotonic(), self.settings.report_gap_seconds
        self._asked_at = {name: at for name, at in self._asked_at.items() if now - at < gap}
        if packet in self._asked_at:
            return True
        self._asked_at[packet] = now
        return False

    def read_receipt(self, payload: bytes) -> DeliveryEvent:
        row = json.loads(payload)
        packet, msisdn, status = str(row["packet"]), read_msisdn(row["number"]), str(row["status"])
        state, reason = codes.STATUS.get(status, (DeliveryState.UNKNOWN, Reason.NONE))
        return DeliveryEvent(write_job_id(packet, msisdn), msisdn, state, reason, code=status, job_id=packet)

    # -- account -----------------------------------------------------------------------------------------

    async def get_balance(self) -> str:
        """Credits left."""
        answer = await self.exchange(self._ask("gtcrdtex", "smskredi"))
        self._check(answer)
        return codes.read_number(answer)

    async def list_senders(self) -> list[str]:
        """They come in a line, with tabs between them."""
        answer = await self.exchange(self._ask("gtorgex", "smsorig"))
        self._check(answer)
        return [name.strip() for name in answer.text.strip().lstrip("$").split("\t") if name.strip()]
