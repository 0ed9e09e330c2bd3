"""One SMPP connection as a client (ESME): bind, window, rate, keep-alive, answers, receipts.

States of a session, which lives for one connection:

    new -> connecting -> bound -> draining -> left -> closed
                 \\_________\\__________\\________/        (refused, lost, garbage: straight to closed)

``draining``: we are going, and what was begun is still written. ``left``: the centre has unbound; it is heard for a
moment longer, and nothing more is written to it.

Nothing is made per message but the octets and the outcome: no task, no future, no timer. Sequence numbers
map to messages in one dict; answers, receipts and writes are handled once per chunk the socket delivers.
All methods belong to the event loop's thread, except ``stored`` and ``refused`` of an event batch.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable

from gateways.adapters.smpp import pdu
from gateways.adapters.smpp.codes import LOGIN_REFUSALS, RSYSERR, THROTTLES, format_code
from gateways.adapters.smpp.events import RawEvents, encode_event_answers
from gateways.adapters.smpp.pacing import Pacer
from gateways.adapters.smpp.queue import MessageQueue
from gateways.adapters.smpp.settings import SmppSettings
from gateways.adapters.smpp.tls import make_tls_context
from gateways.adapters.smpp.window import Window
from gateways.adapters.smpp.wire import SubmitEncoder, bind_request
from gateways.base import Link, LinkState, Listener, LoginRefused, NotSent
from gateways.hosts import find_public_address
from gateways.types import OutboundMessage, OutcomeKind, Reason, SubmitOutcome

log = logging.getLogger(__name__)

MAX_UNSTORED = 50_000
TICK_SECONDS = 0.25
UNBIND_SECONDS = 2.0
READY_SECONDS = 0.5
# A timer per token would wake the loop thousands of times a second; the bucket's depth covers this much.
SHORTEST_PAUSE = 0.004
# Of the window one in so many places is kept for urgent messages: they must not wait for a slow centre's next answer.
URGENT_SHARE = 20

# The specification knows no answer to these; centres have been seen to drop a link over one.
_UNANSWERED = frozenset({pdu.ALERT_NOTIFICATION, pdu.OUTBIND})

_HEADER = pdu.HEADER.unpack_from


class SmppSession(asyncio.Protocol, Link):
    def __init__(self, settings: SmppSettings, listener: Listener) -> None:
        self.settings = settings
        self.loop = asyncio.get_running_loop()
        self._listener = listener
        self._encoder = SubmitEncoder(settings)
        self._window = Window(settings, self.loop.time())
        self._pacer = Pacer(settings.tps, self.loop.time)
        self._queue = MessageQueue()
        self._urgent = MessageQueue()
        self._reserve = settings.window_size // URGENT_SHARE
        self._transport: asyncio.Transport | None = None
        self._bound: asyncio.Future[int] = self.loop.create_future()
        self._closed: asyncio.Future[None] = self.loop.create_future()
        self._state = "new"
        self._tail = b""
        self._is_writable = True
        self._heard_at = self._wrote_at = self.loop.time()
        self._probe_sent_at = 0.0
        self._unstored = 0
        self._why = ""
        self._pump_timer: asyncio.TimerHandle | None = None
        self._tick_timer: asyncio.TimerHandle | None = None

    # -- life ----------------------------------------------------------------------------------------------

    async def open(self) -> None:
        settings = self.settings
        self._state = "connecting"
        self._listener.on_state(LinkState.CONNECTING, "")
        tls = make_tls_context(settings)
        name = (settings.tls_server_name or settings.host) if tls else None
        try:
            async with asyncio.timeout(settings.connect_timeout):
                host = settings.host
                if settings.public_only:
                    host = await find_public_address(host)
                await self.loop.create_connection(lambda: self, host, settings.port, ssl=tls, server_hostname=name)
        except (OSError, TimeoutError) as error:
            self._state = "closed"
            self._listener.on_state(LinkState.DOWN, type(error).__name__)
            raise NotSent("cannot connect", code=type(error).__name__, reason=Reason.LINK_LOST) from error
        status = await self._bind()
        if status == 0:
            return
        self._abort(format_code(status))
        await self._closed  # so that "down" is told before "refused", and refused stays the last word
        if status in LOGIN_REFUSALS:
            self._listener.on_state(LinkState.REFUSED, format_code(status))
            raise LoginRefused("bind refused", code=format_code(status), reason=Reason.LOGIN)
        raise NotSent("bind not possible now", code=self._why or format_code(status), reason=Reason.SYSTEM)

    async def _bind(self) -> int:
        """The status of the answer to our bind. Raises NotSent if none comes."""
        self._write(bind_request(self.settings, self._window.next_sequence()))
        try:
            async with asyncio.timeout(self.settings.bind_timeout):
                return await asyncio.shield(self._bound)
        except TimeoutError as error:
            self._abort("bind timeout")
            await self._closed
            raise NotSent("no answer to bind", code="bind timeout", reason=Reason.TIMEOUT) from error
        except asyncio.CancelledError:
            self._abort("cancelled")
            raise

    async def close(self, *, grace_seconds: float = 5.0) -> None:
        """Report the queue as not sent, wait for answers and for events to be stored, unbind. Safe to call twice."""
        if self._state in ("new", "closed"):
            return
        if self._state != "left":
            self._state = "draining"
        self._report_not_sent(Reason.WITHDRAWN, self.withdraw())
        deadline = self.loop.time() + grace_seconds
        # An event acknowledged after the unbind counts for nothing: the centre would send it again.
        while (self._window.is_busy or self._unstored) and self.loop.time() < deadline and not self._closed.done():
            await asyncio.sleep(0.01)
        if not self._closed.done() and self._transport is not None:
            self._write(pdu.HEADER.pack(16, pdu.UNBIND, 0, self._window.next_sequence()))
            await asyncio.wait([self._closed], timeout=min(UNBIND_SECONDS, max(0.1, grace_seconds)))
            self._abort("closed")
        await self._closed

    async def wait_closed(self) -> str:
        """Wait for the end of the connection; returns why it ended."""
        await asyncio.shield(self._closed)
        return self._why

    @property
    def is_up(self) -> bool:
        return self._state == "bound"

    @property
    def is_ready(self) -> bool:
        """Not while the window is full and the centre has been silent for a while."""
        return self._window.room > self._reserve or self.loop.time() - self._heard_at < READY_SECONDS

    @property
    def room(self) -> int:
        if self._state != "bound":
            return 0
        waiting = len(self._queue) + len(self._urgent)
        return max(0, 2 * self.settings.window_size - waiting - self._window.unanswered)

    @property
    def unanswered(self) -> int:
        return self._window.unanswered

    @property
    def rate(self) -> float:
        """Submits a second at present, after throttle answers; 0 = unlimited."""
        return self._pacer.rate

    # -- sending -------------------------------------------------------------------------------------------

    def submit_many(self, messages: Iterable[OutboundMessage], *, is_urgent: bool = False) -> None:
        (self._urgent if is_urgent else self._queue).add(messages, self.loop.time())
        if self._state == "bound":
            self._pump()
        else:
            self._report_not_sent(Reason.LINK_LOST, self.withdraw())

    def withdraw(self) -> list[OutboundMessage]:
        return [*self._urgent.pop_all(), *self._queue.pop_all()]

    def hand_back(self, since: float) -> None:
        """Report as not sent what waits since then (loop time) or longer."""
        self._report_not_sent(Reason.WITHDRAWN, [*self._urgent.pop_since(since), *self._queue.pop_since(since)])

    def _pump(self) -> None:
        """Write what window and rate allow."""
        if not self._is_writable or self._state not in ("bound", "draining"):
            return
        is_paced = False
        if self._urgent:
            is_paced = not self._write_from(self._urgent, self._window.room)
        if not is_paced:
            is_paced = not self._write_from(self._queue, self._window.room - self._reserve)
        if is_paced and self._pump_timer is None:
            delay = max(SHORTEST_PAUSE, self._pacer.delay())
            self._pump_timer = self.loop.call_later(delay, self._pump_later)

    def _write_from(self, queue: MessageQueue, room: int) -> bool:
        """In one write, parts of begun messages first; False if the rate allows less than `room`."""
        window = self._window
        wanted = min(room, len(queue) + window.waiting_parts)
        if wanted <= 0:
            return True
        granted = self._pacer.take(wanted)
        if granted:
            octets: list[bytes] = []
            refusals: list[SubmitOutcome] = []
            left = window.fill(queue, self._encoder, granted, octets, refusals, self.loop.time())
            if left:
                self._pacer.give_back(left)
            if octets:
                self._write(b"".join(octets))
            if refusals:
                self.loop.call_soon(self._report, refusals)
        return granted == wanted

    def _pump_later(self) -> None:
        self._pump_timer = None
        self._pump()

    def _write(self, octets: bytes) -> None:
        if self._transport is not None and self._state != "left":
            self._wrote_at = self.loop.time()
            self._transport.write(octets)

    # -- receiving -----------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        self._heard_at = self.loop.time()
        if self._tail:
            data = self._tail + data
        outcomes: list[SubmitOutcome] = []
        events: list[bytes] = []
        at, end = 0, len(data)
        answered = throttled = 0
        take = self._window.take
        try:
            while end - at >= 16:
                length, command, status, sequence = _HEADER(data, at)
                if not 16 <= length <= pdu.MAX_LENGTH:
                    pdu.check_length(length)
                stop = at + length
                if stop > end:
                    break
                if command == pdu.SUBMIT_SM_RESP:
                    answered += 1
                    if status in THROTTLES:
                        throttled += 1
                    outcome = take(sequence, status, data[at + 16 : stop], self._heard_at)
                    if outcome is not None:
                        outcomes.append(outcome)
                elif command == pdu.DELIVER_SM or command == pdu.DATA_SM:
                    events.append(data[at:stop])
                else:
                    self._handle_other(command, status, sequence, data[at + 16 : stop], outcomes)
                at = stop
        except pdu.PduError:
            self._abort("garbage")
        self._tail = data[at:]
        if answered:
            self._pacer.record_answers(answered, throttled, unanswered=self._window.unanswered)
        if events:
            self._offer(events)
        if outcomes:
            self._report(outcomes)
        if self._state in ("bound", "draining"):
            self._pump()

    def _handle_other(
        self, command: int, status: int, sequence: int, body: bytes, outcomes: list[SubmitOutcome]
    ) -> None:
        if command == pdu.ENQUIRE_LINK:
            self._write(pdu.response(command, 0, sequence))
        elif command == pdu.ENQUIRE_LINK_RESP:
            self._probe_sent_at = 0.0
        elif command == pdu.UNBIND:
            self._write(pdu.response(command, 0, sequence))
            self._report_not_sent(Reason.LINK_LOST, self.withdraw())
            self._state = "left"
            self.loop.call_later(UNBIND_SECONDS, self._abort, "unbound by the centre")
        elif command == pdu.UNBIND_RESP:
            self._abort("closed")
        elif command == pdu.GENERIC_NACK:
            if not self._bound.done():
                self._set_bound(status or 0x0D)
            elif status in THROTTLES:
                self._pacer.record_answers(1, 1, unanswered=self._window.unanswered)
            outcome = self._window.take(sequence, status or 0x03, b"", self._heard_at)
            if outcome is not None:
                outcomes.append(outcome)
        elif command & pdu.RESPONSE:
            is_bind = command & 0x7FFFFFFF in (
                pdu.BIND_TRANSCEIVER,
                pdu.BIND_TRANSMITTER,
                pdu.BIND_RECEIVER,
            )
            if is_bind and not self._bound.done():
                self._set_bound(status)
        elif command not in _UNANSWERED:
            self._write(pdu.response(pdu.GENERIC_NACK, 0x03, sequence))

    def _set_bound(self, status: int) -> None:
        if status == 0 and self._state == "connecting":
            self._state = "bound"
            self._tick()
            self._listener.on_state(LinkState.UP, "")
        self._bound.set_result(status)

    def _report(self, outcomes: list[SubmitOutcome]) -> None:
        try:
            self._listener.on_outcomes(outcomes)
        except Exception:
            # The engine heals what it did not record; a broken reader must not cut the link as well.
            log.exception("smpp.outcomes_not_taken", extra={"count": len(outcomes)})

    def _report_not_sent(self, reason: Reason, unsent: list[OutboundMessage]) -> None:
        if unsent:
            self._report([SubmitOutcome(m.token, OutcomeKind.NOT_SENT, reason=reason) for m in unsent])

    # -- receipts ------------------------------------------------------------------------------------------

    def _offer(self, raws: list[bytes]) -> None:
        if self._unstored + len(raws) > MAX_UNSTORED:
            self._unstored += len(raws)
            self._answer_events(raws, RSYSERR)
            return
        self._unstored += len(raws)
        batch = RawEvents(raws, self._answer_events_soon)
        try:
            self._listener.on_events(batch)
        except Exception:
            log.exception("smpp.events_not_taken", extra={"count": len(raws)})
            batch.refused()

    def _answer_events_soon(self, raws: list[bytes], status: int) -> None:
        """From any thread. A closed loop: the process is ending, and the centre sends these again."""
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self._answer_events, raws, status)

    def _answer_events(self, raws: list[bytes], status: int) -> None:
        """Acknowledge (0) or refuse stored events; on a link that is gone the centre will send them again."""
        self._unstored -= len(raws)
        if self._state in ("bound", "draining"):
            self._write(encode_event_answers(raws, status))

    # -- time and loss -------------------------------------------------------------------------------------

    def _tick(self) -> None:
        """Answer timers, part retries and keep-alive, four times a second."""
        if self._state not in ("bound", "draining"):
            return
        now = self.loop.time()
        overdue = self._window.expire(now)
        if overdue:
            self._report(overdue)
        if self._probe_sent_at and now - self._probe_sent_at > self.settings.enquire_link_timeout:
            self._abort("no answer to enquire_link")
            return
        quiet = now - min(self._heard_at, self._wrote_at)
        if not self._probe_sent_at and quiet >= self.settings.enquire_link_seconds:
            self._probe_sent_at = now
            self._write(pdu.HEADER.pack(16, pdu.ENQUIRE_LINK, 0, self._window.next_sequence()))
        self._tick_timer = self.loop.call_later(TICK_SECONDS, self._tick)
        self._pump()

    def _abort(self, why: str) -> None:
        self._why = self._why or why
        if self._transport is not None and not self._closed.done():
            self._state = "closed"
            # abort, not close: octets still in our buffer belong to messages that are unknown either way.
            if self._transport.get_write_buffer_size():
                self._transport.abort()
            else:
                self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Whatever was handed to the socket without an answer is unknown; the queue was never written."""
        self._why = self._why or (type(exc).__name__ if exc else "closed by peer")
        self._state = "closed"
        for timer in (self._pump_timer, self._tick_timer):
            if timer is not None:
                timer.cancel()
        lost = self._window.abandon()
        if lost:
            self._report(lost)
        self._report_not_sent(Reason.LINK_LOST, self.withdraw())
        if not self._bound.done():
            self._bound.set_result(0xFF)
        if not self._closed.done():
            self._closed.set_result(None)
        self._listener.on_state(LinkState.DOWN, self._why)

    def pause_writing(self) -> None:
        self._is_writable = False

    def resume_writing(self) -> None:
        self._is_writable = True
        self._pump()
