"""What is on the wire without an answer: sequence numbers, window, answer timers, parts of long messages."""

from __future__ import annotations

from collections import deque
from itertools import islice

from gateways.adapters.smpp import pdu
from gateways.adapters.smpp.codes import format_code, get_decision
from gateways.adapters.smpp.longmessage import LongMessage, PartState
from gateways.adapters.smpp.receipts import make_id_reader, read_plain
from gateways.adapters.smpp.settings import SmppSettings
from gateways.adapters.smpp.wire import CannotEncode, SubmitEncoder
from gateways.types import OutboundMessage, OutcomeKind, Reason, SubmitOutcome

# Answers that come after their timer still heal the message; this many are remembered.
MOST_LATE = 20_000
BURST_SECONDS = 0.05

_pack = pdu.HEADER.pack
_ACCEPTED = OutcomeKind.ACCEPTED
Part = tuple[LongMessage, int]


class Window:
    """Unanswered submits of one bind. ``fill`` writes, ``take`` answers, ``expire`` gives up waiting."""

    def __init__(self, settings: SmppSettings, now: float) -> None:
        self._size = settings.window_size
        self._answer_timeout = settings.answer_timeout
        self._id_policy = settings.id_policy
        self._is_opaque = settings.answer_id_base == "opaque"
        self._read_id = make_id_reader(settings.answer_id_base)
        self._is_unsure = settings.system_error_is_unknown
        self._issued = 0  # sequence numbers used so far; never wraps
        self._judged = 0  # of these, how many had their answer time
        self._pending: dict[int, OutboundMessage | Part] = {}
        self._late: dict[int, OutboundMessage | Part] = {}
        # (begun at, issued by its end): one timer entry for all that left within BURST_SECONDS.
        self._bursts: deque[tuple[float, int]] = deque()
        self._parts: deque[Part] = deque()
        self._retries: list[tuple[float, LongMessage, int]] = []

    @property
    def unanswered(self) -> int:
        return len(self._pending)

    @property
    def room(self) -> int:
        return self._size - len(self._pending)

    @property
    def waiting_parts(self) -> int:
        return len(self._parts)

    @property
    def is_busy(self) -> bool:
        return bool(self._pending or self._parts or self._retries)

    def next_sequence(self) -> int:
        # Wrapping cannot meet a number still in use: 2**31 numbers against a timer of seconds.
        self._issued += 1
        return (self._issued - 1) % pdu.MAX_SEQUENCE + 1

    # -- writing -------------------------------------------------------------------------------------------

    def fill(
        self,
        queue: deque[OutboundMessage],
        encoder: SubmitEncoder,
        budget: int,
        octets: list[bytes],
        refusals: list[SubmitOutcome],
        now: float,
    ) -> int:
        """Append up to ``budget`` submits to ``octets``, begun messages first. Returns the budget left."""
        pending = self._pending
        issued = self._issued
        encode = encoder.encode
        while budget and (self._parts or queue):
            entry: OutboundMessage | Part
            if self._parts:
                entry = long, index = self._parts.popleft()
                if not long.may_write:
                    continue
                long.states[index] = PartState.WRITTEN
                body = long.bodies[index]
            else:
                entry = queue.popleft()
                try:
                    encoded = encode(entry)
                except CannotEncode as error:
                    refusals.append(_refusal(entry, error))
                    continue
                if isinstance(encoded, tuple):
                    long = LongMessage(entry, encoded)
                    self._parts.extend((long, index) for index in range(len(encoded)))
                    continue
                body = encoded
            sequence = issued % pdu.MAX_SEQUENCE + 1
            issued += 1
            pending[sequence] = entry
            octets.append(_pack(16 + len(body), pdu.SUBMIT_SM, 0, sequence))
            octets.append(body)
            budget -= 1
        if issued != self._issued:
            self._issued = issued
            bursts = self._bursts
            if bursts and now - bursts[-1][0] < BURST_SECONDS:
                bursts[-1] = (bursts[-1][0], issued)
            else:
                bursts.append((now, issued))
        return budget

    # -- answers -------------------------------------------------------------------------------------------

    def take(self, sequence: int, status: int, body: bytes, now: float) -> SubmitOutcome | None:
        """The outcome that this answer completes, or None (part of more, or an answer to nothing)."""
        entry = self._pending.pop(sequence, None)
        late = False
        if entry is None:
            entry = self._late.pop(sequence, None)
            if entry is None:
                return None
            late = True
        provider_id = ""
        if status == 0:
            provider_id = read_plain(body[:-1] if body.find(0) == len(body) - 1 else body.split(b"\x00", 1)[0])
            if not self._is_opaque:
                provider_id = self._read_id(provider_id)
        if isinstance(entry, OutboundMessage):
            if status == 0:
                return SubmitOutcome(entry.token, _ACCEPTED, provider_id, "", Reason.NONE, 0.0, (provider_id,), late)
            return self._refused(entry, status, late)
        return self._take_part(entry, provider_id, status, late, now)

    def _refused(self, message: OutboundMessage, status: int, late: bool) -> SubmitOutcome | None:
        decision = get_decision(status, system_error_is_unknown=self._is_unsure)
        if late and decision.kind is OutcomeKind.UNKNOWN:
            return None
        return SubmitOutcome(
            message.token,
            decision.kind,
            code=format_code(status),
            reason=decision.reason,
            retry_after_seconds=decision.retry_after_seconds,
            late=late,
        )

    def _take_part(self, part: Part, provider_id: str, status: int, late: bool, now: float) -> SubmitOutcome | None:
        long, index = part
        if status == 0:
            long.record_accepted(index, provider_id)
        else:
            decision = get_decision(status, system_error_is_unknown=self._is_unsure)
            long.record_refused(index, status, decision)
        return self._settle(long, now)

    def _settle(self, long: LongMessage, now: float) -> SubmitOutcome | None:
        """The message's outcome if all is known; refused parts beside taken ones go round again."""
        if long.is_open:
            return None
        if long.is_reported:
            healed = long.outcome(self._id_policy, late=True)
            return None if healed.kind is OutcomeKind.UNKNOWN else healed
        again = long.refused_parts()
        if again:
            due = now + long.retry_delay()
            long.retries += 1
            for index in again:
                long.states[index] = PartState.WAITING
                self._retries.append((due, long, index))
            return None
        outcome = long.outcome(self._id_policy)
        long.is_reported = True
        return outcome

    # -- time ----------------------------------------------------------------------------------------------

    def expire(self, now: float) -> list[SubmitOutcome]:
        """Give up on answers overdue at ``now`` (their messages are unknown) and release due part retries."""
        outcomes: list[SubmitOutcome] = []
        before = now - self._answer_timeout - BURST_SECONDS
        while self._bursts and self._bursts[0][0] <= before:
            first, self._judged = self._judged, self._bursts.popleft()[1]
            if not self._pending:
                continue
            for number in range(first, self._judged):
                sequence = number % pdu.MAX_SEQUENCE + 1
                entry = self._pending.pop(sequence, None)
                if entry is None:
                    continue
                self._late[sequence] = entry
                outcome = self._expired(entry, now)
                if outcome is not None:
                    outcomes.append(outcome)
        if len(self._late) > MOST_LATE:
            for sequence in list(islice(self._late, len(self._late) - MOST_LATE)):
                del self._late[sequence]
        if self._retries:
            due = [r for r in self._retries if r[0] <= now]
            if due:
                self._retries = [r for r in self._retries if r[0] > now]
                self._parts.extend((long, index) for _, long, index in due)
        return outcomes

    def _expired(self, entry: OutboundMessage | Part, now: float) -> SubmitOutcome | None:
        if isinstance(entry, OutboundMessage):
            return SubmitOutcome(entry.token, OutcomeKind.UNKNOWN, reason=Reason.TIMEOUT)
        long, index = entry
        long.record_unknown(index, Reason.TIMEOUT)
        return self._settle(long, now)

    def abandon(self) -> list[SubmitOutcome]:
        """The link is gone: every message in the window gets its last outcome."""
        outcomes: list[SubmitOutcome] = []
        longs: dict[int, LongMessage] = {}
        for entry in self._pending.values():
            if isinstance(entry, OutboundMessage):
                outcomes.append(SubmitOutcome(entry.token, OutcomeKind.UNKNOWN, reason=Reason.LINK_LOST))
            else:
                long, index = entry
                long.record_unknown(index, Reason.LINK_LOST)
                longs[id(long)] = long
        for long, _ in self._parts:
            longs[id(long)] = long
        for _, long, _ in self._retries:
            longs[id(long)] = long
        for long in longs.values():
            if not long.is_reported:
                long.is_reported = True
                outcomes.append(long.outcome(self._id_policy))
        self._pending.clear()
        self._parts.clear()
        self._retries.clear()
        self._late.clear()
        self._bursts.clear()
        return outcomes


def _refusal(message: OutboundMessage, error: CannotEncode) -> SubmitOutcome:
    return SubmitOutcome(
        message.token, OutcomeKind.REJECTED, code="not encodable", reason=error.reason, evidence=str(error)
    )
