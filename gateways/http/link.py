"""Calls as a link: the engine's slots drive a provider over HTTP as they drive an SMPP bind.

Messages queue here for a moment, urgent ones first, until a call is full or has gathered long enough; several calls
are in flight. There is no login to wait for: the link is up until an answer says otherwise, and comes back with a
trial, one call of a few messages.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Hashable, Iterable
from operator import itemgetter
from typing import TYPE_CHECKING

from gateways.backoff import MOST_REFUSALS, wait_after_loss, wait_after_refusal
from gateways.base import Link, LinkState, Listener, PullDesk, describe_fault
from gateways.http.events import ANSWER, pack_raw
from gateways.http.pacing import CallPace
from gateways.http.packing import CallQueue, Suspects
from gateways.http.pulling import Puller, RawBatch
from gateways.types import OutboundMessage, OutcomeKind, Reason, SubmitOutcome

if TYPE_CHECKING:
    from gateways.http.gateway import HttpGateway

log = logging.getLogger(__name__)
TRIAL_SIZE = 20
MOST_UNKNOWN = 3
"""Calls in a row without an answer before the link pauses: each costs a whole call's messages."""
QUEUE_SECONDS = 1.5
"""What waits here for longer goes back to the database: a pause or a cancel must find it there (S6)."""
SHORT_HOLD = 1.0
READY_SECONDS = 0.5
TIGHTEST = 0.002
ENDS = (OutcomeKind.ACCEPTED, OutcomeKind.REJECTED, OutcomeKind.UNKNOWN)


class RequestLink(Link):
    def __init__(self, gateway: HttpGateway, listener: Listener) -> None:
        settings = gateway.settings
        self._gateway = gateway
        self._listener = listener
        self._calls_at_once: int = settings.window_size
        calls = settings.requests_per_second or gateway.capabilities.requests_per_second
        self._pace = CallPace(settings.tps, calls / settings.slots, clock=time.monotonic)
        once = not gateway.capabilities.id_per_message
        self._suspects = Suspects()
        self._urgent, self._bulk, self._doubtful = self._queues = [
            CallQueue(self._group_key, once_per_number=once) for _ in range(3)
        ]
        self._turns = deque([self._bulk, self._doubtful])
        self._flights: set[asyncio.Task[None]] = set()
        self._state = LinkState.DOWN
        self._is_trial = True
        self._refusals = self._losses = self._unknown = 0
        self._held_until = self._landed_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._return_timer: asyncio.TimerHandle | None = None
        self._is_closing = False
        self._desk: PullDesk | None = None
        self._puller: Puller | None = None

    # -- life --------------------------------------------------------------------------------------------

    async def open(self) -> None:
        self.start()

    def start(self) -> None:
        if self._desk is not None and self._puller is None:
            self._puller = Puller(self._gateway, self._listener, self._desk)
            self._puller.start()
        if self._state is not LinkState.UP:
            self._enter(LinkState.UP, "")

    def pull_with(self, desk: PullDesk) -> None:
        self._desk = desk

    async def close(self, *, grace_seconds: float = 5.0) -> None:
        self._is_closing = True
        for timer in (self._timer, self._return_timer):
            if timer is not None:
                timer.cancel()
        self._hand_back(Reason.WITHDRAWN)
        if self._puller is not None:
            await self._puller.close(grace_seconds)
        if self._flights:
            _, late = await asyncio.wait(self._flights, timeout=grace_seconds)
            for flight in late:
                flight.cancel()  # each reports its messages as unknown
            await asyncio.gather(*late, return_exceptions=True)
        await self._gateway.close()
        self._enter(LinkState.DOWN, "closed")

    def _enter(self, state: LinkState, code: str) -> None:
        if state is not self._state:
            self._state = state
            self._listener.on_state(state, code)

    # -- the engine's side -------------------------------------------------------------------------------

    @property
    def is_ready(self) -> bool:
        now = time.monotonic()
        if self._state is not LinkState.UP or now < self._held_until:
            return False
        # All calls in flight, and none has come back for a while: what came now would wait in vain.
        return self._has_seat or now - self._landed_at < READY_SECONDS

    @property
    def room(self) -> int:
        most = self._calls_at_once * self._gateway.batch_size
        return max(0, 2 * most - len(self._bulk) - len(self._doubtful)) if self._state is LinkState.UP else 0

    @property
    def _has_seat(self) -> bool:
        return len(self._flights) < (1 if self._is_trial else self._calls_at_once)

    def submit_many(self, messages: Iterable[OutboundMessage], *, is_urgent: bool = False) -> None:
        now = time.monotonic()
        if is_urgent:
            self._urgent.add(messages, now)
        else:
            messages = list(messages)
            self._bulk.add((m for m in messages if m not in self._suspects), now)
            self._doubtful.add((m for m in messages if m in self._suspects), now)
        if self._state is not LinkState.UP or self._is_closing:
            self._hand_back(Reason.LINK_LOST)
            return
        self._pump()

    def withdraw(self) -> list[OutboundMessage]:
        return [message for queue in self._queues for message in queue.pop_all()]

    def _group_key(self, message: OutboundMessage) -> Hashable:
        return self._suspects.find_group(message), self._gateway.group_key(message)

    def _hand_back(self, reason: Reason, *, since: float = float("inf"), wait: float = 0.0) -> None:
        """What did not leave goes back to the database, at once or after ``wait`` seconds."""
        kind = OutcomeKind.DEFERRED if wait else OutcomeKind.NOT_SENT
        messages = [message for queue in self._queues for message in queue.pop_since(since)]
        if messages:
            self._listener.on_outcomes(
                [SubmitOutcome(m.token, kind, reason=reason, retry_after_seconds=wait) for m in messages]
            )

    # -- calls -------------------------------------------------------------------------------------------

    def _pump(self) -> None:
        """Let calls leave, as many as may; come back when the next one may."""
        if self._is_closing or self._state is not LinkState.UP:
            return
        now = time.monotonic()
        self._hand_back(Reason.WITHDRAWN, since=now - QUEUE_SECONDS)
        wait = self._held_until - now
        if wait <= 0:
            wait = self._launch_due()
        if any(self._queues):
            left = min(queue.waiting_since for queue in self._queues) + QUEUE_SECONDS - now
            self._wake_in(min(wait, left) if wait > 0 else left)

    def _launch_due(self) -> float:
        """Launch what may leave now; returns seconds until something else may, 0.0 if only a landing changes that."""
        most = TRIAL_SIZE if self._is_trial else self._gateway.batch_size
        most = min(most, self._gateway.batch_size)
        # An urgent message has a seat of its own: it waits for no bulk call to come back.
        while self._urgent and (self._has_seat or len(self._flights) == self._calls_at_once):
            wait = self._pace.seconds_until(is_urgent=True)
            if wait > 0:
                return wait
            self._launch(self._urgent, most)
        while self._has_seat and any(self._turns):
            queue, wait = min(((q, self._find_wait(q, most)) for q in self._turns if q), key=itemgetter(1))
            if wait > 0:
                return wait
            # Those under suspicion have every second call at most: a list full of bad numbers holds up nobody.
            self._turns.remove(queue)
            self._turns.append(queue)
            self._launch(queue, most)
        return 0.0

    def _find_wait(self, queue: CallQueue, most: int) -> float:
        """Seconds until the next call of this queue may leave."""
        wait = self._pace.seconds_until()
        if queue.next_size >= most:
            return wait
        return max(wait, self._gateway.gather_seconds - (time.monotonic() - queue.oldest_at))

    def _launch(self, queue: CallQueue, most: int) -> None:
        since = queue.oldest_at
        messages = queue.take(most)
        self._pace.spend(len(messages))
        flight = asyncio.create_task(self._fly(messages, queue, since))
        self._flights.add(flight)
        flight.add_done_callback(self._flights.discard)

    def _wake_in(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        at = loop.time() + max(TIGHTEST, seconds)
        if self._timer is not None and not self._timer.cancelled() and self._timer_at <= at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_at = loop.call_at(at, self._ring), at

    def _ring(self) -> None:
        self._timer = None
        self._pump()

    async def _fly(self, messages: list[OutboundMessage], queue: CallQueue, since: float) -> None:
        sent_at = time.time()
        is_cancelled = False
        try:
            outcomes = await self._gateway.submit(messages)
        except asyncio.CancelledError:
            is_cancelled = True
            outcomes = [SubmitOutcome(m.token, OutcomeKind.UNKNOWN, reason=Reason.LINK_LOST) for m in messages]
        except Exception as error:
            log.error("gateway.link_fault", extra={"gateway": self._gateway.slug, "fault": describe_fault(error)})
            code = type(error).__name__
            outcomes = [SubmitOutcome(m.token, OutcomeKind.UNKNOWN, code=code, reason=Reason.SYSTEM) for m in messages]
        current = asyncio.current_task()
        if current is not None:
            self._flights.discard(current)
        self._landed_at = time.monotonic()
        if outcomes[0].reason is Reason.SPOILED:
            self._split(messages, self._urgent if queue is self._urgent else self._doubtful, since)
        else:
            self._land(messages, outcomes, sent_at)
        if not self._is_closing:
            self._learn(outcomes)
            self._pump()
        if is_cancelled:
            raise asyncio.CancelledError

    def _split(self, messages: list[OutboundMessage], queue: CallQueue, since: float) -> None:
        """One of them spoiled the call: each half waits for a call of its own. They have waited since they came: what
        does not leave in time goes back to the database, where pause, switch and hours are asked again (S6, S8)."""
        log.info("gateway.call_split", extra={"gateway": self._gateway.slug, "messages": len(messages)})
        self._suspects.split(messages)
        queue.add(messages, since)
        if self._is_closing or self._state is not LinkState.UP:
            self._hand_back(Reason.WITHDRAWN)

    def _land(self, messages: list[OutboundMessage], outcomes: list[SubmitOutcome], sent_at: float) -> None:
        if any(o.kind is OutcomeKind.UNKNOWN for o in outcomes):
            self._keep_evidence(outcomes)
            if any(o.kind is OutcomeKind.UNKNOWN and not o.job for o in outcomes):  # the call was cut off by us
                job = self._gateway.write_unknown_job(messages, sent_at)
                outcomes = [o._replace(job=o.job or job) if o.kind is OutcomeKind.UNKNOWN else o for o in outcomes]
        self._suspects.forget(o.token for o in outcomes if o.kind in ENDS)
        self._listener.on_outcomes(outcomes)

    def _keep_evidence(self, outcomes: list[SubmitOutcome]) -> None:
        """An answer that could not be understood is stored beside the receipts, once a call, for people to look at."""
        evidence = {o.evidence: o.code for o in outcomes if o.evidence}
        for text, code in evidence.items():
            log.warning("gateway.answer_unreadable", extra={"gateway": self._gateway.slug, "code": code})
            self._listener.on_events(RawBatch([pack_raw(ANSWER, text.encode("utf-8", "replace"))]))

    def _learn(self, outcomes: list[SubmitOutcome]) -> None:
        """What the answer says about the link itself."""
        first = outcomes[0]
        throttled = next((o for o in outcomes if o.reason in (Reason.THROTTLED, Reason.QUEUE_FULL)), None)
        if first.kind is OutcomeKind.DEFERRED and first.reason is Reason.LOGIN:
            self._refuse(first.code)
        elif first.kind is OutcomeKind.NOT_SENT:
            self._lose(first.code)
        elif all(o.kind is OutcomeKind.UNKNOWN for o in outcomes):
            self._unknown += 1
            if self._is_trial or self._unknown >= MOST_UNKNOWN:
                self._lose(first.code)
        elif throttled is not None and throttled.kind is OutcomeKind.DEFERRED:
            self._is_trial = False
            self._pace.slow_down()
            self._hold(throttled.retry_after_seconds or self._gateway.settings.throttle_seconds)
        else:
            self._is_trial = False
            self._refusals = self._losses = self._unknown = 0

    # -- states ------------------------------------------------------------------------------------------

    def _hold(self, seconds: float) -> None:
        """The provider asks us to wait. For longer than a moment, messages wait in the database."""
        if seconds <= SHORT_HOLD:
            self._held_until = max(self._held_until, time.monotonic() + seconds)
        elif self._state is LinkState.UP:
            self._enter(LinkState.HELD, "throttled")
            self._hand_back(Reason.THROTTLED, wait=seconds)
            self._return_in(seconds, is_trial=False)

    def _lose(self, code: str) -> None:
        if self._state is LinkState.UP:
            self._enter(LinkState.DOWN, code)
            self._hand_back(Reason.LINK_LOST)
            self._return_in(wait_after_loss(self._losses))
            self._losses += 1

    def _refuse(self, code: str) -> None:
        if self._state is not LinkState.UP:
            return
        self._refusals += 1
        is_over = self._refusals >= MOST_REFUSALS
        self._enter(LinkState.STOPPED if is_over else LinkState.REFUSED, code)
        self._hand_back(Reason.LOGIN)
        if not is_over:
            self._return_in(wait_after_refusal(self._refusals - 1))

    def _return_in(self, seconds: float, *, is_trial: bool = True) -> None:
        self._is_trial = is_trial
        self._unknown = 0
        self._return_timer = asyncio.get_running_loop().call_later(seconds, self._return)

    def _return(self) -> None:
        self._return_timer = None
        self._enter(LinkState.UP, "trial" if self._is_trial else "")
        self._pump()
