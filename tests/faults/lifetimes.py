"""One sender process by hand, in one thread, that dies at a chosen I/O call; and an operator that outlives it.

What counts as an I/O call: every statement, every COMMIT, every message written to the wire, every acknowledgement of
receipts, every doorbell. To die after one call and to die before the next leave the same world behind, so each gap
between two calls is one place to die. Statements that only set a transaction's scope change nothing and are no place
of their own.
"""

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.conf import settings
from django.db import connections

from accounts.scope import platform_scope
from gateways.base import LinkState
from gateways.models import GatewayAccount
from gateways.simulator.journal import JournalEntry
from gateways.types import (
    DeliveryEvent,
    DeliveryState,
    GatewayEvent,
    OutboundMessage,
    OutcomeKind,
    Reason,
    SubmitOutcome,
)
from messaging import tasks
from messaging.dispatch.database import in_one_transaction
from messaging.dispatch.express_slot import ExpressSlot
from messaging.dispatch.inbox import InboxWriter
from messaging.dispatch.slot import Slot
from messaging.models import MessageBatch, ReceiptInbox, SendRun
from messaging.services.claims import Lane
from messaging.services.sessions import end_session_of_dead_worker, find_session_worker, open_session

STRIDE = 10
ROUNDS = 25
CALM_ROUNDS = 8  # after so many rounds of a life, what is still in doubt is given up


class Died(BaseException):
    """kill -9: no handler of the product catches it, nothing is tidied up."""


class Fuse:
    """Counts I/O calls and dies before one of them; `None`: never. `death` says between what."""

    def __init__(self, at: int | None) -> None:
        self.at = at
        self.calls = 0
        self.death = ""
        self._last = "birth"

    def call(self, what: str, call: Callable[[], Any]) -> Any:
        self.calls += 1
        if self.calls == self.at:
            self.death = f"after {self._last}, before {what}"
            raise Died
        self._last = what
        return call()

    def execute(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        statement = " ".join(str(sql).split()).rsplit("; ", 1)[-1]
        if statement.startswith("SELECT set_config"):
            return execute(sql, params, many, context)
        return self.call(statement[:50], lambda: execute(sql, params, many, context))


class Operator:
    """Remembers everything. What it does to a message is read from the number's last digit."""

    def __init__(self) -> None:
        self.journal: list[JournalEntry] = []
        self.tries: dict[int, int] = {}
        self.receipts: dict[int, GatewayEvent] = {}  # not acknowledged yet
        self._ids = itertools.count(1)

    def take(self, message: OutboundMessage) -> SubmitOutcome | None:
        """The answer; None if it gets lost on the way."""
        digit = int(message.msisdn[-1])
        tries = self.tries[message.token] = self.tries.get(message.token, 0) + 1
        outcome = SubmitOutcome(message.token, OutcomeKind.ACCEPTED)
        if digit == 3:
            outcome = SubmitOutcome(message.token, OutcomeKind.REJECTED, code="0x0000000b", reason=Reason.BAD_ADDRESS)
        elif digit == 5 and tries == 1:
            outcome = SubmitOutcome(message.token, OutcomeKind.DEFERRED, code="0x00000058", reason=Reason.THROTTLED)
        if outcome.kind is not OutcomeKind.ACCEPTED:
            self._write_down(message, 1, 0x0B)
            return outcome
        part_ids = []
        for part in range(1, message.parts + 1):
            number = next(self._ids)
            part_ids.append(f"{message.token}-{number}")
            self._write_down(message, part, 0)
            self._promise_receipts(message, part_ids[-1], is_doubled=digit == 9)
        if digit == 7:
            return None
        return outcome._replace(provider_message_id=part_ids[0], part_ids=tuple(part_ids))

    def _write_down(self, message: OutboundMessage, part: int, status: int) -> None:
        self.journal.append(
            JournalEntry(
                time.time(), 1, message.msisdn, message.sender, message.text, 0, part, message.parts, message.token, 1,
                status,
            )
        )  # fmt: skip

    def _promise_receipts(self, message: OutboundMessage, provider_id: str, *, is_doubled: bool) -> None:
        event = DeliveryEvent(provider_id, message.msisdn, DeliveryState.DELIVERED, sender=message.sender)
        for _ in range(1 + is_doubled):
            self.receipts[next(self._ids)] = event

    def list_taken(self) -> set[int]:
        return {e.token for e in self.journal if e.token is not None and not e.status}


class _Batch:
    """Receipts on their way, as a link offers them."""

    progress = None

    def __init__(self, operator: Operator, fuse: Fuse, keys: list[int]) -> None:
        self._operator, self._fuse, self._keys = operator, fuse, keys
        self.raws = [str(key).encode() for key in keys]

    def stored(self) -> None:
        def acknowledge() -> None:
            for key in self._keys:
                del self._operator.receipts[key]

        self._fuse.call("acknowledge", acknowledge)

    def refused(self) -> None:
        raise AssertionError("the database was there: nothing is refused")


class Life:
    """A sender process from its start until its run is completed or the fuse blows."""

    _names = itertools.count(1)

    def __init__(self, account: GatewayAccount, operator: Operator, fuse: Fuse, lane: Lane) -> None:
        self.account, self.operator, self.fuse, self.lane = account, operator, fuse, lane
        self.name = f"life {next(self._names)}"
        self.inbox = InboxWriter()  # its threads are never started
        self.slot: Slot | None = None

    def live(self, run: SendRun) -> bool:
        """True once the run is completed. Raises Died."""
        self.slot = self._take_slot()
        for turn in range(ROUNDS):
            settings.ENGINE_UNKNOWN_SECONDS = 3600 if turn < CALM_ROUNDS else 0
            self._turn_back_clocks()
            self._work(self.slot)
            self._bring_receipts()
            tasks.match_receipts()
            if turn % 2:
                tasks.sweep_sessions()
                tasks.sweep_timers()
                tasks.sweep_runs()
            if self._is_completed(run):
                return True
        return False

    def _take_slot(self) -> Slot:
        def take() -> int | None:
            # As the runtime does: whoever held it is proven dead.
            if holder := find_session_worker(self.account.pk, 0):
                end_session_of_dead_worker(gateway_account_id=self.account.pk, slot=0, worker=holder)
            return open_session(gateway_account_id=self.account.pk, slot=0, worker=self.name)

        session_id = in_one_transaction("take a slot", take)
        assert session_id is not None
        common = {"gateway_account_id": self.account.pk, "number": 0, "session_id": session_id}
        slot = Slot(
            **common,
            gateway=None,  # type: ignore[arg-type]
            stride=STRIDE,
            submit=self._write,
            store_events=lambda *_: None,
            lane=Lane.BULK,
        )
        slot.express = ExpressSlot(**common, window=STRIDE, submit=partial(self._write, slot))
        slot.on_state(LinkState.UP, "")
        return slot

    def _work(self, slot: Slot) -> None:
        if self.lane is Lane.BULK:
            slot.step()
            return
        assert slot.express is not None
        slot.express.intend()
        if slot.express.is_owing:
            slot.express.record()

    def _write(self, slot: Slot, messages: list[OutboundMessage]) -> None:
        answers = []
        for message in messages:
            answer = self.fuse.call("write", lambda message=message: self.operator.take(message))
            lost = SubmitOutcome(message.token, OutcomeKind.UNKNOWN, reason=Reason.TIMEOUT)
            answers.append(answer or lost)
        slot.on_outcomes(answers)

    def _bring_receipts(self) -> None:
        keys = sorted(self.operator.receipts)[::-1]  # newest first: out of order
        if keys:
            batch = _Batch(self.operator, self.fuse, keys)
            self.inbox._store([(self.account.pk, self, batch)])  # type: ignore[list-item]

    def read_events(self, raws: list[bytes]) -> list[GatewayEvent]:
        return [self.operator.receipts[int(raw)] for raw in raws]

    @staticmethod
    @contextmanager
    def _unseen() -> Iterator[None]:
        """The test's own statements are no I/O of the product."""
        connection = connections["default"]
        wrappers, connection.execute_wrappers[:] = list(connection.execute_wrappers), []
        commit = connection.__dict__.pop("_commit", None)
        try:
            with platform_scope(reason="test"):
                yield
        finally:
            connection.execute_wrappers[:] = wrappers
            if commit:
                connection._commit = commit

    def _turn_back_clocks(self) -> None:
        """What waits for its time has waited long enough."""
        with self._unseen():
            MessageBatch.objects.filter(state="ready").update(not_before="2020-01-01T00:00Z")
            ReceiptInbox.objects.filter(settled_at=None).update(due_at="2020-01-01T00:00Z")

    def _is_completed(self, run: SendRun) -> bool:
        with self._unseen():
            return SendRun.objects.values_list("state", flat=True).get(pk=run.pk) == "completed"


@contextmanager
def fused(fuse: Fuse, monkeypatch: Any) -> Iterator[None]:
    """Everything this thread does to the outside passes by the fuse; if it blows, the connection is gone as well."""
    connection = connections["default"]
    commit = connection._commit

    def commit_or_die() -> None:
        try:
            fuse.call("COMMIT", commit)
        except Died:
            connection.connection.rollback()  # as the server does with what a dead process left open
            raise

    connection._commit = commit_or_die
    monkeypatch.setattr(tasks.drain, "apply_async", lambda *_, **__: fuse.call("ring", lambda: None))
    monkeypatch.setattr(tasks.ring_all_senders, "delay", lambda: fuse.call("ring all", lambda: None))
    try:
        with connection.execute_wrapper(fuse.execute):
            yield
    except Died:  # its transactions were rolled back on the way here, as the server would
        assert not connection.in_atomic_block
    finally:
        connection.__dict__.pop("_commit", None)
