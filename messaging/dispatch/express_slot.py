"""The urgent half of a sender slot: small batches of one-time passwords over the slot's link and under its lease.

Two threads of the process work it (`express.py`): one declares intent and hands over, the other writes answers down.
So a password never waits until the answer to an earlier one has its turn at everybody's credit accounts.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence

from django.db import DatabaseError, connection

from gateways.base import LinkState
from gateways.types import OutboundMessage, OutcomeKind, Reason, SubmitOutcome
from messaging.services.claims import EXPRESS_SIZE, finish_batches
from messaging.services.express import ExpressBatch, declare_express, return_unwritten
from messaging.services.outcomes import Answer, record_outcomes
from messaging.services.tallies import SHARD_SLOTS

from .answers import Patience, write_answers
from .database import in_one_transaction, log_database_error, try_in_one_transaction
from .in_air import InAir, Sent
from .valve import Valve

log = logging.getLogger(__name__)
MOST_BATCHES = 20
FEWEST_IN_AIR = 10


class ExpressSlot:
    """Bound to the same session row as its `Slot`; `is_lost` once the lease is not ours any more."""

    def __init__(
        self,
        *,
        gateway_account_id: int,
        number: int,
        session_id: int,
        window: int,
        submit: Callable[[list[OutboundMessage]], None],
    ) -> None:
        self.gateway_account_id = gateway_account_id
        self.session_id = session_id
        self.link_state = LinkState.DOWN
        self.is_lost = False
        self.in_air = InAir()
        self.intending = threading.Lock()
        self.recording = threading.Lock()
        self.answered = threading.Event()  # replaced by the process's own
        self.valve = Valve(float(window), count_in_air=lambda: len(self.in_air))  # replaced by the slot's own
        self._most = max(FEWEST_IN_AIR, window)
        self._shard = SHARD_SLOTS + number
        self._submit = submit
        self._held: dict[int, int] = {}  # leased batches, and how far they are marked
        self._answers: deque[Answer] = deque()
        self.patience = Patience()
        self._blocked: deque[Sent] = deque()
        self._is_unsure = False  # a statement failed: the database may have leased us what we do not know of

    # -- called on the link's event loop -----------------------------------------------------------------------------

    def on_outcomes(self, outcomes: list[SubmitOutcome]) -> None:
        self._answers.extend(self.in_air.pair(outcomes))
        self.answered.set()

    # -- the intending thread ----------------------------------------------------------------------------------------

    @property
    def is_full(self) -> bool:
        """As much waits for an answer as may wait."""
        return len(self.in_air) >= self._most

    def intend(self) -> bool:
        """Declare intent for what is due and hand it to the link; True if there was something."""
        if self.is_lost or self.link_state != LinkState.UP or self.is_full:
            return False
        if self._is_unsure and not self._recover():
            return False
        room, sent = self.valve.reserve(MOST_BATCHES * EXPRESS_SIZE, whole=EXPRESS_SIZE), 0
        try:
            if not room:
                return False
            # So many batches, of so many messages at most, that all of them have room.
            batches = self._declare(max(1, room // EXPRESS_SIZE), min(room, EXPRESS_SIZE))
            messages = [message for batch in batches for message in batch.messages]
            sent = len(messages)
        finally:
            self.valve.settle(room, sent)
        if messages:
            self._hand_over(messages)
        if len(messages) < sum(batch.mark for batch in batches):
            self.answered.set()  # blocked ones wait to be written down
        return bool(batches)

    def _declare(self, limit: int, most_messages: int) -> list[ExpressBatch]:
        """Batches that may be written from now on; they are in the air."""
        try:
            batches = declare_express(
                session_id=self.session_id,
                gateway_account_id=self.gateway_account_id,
                limit=limit,
                most_messages=most_messages,
            )
        except DatabaseError as error:
            self._is_unsure = True
            log_database_error("express", error)
            connection.close()
            return []
        for batch in batches:
            self._hold(batch)
        return batches

    def _hold(self, batch: ExpressBatch) -> None:
        # In this order: a batch that is held and has nothing in the air is over.
        self.in_air.add(batch.batch_id, [message.token for message in batch.messages] + batch.blocked)
        self._held[batch.batch_id] = batch.mark
        self._blocked.extend((message_id, batch.batch_id) for message_id in batch.blocked)

    def _hand_over(self, messages: list[OutboundMessage]) -> None:
        try:
            self._submit(messages)
        except RuntimeError:  # the event loop is gone: this worker is going down
            lost = [SubmitOutcome(m.token, OutcomeKind.NOT_SENT, reason=Reason.LINK_LOST) for m in messages]
            self.on_outcomes(lost)

    def _recover(self) -> bool:
        def give_back() -> bool:
            return_unwritten(session_id=self.session_id, held=self._held, shard=self._shard)
            return True

        self._is_unsure = not try_in_one_transaction("return express leases", give_back, False)
        return not self._is_unsure

    # -- the recording thread ----------------------------------------------------------------------------------------

    @property
    def is_owing(self) -> bool:
        """Something waits to be written down."""
        return bool(self._answers or self._blocked) or not all(map(self.in_air.count, list(self._held)))

    def record(self) -> int:
        """Write down the answers that came, and give back the batches that are over; returns how many answers.

        They stay if the database cannot take them.
        """
        answers = list(self._answers)
        left = write_answers(answers, self._write)
        for _ in answers:
            self._answers.popleft()
        self._answers.extend(left)
        self.patience.note(tried=len(answers), left=len(left))
        return len(answers) - len(left)

    def _write(self, answers: Sequence[Answer]) -> None:
        blocked = list(self._blocked)
        ended: set[Sent] = {*blocked, *((outcome.token, batch_id) for outcome, batch_id in answers)}
        over = {batch_id: self._held[batch_id] for batch_id in self.in_air.list_over(list(self._held), ended)}
        if not (answers or over):
            return

        def write() -> None:
            finish_batches(session_id=self.session_id, marks=over, shard=self._shard)
            record_outcomes(
                gateway_account_id=self.gateway_account_id,
                answers=answers,
                blocked=[message_id for message_id, _ in blocked],
                shard=self._shard,
            )

        in_one_transaction("record express outcomes", write)
        for _ in blocked:
            self._blocked.popleft()
        self.in_air.remove(ended)
        for batch_id in over:
            del self._held[batch_id]

    def leave(self) -> None:
        """The link is closed: the last answers, and what a failed statement may have leased. Holds both locks."""
        self.record()
        if self._is_unsure:
            self._recover()
