"""The states of a message, the moves between them, and what receipts and refusals mean.

    queued ─→ claimed ─→ submitting ─→ accepted ─→ delivered | undelivered | expired
       ↑─────────┘  ↑────────┤ (definite refusal for now)
                             ├─→ rejected (definite refusal)
                             └─→ unknown ─→ accepted | delivered | undelivered | unconfirmed
    queued, claimed ─→ suppressed | cancelled | failed

Everything not in `ALLOWED_MOVES` is refused by the one function that moves states.
"""

from enum import StrEnum
from typing import Final


class MessageState(StrEnum):
    """Where a message is. `claimed` and `submitting` are read from its batch, not written per message."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    SUBMITTING = "submitting"
    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    EXPIRED = "expired"
    REJECTED = "rejected"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"
    UNCONFIRMED = "unconfirmed"


_S = MessageState

TERMINAL_STATES: Final = frozenset(
    {
        _S.DELIVERED,
        _S.UNDELIVERED,
        _S.EXPIRED,
        _S.REJECTED,
        _S.FAILED,
        _S.SUPPRESSED,
        _S.CANCELLED,
        _S.UNCONFIRMED,
    }
)
OPEN_STATES: Final = frozenset(_S) - TERMINAL_STATES


class CreditState(StrEnum):
    """What has become of the credits set aside for the message."""

    RESERVED = "reserved"
    CAPTURED = "captured"
    RELEASED = "released"


CREDITS: Final = {
    _S.QUEUED: CreditState.RESERVED,
    _S.CLAIMED: CreditState.RESERVED,
    _S.SUBMITTING: CreditState.RESERVED,
    _S.ACCEPTED: CreditState.CAPTURED,
    _S.UNKNOWN: CreditState.RESERVED,
    _S.DELIVERED: CreditState.CAPTURED,
    _S.UNDELIVERED: CreditState.CAPTURED,
    _S.EXPIRED: CreditState.CAPTURED,
    _S.REJECTED: CreditState.RELEASED,
    _S.FAILED: CreditState.RELEASED,
    _S.SUPPRESSED: CreditState.RELEASED,
    _S.CANCELLED: CreditState.RELEASED,
    _S.UNCONFIRMED: CreditState.RELEASED,
}

ALLOWED_MOVES: Final[dict[MessageState, frozenset[MessageState]]] = {
    _S.QUEUED: frozenset({_S.CLAIMED, _S.SUPPRESSED, _S.CANCELLED, _S.FAILED}),
    _S.CLAIMED: frozenset({_S.SUBMITTING, _S.QUEUED, _S.SUPPRESSED, _S.CANCELLED, _S.FAILED}),
    _S.SUBMITTING: frozenset({_S.ACCEPTED, _S.QUEUED, _S.REJECTED, _S.UNKNOWN}),
    _S.ACCEPTED: frozenset({_S.DELIVERED, _S.UNDELIVERED, _S.EXPIRED}),
    _S.UNKNOWN: frozenset({_S.ACCEPTED, _S.DELIVERED, _S.UNDELIVERED, _S.UNCONFIRMED, _S.QUEUED, _S.REJECTED}),
    _S.DELIVERED: frozenset(),
    _S.UNDELIVERED: frozenset({_S.DELIVERED}),
    _S.EXPIRED: frozenset({_S.DELIVERED}),
    _S.REJECTED: frozenset(),
    _S.FAILED: frozenset(),
    _S.SUPPRESSED: frozenset(),
    _S.CANCELLED: frozenset(),
    _S.UNCONFIRMED: frozenset({_S.DELIVERED}),
}


def can_move(before: MessageState | str, after: MessageState | str) -> bool:
    """Whether the table of moves has this one. Staying is no move."""
    return MessageState(after) in ALLOWED_MOVES[MessageState(before)]


RANK: Final = {
    _S.DELIVERED: 4,
    **dict.fromkeys(TERMINAL_STATES - {_S.DELIVERED}, 3),
    _S.ACCEPTED: 2,
    _S.UNKNOWN: 1,
    _S.SUBMITTING: 0,
    _S.CLAIMED: -1,
    _S.QUEUED: -2,
}
"""Of several pieces of news about one message the highest rank is believed."""


class StateGroup(StrEnum):
    """The few groups that reports and filters show."""

    QUEUED = "queued"
    WAITING = "waiting"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    NOT_SENT = "not_sent"


STATE_GROUPS: Final[dict[StateGroup, frozenset[MessageState]]] = {
    StateGroup.QUEUED: frozenset({_S.QUEUED, _S.CLAIMED, _S.SUBMITTING}),
    StateGroup.WAITING: frozenset({_S.ACCEPTED, _S.UNKNOWN}),
    StateGroup.DELIVERED: frozenset({_S.DELIVERED}),
    StateGroup.UNDELIVERED: frozenset({_S.UNDELIVERED, _S.EXPIRED, _S.UNCONFIRMED}),
    StateGroup.NOT_SENT: frozenset({_S.REJECTED, _S.FAILED, _S.SUPPRESSED, _S.CANCELLED}),
}
GROUP_OF: Final = {state: group for group, states in STATE_GROUPS.items() for state in states}
