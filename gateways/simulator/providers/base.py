"""What every double of an HTTP provider shares: the script, the journal, phones, receipts pulled and pushed.

A double says how its provider speaks; how it behaves (throttling, lost answers, refusals, failures by ending, late and
doubled receipts, cuts) comes from the same script as for SMPP. A call is throttled, lost or cut as a whole.
"""

from __future__ import annotations

import abc
import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from gateways.adapters.smpp import pdu
from gateways.simulator.http_server import Call, Cut, Reply
from gateways.simulator.journal import NO_ANSWER
from gateways.simulator.pushes import Pusher
from gateways.simulator.submit import parse_submit
from smscore import segment
from smscore.billing_profile import BillingProfile, estimate_parts
from smscore.parts import encode_segmentation

if TYPE_CHECKING:
    from gateways.simulator.centre import Centre

log = logging.getLogger(__name__)
REFUSED, THROTTLED, BUSY = 0x0B, 0x58, 0x14
PUSH_SECONDS = 0.05
PUSH_ROWS = 100
TOKENS_HEADER = "x-peyk-tokens"
COMMON: dict[str, Any] = {"push_receipts": "", "push_inbound": "", "counting": {}}


class Throttled(Exception):
    """The script wants this call refused for now. ``is_busy``: for a fault of the provider, not for our speed."""

    def __init__(self, *, is_busy: bool = False) -> None:
        super().__init__()
        self.is_busy = is_busy


@dataclass(slots=True)
class Taken:
    """A message the provider has. ``word`` (DELIVRD, UNDELIV, EXPIRED, REJECTD) is what it will say from ``due_at``
    on (loop time), ``copies`` times; 0 copies: never. ``at``: when it was taken (seconds since the epoch). ``push_to``:
    where its receipts are pushed. ``name``: the caller's own id."""

    message_id: int
    job: str
    account: str
    sender: str
    msisdn: str
    text: str
    parts: int
    word: str
    error: str
    due_at: float
    at: float
    copies: int = 1
    push_to: str = ""
    name: str = ""

    def is_final(self, now: float) -> bool:
        return self.copies > 0 and now >= self.due_at

    @property
    def digits(self) -> str:
        return self.msisdn.lstrip("+")

    @property
    def national(self) -> str:
        return self.digits.removeprefix("90")


class Double(abc.ABC):
    """``config`` holds the provider's own switches (limits, headers, flags): defaults here, changed by tests and by
    ``POST /providers/<slug>`` of the control port; every double has ``push_receipts``, ``push_inbound`` (addresses) and
    ``counting`` (fields of a ``BillingProfile``: how it counts the parts that it bills). ``demo_settings``,
    ``demo_secret`` and ``demo_config``: an account that the double lets in, and switches for a day that passes in a
    minute."""

    slug: ClassVar[str] = ""
    config: ClassVar[dict[str, Any]] = {}
    demo_settings: ClassVar[dict[str, Any]] = {}
    demo_secret: ClassVar[str] = "peyk"  # noqa: S105 - opens nothing but a double
    demo_config: ClassVar[dict[str, Any]] = {}
    push_tries: ClassVar[int] = 0
    """How often a push that nobody takes is tried before it is dropped; 0: until it is taken."""

    def __init__(self, centre: Centre) -> None:
        self.centre = centre
        self.config: dict[str, Any] = {**COMMON, **type(self).config}  # type: ignore[misc]
        self.canned: deque[Reply] = deque()  # answers for the next calls, before anything else
        self.jobs: dict[str, list[Taken]] = {}
        self.counts: Counter[str] = Counter()
        self.link = centre.next_link()
        self._moments: dict[str, deque[float]] = {}
        self._due_pushes: list[Taken] = []
        self._push_timer: asyncio.TimerHandle | None = None
        self.pusher = Pusher(self.counts, self.push_tries, self.wait_before_retry)

    # -- what a provider's file writes -------------------------------------------------------------------

    @abc.abstractmethod
    def answer(self, call: Call) -> Reply:
        """The provider's answer. May raise Throttled (from ``take``), Cut, ValueError (then 400)."""

    def write_throttled(self, *, is_busy: bool) -> Reply:
        """How the provider says "too fast", or "not now"."""
        return Reply.text("", 503 if is_busy else 429)

    def write_receipts(self, rows: Sequence[Taken]) -> list[tuple[dict[str, str], bytes]]:
        """Pushes that tell of these messages: (headers, body) each."""
        return []

    def write_inbound(self, phone: str, recipient: str, text: str) -> list[tuple[dict[str, str], bytes]]:
        return []

    def wait_before_retry(self, tries: int) -> float:
        """Seconds until a push that was not taken ``tries`` times comes again."""
        return self.centre.script.receipt_retry / 1000

    def receive(self, phone: str, recipient: str, text: str) -> None:
        """A phone (E.164) writes to ``recipient``: pushed if an address is set; override to keep it for pulling."""
        if self.config["push_inbound"]:
            for headers, body in self.write_inbound(phone, recipient, text):
                self.pusher.start(self.config["push_inbound"], headers, body)

    def configure(self, changes: dict[str, Any]) -> None:
        """Raises ValueError for a switch this double does not have."""
        strange = sorted(set(changes) - set(self.config))
        if strange:
            raise ValueError(f"unknown switch: {strange[0]}")
        try:
            BillingProfile(**changes.get("counting", {}))
        except TypeError as error:
            raise ValueError("counting: fields of a billing profile") from error
        self.config.update(changes)

    # -- what a provider's file uses ---------------------------------------------------------------------

    @property
    def now(self) -> float:
        return self.centre.loop.time()

    def knows(self, user: str, password: str) -> bool:
        """By the script's accounts; where there are none, everybody with a password."""
        accounts = self.centre.script.accounts
        return accounts.get(user) == password if accounts else bool(user and password)

    def is_over(self, what: str, most: int, seconds: float) -> bool:
        """Count one ``what``; True if it is more than ``most`` within so many seconds. ``most`` 0: no limit."""
        moments = self._moments.setdefault(what, deque())
        while moments and moments[0] <= self.now - seconds:
            moments.popleft()
        if most and len(moments) >= most:
            return True
        moments.append(self.now)
        return False

    def refuses(self, msisdn: str) -> bool:
        """The script refuses this number for good."""
        return self.centre.behaviour.refuses(msisdn.lstrip("+").encode())

    def take(
        self,
        call: Call,
        account: str,
        sender: str,
        items: Sequence[tuple[str, ...]],
        *,
        national: bool = True,
        push_to: str = "",
    ) -> list[Taken]:
        """Take messages, (E.164, text) each or (E.164, text, the caller's own id), as one job. Raises Throttled or Cut
        where the script says so: after a Cut the messages are taken all the same. ``push_to``: where the call wants
        its receipts; else they go where the switch ``push_receipts`` says."""
        verdict = self.centre.behaviour.judge_call(account, len(items), self.now)
        if verdict.status and verdict.status != NO_ANSWER:
            self.centre.journal.count_refused(verdict.status, len(items))
            raise Throttled(is_busy=verdict.status == BUSY)
        tokens = _read_tokens(call)
        job = str(self.centre.next_message_id())
        status = verdict.status
        if self.centre.count_to_cut(len(items)):
            status = NO_ANSWER
        taken = [self._take_one(job, account, sender, m, t, national, tokens, status) for m, t, *_ in items]
        self.centre.journal.flush()
        self.jobs[job] = taken
        for row, item in zip(taken, items, strict=True):
            row.push_to = push_to or self.config["push_receipts"]
            row.name = item[2] if len(item) > 2 else ""
        self._plan_pushes(taken)
        if status == NO_ANSWER:
            self.counts["lost_answers"] += 1
            raise Cut
        return taken

    def _take_one(
        self, job: str, account: str, sender: str, msisdn: str, text: str, national: bool,
        tokens: dict[str, deque[int]], status: int,
    ) -> Taken:  # fmt: skip
        centre, digits = self.centre, msisdn.lstrip("+")
        message_id = centre.next_message_id()
        waiting = tokens.get(digits)
        frames = _write_frames(message_id, sender, digits, text, national, waiting.popleft() if waiting else None)
        wall = time.time()
        word, error = centre.behaviour.ending_of(digits.encode())
        for frame in frames:
            centre.journal.record_submit(wall, self.link, message_id, status, frame)
            centre.journal.remember(parse_submit(frame).identity)
            if word == b"DELIVRD":
                centre.arrive(self.slug, digits.encode(), message_id, wall, frame)
        centre.words[word] += 1
        due, copies = centre.draw_receipt(self.now)
        return Taken(
            message_id,
            job,
            account,
            sender,
            msisdn,
            text,
            len(frames),
            word.decode(),
            error.decode(),
            due,
            wall,
            copies,
        )

    def count_billed(self, row: Taken) -> int:
        """The parts that the provider bills: those that were sent, unless it counts in a way of its own."""
        counting = self.config["counting"]
        return estimate_parts(row.text, BillingProfile(**counting)).parts if counting else row.parts

    def rows(self, job: str) -> list[Taken]:
        """A job's messages as a report lists them: doubled ones twice."""
        return [row for row in self.jobs.get(job, ()) for _ in range(max(1, row.copies))]

    def find_jobs(self, account: str) -> list[str]:
        return [job for job, rows in self.jobs.items() if rows and rows[0].account == account]

    # -- life --------------------------------------------------------------------------------------------

    async def reply(self, call: Call) -> Reply:
        self.counts["calls"] += 1
        if self.canned:
            return self.canned.popleft()
        script = self.centre.script
        delay = self.centre.behaviour.draw_seconds(script.answer_delay)
        if self.centre.behaviour.chance(script.slow_answer_ratio):
            delay = self.centre.behaviour.draw_seconds(script.slow_answer_delay)
        if delay:
            await asyncio.sleep(delay)
        try:
            return self.answer(call)
        except Throttled as refused:
            return self.write_throttled(is_busy=refused.is_busy)
        except Cut:
            if self.centre.script.hangs:
                await asyncio.sleep(3600)  # until the client gives up
            raise
        except (ValueError, LookupError, TypeError) as error:
            log.info("simulator.bad_call", extra={"provider": self.slug, "error": str(error)})
            return Reply.text(f"bad request: {type(error).__name__}", 400)

    async def stop(self) -> None:
        if self._push_timer is not None:
            self._push_timer.cancel()
        await self.pusher.stop()

    # -- pushes ------------------------------------------------------------------------------------------

    def _plan_pushes(self, taken: Iterable[Taken]) -> None:
        for row in taken:
            if row.push_to:
                self._due_pushes += [row] * row.copies
        self._arm()

    def _arm(self) -> None:
        if self._push_timer is None and self._due_pushes:
            self._push_timer = self.centre.loop.call_later(PUSH_SECONDS, self._push_due)

    def _push_due(self) -> None:
        self._push_timer = None
        now = self.now  # once: what falls due between two looks at the clock would be in neither list
        due = [row for row in self._due_pushes if row.due_at <= now]
        self._due_pushes = [row for row in self._due_pushes if row.due_at > now]
        addresses: dict[str, list[Taken]] = {}
        for row in due:
            addresses.setdefault(row.push_to, []).append(row)
        for address, rows in addresses.items():
            for start in range(0, len(rows), PUSH_ROWS):
                for headers, body in self.write_receipts(rows[start : start + PUSH_ROWS]):
                    self.pusher.start(address, headers, body)
        self._arm()


def _read_tokens(call: Call) -> dict[str, deque[int]]:
    """Our message identities by number, where the account tells them (``send_token``)."""
    tokens: dict[str, deque[int]] = {}
    for pair in filter(None, call.headers.get(TOKENS_HEADER, "").split(",")):
        digits, _, token = pair.partition("=")
        tokens.setdefault(digits, deque()).append(int(token))
    return tokens


def _write_frames(
    message_id: int, sender: str, digits: str, text: str, national: bool, token: int | None
) -> list[bytes]:
    """The message as the operator behind the provider gets it: what journal and phones keep."""
    tlvs = {} if token is None else {pdu.TLV_PEYK_TOKEN: token.to_bytes(8, "big")}
    frames = []
    for part in encode_segmentation(segment(text, national=national), reference=message_id % 65536):
        fields: dict[str, pdu.Value] = {
            "source_addr_ton": 5,
            "source_addr": sender.encode("latin-1", "replace")[:20],
            "dest_addr_ton": 1,
            "dest_addr_npi": 1,
            "destination_addr": digits.encode("ascii", "replace"),
            "esm_class": part.esm_class,
            "registered_delivery": 1,
            "data_coding": part.data_coding,
            "short_message": part.short_message,
        }
        frames.append(pdu.encode(pdu.Pdu(pdu.SUBMIT_SM, fields=fields, tlvs=tlvs)))
    return frames
