"""One sender slot at work: lease, link, strides, answers.

    claim batches → declare intent (commit) → write to the link → answers come → flush them (commit)

The link's event loop calls `on_…`; everything else happens in the thread that works the slot. A crash leaves at most
what is in the air (one stride) and one flush unanswered; the session's end makes those `unknown`.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from gateways.base import EventBatch, Gateway, Link, LinkState
from gateways.types import OutboundMessage, OutcomeKind, Reason, SubmitOutcome
from messaging.services.claims import ClaimedBatch, Lane, claim_batches, finish_batches, list_leases
from messaging.services.intents import Intent, Stride, declare_intent
from messaging.services.outcomes import Answer, record_outcomes
from messaging.services.tallies import SHARD_SLOTS

from .answers import Patience, write_answers
from .database import in_one_transaction, try_in_one_transaction
from .express_slot import ExpressSlot
from .in_air import InAir
from .plan import Plan
from .pulse import Pulse
from .reach import Reach
from .valve import Valve

log = logging.getLogger(__name__)
FLUSH_SECONDS = 0.2
CLAIM_SECONDS = 0.1
MOST_BATCHES = 64
TURNOVER = 16
LARGEST_STRIDE = 5000
BATCH_SIZE = 1000


class Slot:
    """Bound to one live session row; `is_lost` once the lease is not ours any more."""

    def __init__(
        self,
        *,
        gateway_account_id: int,
        number: int,
        session_id: int,
        gateway: Gateway,
        stride: int,
        submit: Callable[["Slot", list[OutboundMessage]], None],
        store_events: Callable[["Slot", EventBatch], None],
        ring: Callable[["Slot"], None] | None = None,
        lane: Lane = Lane.ALL,
    ) -> None:
        self.gateway_account_id = gateway_account_id
        self.number = number
        self.session_id = session_id
        self.gateway = gateway
        self.link: Link | None = None
        self.link_state = LinkState.DOWN
        self.link_code = ""  # what the link said to that
        self.recorded_link = ("", "")  # what the session's row says of it
        self.is_lost = False
        self.is_leaving = False  # being closed, for another worker or because it does not fit any more
        self.is_dismissed = False  # somebody is about to close it
        self.wake = threading.Event()
        self.working = threading.Lock()
        self.stride = max(1, min(LARGEST_STRIDE, stride))
        self.lane = lane
        self.valve = Valve(float(self.stride), count_in_air=self.count_in_air)
        self.reach = Reach(self.stride)
        self.express: ExpressSlot | None = None  # the same link and lease for urgent messages, worked by other threads
        self._submit = submit
        self._store_events = store_events
        self._ring = ring
        self.pulse = Pulse()
        self.patience = Patience()
        self._in_air = InAir()
        self._plan = Plan(self._in_air)
        self._answers: deque[Answer] = deque()
        self._unreturned: dict[int, int] = {}  # batches whose lease goes back, and how far they were written
        self._is_unsure = False  # a statement failed: the database may have leased us more than we know
        self._flushed_at = self._claimed_at = time.monotonic()

    # -- listener: called on the link's event loop ------------------------------------------------------------------

    def on_outcomes(self, outcomes: list[SubmitOutcome]) -> None:
        self.pulse.note_answers(outcomes)
        self.valve.note(outcomes)
        self.reach.note(outcomes, under_way=len(self._in_air) - len(self._answers))
        express = self.express
        if express is not None and express.in_air:
            # A message of both lanes was sent by one of them first, and came to the other in a later batch.
            urgent = [o for o in outcomes if express.in_air.find_batch(o.token) > self._in_air.find_batch(o.token)]
            if urgent:
                tokens = {outcome.token for outcome in urgent}
                outcomes = [outcome for outcome in outcomes if outcome.token not in tokens]
                express.on_outcomes(urgent)
        self._answers.extend(self._in_air.pair(outcomes))
        if len(self._answers) >= self.stride // 2 or len(self._answers) >= len(self._in_air):
            self.wake.set()

    def on_events(self, batch: EventBatch) -> None:
        self.pulse.note_events(len(batch.raws))
        self._store_events(self, batch)

    def on_state(self, state: LinkState, code: str) -> None:
        where = {"account": self.gateway_account_id, "slot": self.number}
        log.info("engine.link", extra={**where, "state": str(state), "code": code})
        self.link_state, self.link_code = state, code
        if self.express is not None:
            self.express.link_state = state
        self.wake.set()
        if state is LinkState.UP and self._ring is not None:
            self._ring(self)  # nobody may be working it: it went idle while the link was away

    def lose(self) -> None:
        """The lease is not ours any more: no further intent."""
        self.is_lost = True
        if self.express is not None:
            self.express.is_lost = True
        self.wake.set()

    # -- work: in the thread that holds `working` -------------------------------------------------------------------

    def work(self, *, seconds: float, linger_seconds: float, stopping: threading.Event) -> bool:
        """Send what is due until the time is over or nothing was due for a while; True if there may be more."""
        end = time.monotonic() + seconds
        busy_at = time.monotonic()
        while not (stopping.is_set() or self.is_lost or self.is_leaving) and time.monotonic() < end:
            self.wake.clear()
            if self.step():
                busy_at = time.monotonic()
            elif time.monotonic() - busy_at > linger_seconds and not (self._in_air or self._owes_leases):
                return False
            else:
                self.wake.wait(CLAIM_SECONDS / 2 if self._in_air else CLAIM_SECONDS)
        return not (self.is_lost or self.is_leaving)

    def step(self) -> bool:
        """Flush, claim, send, whatever of it is due; True if something moved. Never waits."""
        moved = self.flush() > 0 if self._is_flush_due() else False
        if self._owes_leases:
            self._return_leases()
        if self.link_state != LinkState.UP or self.valve.is_shut:
            self._plan.give_up_all()
            self._return_leases()
            return moved
        if self.link is not None and not self.link.is_ready:
            return moved
        # On the link at most one stride, beside it at most one flush of answers not written down yet.
        answered = len(self._answers)
        reach = self.reach.messages
        room = reach - (len(self._in_air) - answered)
        if room < max(1, reach // 2) or answered > self.stride:
            return moved
        room, sent = self.valve.reserve(room), 0
        try:
            if room:
                self._claim()
                sent = self._send(room)
        finally:
            self.valve.settle(room, sent)
        return sent > 0 or moved

    def _is_flush_due(self) -> bool:
        waiting = len(self._answers)
        if not waiting or not self.patience.is_over:
            return False
        is_old = time.monotonic() - self._flushed_at >= FLUSH_SECONDS
        return is_old or waiting >= max(1, self.stride // 2) or waiting >= len(self._in_air)

    def _claim(self) -> None:
        now = time.monotonic()
        if now - self._claimed_at < CLAIM_SECONDS and self._plan.remaining >= self.stride:
            return
        self._claimed_at = now
        if len(self._plan.batches) >= MOST_BATCHES:
            # More tenants than batches that it holds, or somebody more urgent: they must not wait for all of these.
            self._plan.give_back(TURNOVER)
            self._return_leases()
        limit = MOST_BATCHES - len(self._plan.batches)
        if limit <= 0:
            return

        def claim() -> list[ClaimedBatch]:
            return claim_batches(
                session_id=self.session_id,
                gateway_account_id=self.gateway_account_id,
                per_tenant=self.stride // BATCH_SIZE + 1,
                limit=limit,
                enough=self.stride,
                held=self._plan.list_enough(self.stride),
                after_tenant=self._plan.last_tenant,
                lane=self.lane,
            )

        claimed = try_in_one_transaction("claim batches", claim, None)
        self._is_unsure |= claimed is None
        for batch in claimed or []:
            self._unreturned.pop(batch.batch_id, None)  # given back unheard: this lease is a new one
            self._plan.add(batch)

    def _send(self, room: int) -> int:
        """Declare intent for the next stride and hand its messages to the link; returns how many."""
        strides = self._plan.take_strides(room)
        if not strides:
            return 0
        intent = try_in_one_transaction("declare intent", lambda: self._declare(strides), None)
        marked = intent.marked if intent else set()
        for stride in strides:
            if stride.batch_id not in marked:
                # Paused, out of hours, or not our lease any more; or the commit failed, and nobody knows how far:
                # nothing of it was written, and `finish_batches` will see what the database made of it.
                self._plan.give_up(stride.batch_id, stride.mark)
        sent = 0
        if intent:
            for batch_id, messages in intent.messages.items():
                sent += len(messages)
                if messages:
                    self._in_air.add(batch_id, [message.token for message in messages])
                    self._write(messages)
        self._return_leases()
        return sent

    def _write(self, messages: list[OutboundMessage]) -> None:
        self.pulse.note_written(messages)
        try:
            self._submit(self, messages)
        except RuntimeError:  # the event loop is gone: this worker is going down
            lost = [SubmitOutcome(m.token, OutcomeKind.NOT_SENT, reason=Reason.LINK_LOST) for m in messages]
            self._answers.extend(self._in_air.pair(lost))

    def _declare(self, strides: list[Stride]) -> Intent:
        return declare_intent(session_id=self.session_id, strides=strides, shard=SHARD_SLOTS + self.number)

    def flush(self) -> int:
        """Write down the answers that came; returns how many. They stay if the database cannot take them."""
        count = len(self._answers)
        self._flushed_at = time.monotonic()
        if not count:
            return 0
        left = write_answers([self._answers[i] for i in range(count)], self._record)
        for _ in range(count):
            self._answers.popleft()
        self._answers.extend(left)
        self.patience.note(tried=count, left=len(left))
        if len(left) < count:
            self._return_leases()
        return count - len(left)

    def _record(self, answers: Sequence[Answer]) -> None:
        def record() -> None:
            record_outcomes(
                gateway_account_id=self.gateway_account_id, answers=answers, shard=SHARD_SLOTS + self.number
            )

        in_one_transaction("record outcomes", record)
        self._in_air.remove((outcome.token, batch_id) for outcome, batch_id in answers)

    def _return_leases(self) -> None:
        """Batches that are over, or given up with nothing in the air, lose their lease; tried again if it fails."""
        self._unreturned.update(self._plan.pop_over())
        if not self._owes_leases:
            return

        def finish() -> bool:
            if self._is_unsure:
                for batch_id, mark in list_leases(self.session_id, self.lane).items():
                    if batch_id not in self._plan.batches:
                        self._unreturned.setdefault(batch_id, mark)
            finish_batches(session_id=self.session_id, marks=self._unreturned, shard=SHARD_SLOTS + self.number)
            return True

        if try_in_one_transaction("return leases", finish, False):
            self._unreturned.clear()
            self._is_unsure = False

    @property
    def _owes_leases(self) -> bool:
        return bool(self._unreturned) or self._is_unsure

    def leave(self) -> None:
        """Nothing further from this slot: take back what the link has not written, keep what is in the air."""
        self._plan.give_up_all()
        self._return_leases()

    @property
    def answer_count(self) -> int:
        return len(self._answers)

    def count_in_air(self) -> int:
        """Messages of both lanes that were written and whose answers are not in the database yet."""
        return len(self._in_air) + (len(self.express.in_air) if self.express is not None else 0)
