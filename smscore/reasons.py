"""Why a message was not delivered or not sent, and what a network's answer asks us to do."""

from enum import StrEnum
from typing import Final, NamedTuple

from smscore.status import MessageState


class FailureReason(StrEnum):
    """The classes of reasons that reports show. Adapters map their provider's codes to these."""

    EXPIRED = "expired"
    """The network tried until the validity period ended: handset off or out of reach."""
    REFUSED = "refused"
    """The operator refused it after accepting it (filter, block on the line)."""
    DELETED = "deleted"
    UNKNOWN_SUBSCRIBER = "unknown_subscriber"
    """The number is not in use."""
    ABSENT_SUBSCRIBER = "absent_subscriber"
    BLOCKED_BY_RECIPIENT = "blocked_by_recipient"
    HANDSET_FULL = "handset_full"
    NO_CONSENT = "no_consent"
    NETWORK = "network"
    BAD_ADDRESS = "bad_address"
    BAD_SENDER = "bad_sender"
    BAD_CONTENT = "bad_content"
    NO_ROUTE = "no_route"
    NO_BALANCE = "no_balance"
    """The gateway account has run dry, not the tenant."""
    THROTTLED = "throttled"
    DEADLINE = "deadline"
    """Ours: the send deadline passed before any gateway accepted it."""
    NO_RECEIPT = "no_receipt"
    OTHER = "other"


class Verdict(StrEnum):
    """What an answer to a submit means for trying again."""

    ACCEPTED = "accepted"
    RETRY_LATER = "retry_later"
    """Not taken now; the message stays good."""
    SLOW_DOWN = "slow_down"
    """Not taken because we are too fast; uses up no retry."""
    PERMANENT = "permanent"
    OUTCOME_UNKNOWN = "outcome_unknown"
    """It may have been taken: never repeat it."""


class ReceiptMeaning(NamedTuple):
    """What a receipt's word moves a message to; state None for words that move nothing."""

    state: MessageState | None
    reason: FailureReason | None = None


RECEIPT_WORDS: Final[dict[str, ReceiptMeaning]] = {
    "ENROUTE": ReceiptMeaning(None),
    "ACCEPTD": ReceiptMeaning(None),
    "SCHEDULED": ReceiptMeaning(None),
    "DELIVRD": ReceiptMeaning(MessageState.DELIVERED),
    "UNDELIV": ReceiptMeaning(MessageState.UNDELIVERED, FailureReason.OTHER),
    "DELETED": ReceiptMeaning(MessageState.UNDELIVERED, FailureReason.DELETED),
    "EXPIRED": ReceiptMeaning(MessageState.UNDELIVERED, FailureReason.EXPIRED),
    "REJECTD": ReceiptMeaning(MessageState.UNDELIVERED, FailureReason.REFUSED),
    "UNKNOWN": ReceiptMeaning(None),
}
"""The words of an SMPP receipt's `stat:`."""

# SMPP 3.4 §5.2.28, the TLV message_state, which wins over the text.
RECEIPT_STATE_NUMBERS: Final[dict[int, str]] = {
    1: "ENROUTE",
    2: "DELIVRD",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    6: "ACCEPTD",
    7: "UNKNOWN",
    8: "REJECTD",
}


def read_receipt_word(word: str) -> ReceiptMeaning:
    """Return what a receipt word means.

    A word we do not know moves nothing, and is to be stored and reported.
    """
    return RECEIPT_WORDS.get(word.strip().upper(), _MOVES_NOTHING)


_MOVES_NOTHING: Final = ReceiptMeaning(None)
