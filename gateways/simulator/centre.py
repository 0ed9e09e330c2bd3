"""The message centre: accounts, script, journal, phones, and what is due later. One per process."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateways.simulator.behaviour import Behaviour
from gateways.simulator.journal import NO_ANSWER, Journal
from gateways.simulator.mo import make_mo_bodies
from gateways.simulator.phones import Arrival, Phones
from gateways.simulator.receipts import Outbox, Receipt, ReceiptWriter
from gateways.simulator.script import Script
from gateways.simulator.wheel import Wheel

if TYPE_CHECKING:
    from gateways.simulator.connection import Connection
    from gateways.simulator.providers.host import ProviderHost

log = logging.getLogger(__name__)

Answer = tuple["Connection", int, bytes]  # link, message id (0: refused), octets


class Centre:
    def __init__(self, script: Script, journal: Path | None = None) -> None:
        self.loop = asyncio.get_running_loop()
        self.journal = Journal(journal)
        self.phones = Phones(script.phone_messages)
        self.connections: set[Connection] = set()
        self.providers: ProviderHost | None = None
        self.counts: Counter[str] = Counter()
        self.words: Counter[bytes] = Counter()
        self.most_unanswered = 0
        # Ids go on rising over restarts, so a receipt of an earlier life names no message of this one.
        self._message_id = int(time.time() * 1000) * 1000
        self._links = 0
        self._outboxes: dict[str, Outbox] = {}
        self._answers: Wheel[Answer] = Wheel(self._send_answers)
        self._receipts: Wheel[Receipt] = Wheel(self._release_receipts)
        self._server: asyncio.Server | None = None
        self.apply_script(script)

    def apply_script(self, script: Script) -> None:
        """Change the behaviour from now on; re-arms cuts and garbage."""
        self.script = script
        self.behaviour = Behaviour(script)
        self.writer = ReceiptWriter(script)
        self.cuts_left = script.cuts if script.cut_after else 0
        self.until_cut = script.cut_after
        self.until_garbage = script.garbage_after
        self.phones.resize(script.phone_messages)
        for connection in list(self.connections):
            connection.script_changed()

    # -- life ----------------------------------------------------------------------------------------------

    async def start(self, port: int, host: str = "127.0.0.1") -> int:
        """Listen; returns the port (0 picks one)."""
        from gateways.simulator.connection import Connection

        self._server = await self.loop.create_server(lambda: Connection(self), host, port, backlog=256)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for connection in list(self.connections):
            connection.cut()
        self._answers.stop()
        self._receipts.stop()
        await asyncio.sleep(0)
        self.journal.close()

    def next_link(self) -> int:
        self._links += 1
        self.counts["connections"] += 1
        return self._links

    def next_message_id(self) -> int:
        self._message_id += 1
        return self._message_id

    # -- answers and receipts ------------------------------------------------------------------------------

    def delay_answer(self, due: float, answer: Answer) -> None:
        self._answers.add(due, answer)

    def _send_answers(self, answers: list[Answer]) -> None:
        by_link: dict[Connection, list[bytes]] = {}
        for link, message_id, octets in answers:
            if link.is_open and not self.script.is_half_open:
                by_link.setdefault(link, []).append(octets)
            elif message_id:
                self.journal.record_never_answered(time.time(), link.number, message_id)
        for link, pieces in by_link.items():
            link.unanswered -= len(pieces)
            link.write(b"".join(pieces))
        self.journal.flush()

    def outbox(self, account: str) -> Outbox:
        box = self._outboxes.get(account)
        if box is None:
            box = self._outboxes[account] = Outbox()
        return box

    def schedule_receipt(self, receipt: Receipt, now: float) -> bool:
        """Put one message's receipt on its way. True if it is to leave before the answer."""
        behaviour, script = self.behaviour, self.script
        if behaviour.disturbs_receipts:
            if behaviour.chance(script.lost_receipt_ratio):
                self.counts["receipts_lost"] += 1
                return False
            if behaviour.chance(script.double_receipt_ratio):
                self.counts["receipts_doubled"] += 1
                self._receipts.add(now + behaviour.draw_seconds(script.receipt_delay), receipt)
            if behaviour.chance(script.stray_receipt_ratio):
                stray = receipt._replace(message_id=receipt.message_id + 10**15)
                self._receipts.add(now + behaviour.draw_seconds(script.receipt_delay), stray)
            if behaviour.chance(script.early_receipt_ratio):
                self.outbox(receipt.account).waiting.append(receipt)
                return True
            if behaviour.chance(script.late_receipt_ratio):
                self.counts["receipts_late"] += 1
                self._receipts.add(now + behaviour.draw_seconds(script.late_receipt_delay), receipt)
                return False
        self._receipts.add(now + behaviour.draw_seconds(script.receipt_delay), receipt)
        return False

    def draw_receipt(self, now: float) -> tuple[float, int]:
        """(when an HTTP provider knows how a message ended, how often it says so; 0: never)."""
        behaviour, script = self.behaviour, self.script
        if not script.receipts or behaviour.chance(script.lost_receipt_ratio):
            self.counts["receipts_lost"] += 1
            return now, 0
        is_late = behaviour.chance(script.late_receipt_ratio)
        is_doubled = behaviour.chance(script.double_receipt_ratio)
        self.counts["receipts_late"] += is_late
        self.counts["receipts_doubled"] += is_doubled
        due = now + behaviour.draw_seconds(script.late_receipt_delay if is_late else script.receipt_delay)
        return due, 2 if is_doubled else 1

    def count_to_cut(self, submits: int) -> bool:
        """True if the script cuts the connection of a call with so many messages."""
        if not (self.until_cut and self.cuts_left):
            return False
        self.until_cut -= min(self.until_cut, submits)
        if self.until_cut:
            return False
        self.cuts_left -= 1
        self.until_cut = self.script.cut_after
        self.counts["cuts"] += 1
        return True

    def retry_receipt(self, receipt: Receipt) -> None:
        self._receipts.add(self.loop.time() + self.script.receipt_retry / 1000, receipt)

    def _release_receipts(self, receipts: list[Receipt]) -> None:
        accounts = set()
        for receipt in receipts:
            self.outbox(receipt.account).waiting.append(receipt)
            accounts.add(receipt.account)
        for account in accounts:
            self.flush_outbox(account)

    def flush_outbox(self, account: str) -> None:
        if not self.script.is_half_open:
            sent = self.outbox(account).flush(self.writer, self.script.receipt_window, time.time())
            self.counts["receipts_sent"] += sent

    # -- phones --------------------------------------------------------------------------------------------

    def arrive(self, account: str, msisdn: bytes, message_id: int, at: float, frame: bytes) -> None:
        self.phones.add(Arrival(at, message_id, account, msisdn, frame))

    def send_mo(
        self, *, phone: str, recipient: str, text: str, account: str = "", mode: str = "udh8", order: Sequence[int] = ()
    ) -> int:
        """A phone writes to ``recipient``. Returns the parts sent; raises LookupError with no account to
        send them to, ValueError for an empty text.

        ``mode`` is how a long text travels (udh8, udh16, sar); ``order`` which parts are sent, and when (1-based;
        left out ones are lost on the way).
        """
        account = account or self.phones.find_account(phone) or next(iter(self._outboxes), "")
        if not account:
            raise LookupError("no account has bound yet")
        bodies = make_mo_bodies(phone, recipient, text, mode, self.next_message_id())
        order = order or range(1, len(bodies) + 1)
        if not all(1 <= number <= len(bodies) for number in order):
            raise ValueError(f"order: parts 1..{len(bodies)}")
        chosen = [bodies[number - 1] for number in order]
        for body in chosen:
            self.outbox(account).waiting.append(Receipt(0, account, b"", b"", b"", b"", 0.0, body))
        self.counts["mo_parts"] += len(chosen)
        self.flush_outbox(account)
        return len(chosen)

    # -- figures -------------------------------------------------------------------------------------------

    def get_figures(self, *, with_duplicates: bool = False) -> dict[str, Any]:
        journal = self.journal
        refused = {f"0x{s:08x}": n for s, n in sorted(journal.statuses.items()) if s != NO_ANSWER}
        silent = journal.statuses[NO_ANSWER]
        figures: dict[str, Any] = {
            "submits": journal.submits,
            "accepted": journal.submits - sum(refused.values()) - silent,
            "refused": refused,
            "never_answered": silent + journal.never_answered,
            "receipts": {word.decode(): n for word, n in sorted(self.words.items())},
            "receipts_sent": self.counts["receipts_sent"],
            "receipts_acknowledged": self.counts["receipts_acknowledged"],
            "receipts_refused": self.counts["receipts_refused"],
            "receipts_lost": self.counts["receipts_lost"],
            "receipts_late": self.counts["receipts_late"],
            "receipts_doubled": self.counts["receipts_doubled"],
            "receipts_waiting": len(self._receipts)
            + sum(len(box.waiting) for box in self._outboxes.values())
            + sum(len(c.unacknowledged) for c in self.connections),
            "mo_parts": self.counts["mo_parts"],
            "connections": self.counts["connections"],
            "binds": self.counts["binds"],
            "cuts": self.counts["cuts"],
            "most_unanswered": self.most_unanswered,
        }
        if with_duplicates:
            figures["duplicates"] = journal.count_duplicates()
        return figures
