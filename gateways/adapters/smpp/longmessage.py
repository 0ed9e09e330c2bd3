"""A message of several parts on the wire: one outcome for all of them, and no part ever repeated (S13)."""

from __future__ import annotations

from enum import IntEnum

from gateways.adapters.smpp.codes import Decision, format_code
from gateways.types import OutboundMessage, OutcomeKind, Reason, SubmitOutcome

PART_RETRIES = 8
RETRY_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)


class PartState(IntEnum):
    WAITING = 0
    WRITTEN = 1
    ACCEPTED = 2
    REFUSED = 3
    REJECTED = 4
    UNKNOWN = 5


class LongMessage:
    """Parts of one message and what is known of each.

    A part refused for now while another part was taken is written again by the session itself (the refusal
    is definite, so this repeats nothing); handing the whole message back would repeat the taken part.
    """

    __slots__ = ("_reason", "_status", "bodies", "ids", "is_reported", "message", "retries", "states")

    def __init__(self, message: OutboundMessage, bodies: tuple[bytes, ...]) -> None:
        self.message = message
        self.bodies = bodies
        self.ids = [""] * len(bodies)
        self.states = [PartState.WAITING] * len(bodies)
        self.retries = 0
        self.is_reported = False
        self._status = 0
        self._reason = Reason.NONE

    def record_accepted(self, index: int, provider_id: str) -> None:
        self.states[index] = PartState.ACCEPTED
        self.ids[index] = provider_id

    def record_refused(self, index: int, status: int, decision: Decision) -> None:
        if decision.kind is OutcomeKind.UNKNOWN:
            self.states[index] = PartState.UNKNOWN
        elif decision.kind is OutcomeKind.REJECTED:
            self.states[index] = PartState.REJECTED
        else:
            self.states[index] = PartState.REFUSED
        self._status = status
        self._reason = decision.reason

    def record_unknown(self, index: int, reason: Reason) -> None:
        self.states[index] = PartState.UNKNOWN
        self._reason = reason

    @property
    def may_write(self) -> bool:
        """Whether writing a waiting part still serves: not after a refusal that nothing was taken beside."""
        if PartState.REJECTED in self.states:
            return False
        return PartState.REFUSED not in self.states or self.is_taken

    @property
    def is_open(self) -> bool:
        """An answer is still to come, or a part is still to be written."""
        if PartState.WRITTEN in self.states:
            return True
        return PartState.WAITING in self.states and self.may_write

    @property
    def is_taken(self) -> bool:
        """Some part is, or may be, with the centre."""
        return any(s in (PartState.ACCEPTED, PartState.UNKNOWN, PartState.WRITTEN) for s in self.states)

    def refused_parts(self) -> list[int]:
        """Parts the session should write again, later; empty if none or if the tries are used up."""
        states = self.states
        if self.retries >= PART_RETRIES or PartState.REJECTED in states or not self.is_taken:
            return []
        return [i for i, state in enumerate(states) if state is PartState.REFUSED]

    def retry_delay(self) -> float:
        return RETRY_SECONDS[min(self.retries, len(RETRY_SECONDS) - 1)]

    def outcome(self, id_policy: str, *, late: bool = False) -> SubmitOutcome:
        """The outcome of the whole, once nothing is open or the link is gone."""
        states = self.states
        token = self.message.token
        known = tuple(self.ids)
        first = known[-1] if id_policy == "last" else known[0]
        if all(state is PartState.ACCEPTED for state in states):
            return SubmitOutcome(token, OutcomeKind.ACCEPTED, first, part_ids=known, late=late)
        code = format_code(self._status) if self._status else ""
        kind, reason, retry_after = OutcomeKind.REJECTED, self._reason, 0.0
        if PartState.UNKNOWN in states or PartState.WRITTEN in states:
            kind, reason = OutcomeKind.UNKNOWN, self._reason or Reason.LINK_LOST
        elif PartState.ACCEPTED in states:
            # Taken in part, and the rest cannot follow. Refused for good: the text cannot arrive whole.
            # Cut off by a lost link or used-up tries: nobody may repeat the taken parts either.
            is_refused = PartState.REJECTED in states
            kind, reason = (OutcomeKind.REJECTED if is_refused else OutcomeKind.UNKNOWN), Reason.PARTIAL
        elif PartState.REJECTED in states:
            pass
        elif PartState.REFUSED in states:
            kind, retry_after = OutcomeKind.DEFERRED, self.retry_delay()
        else:
            kind, reason = OutcomeKind.NOT_SENT, Reason.LINK_LOST
        return SubmitOutcome(token, kind, first, code, reason, retry_after, known, late)
