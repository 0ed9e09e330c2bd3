"""Vonage SMS API: statuses of an answer and of a receipt, beside what they mean to us.

Everything comes with HTTP 200.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from gateways.types import DeliveryState, Reason

TAKEN = "0"
WAIT = re.compile(r"wait \[\s*(\d{1,7})\s*\]")
"""``Throughput Rate Exceeded - please wait [ 250 ] and retry``: milliseconds."""


class Refusal(NamedTuple):
    """``kind``: login, deferred or rejected."""

    kind: str
    reason: Reason
    retry_after_seconds: float = 0.0


SEND = {
    "1": Refusal("deferred", Reason.THROTTLED),
    "2": Refusal("rejected", Reason.BAD_CONTENT),
    "3": Refusal("rejected", Reason.BAD_CONTENT),
    "4": Refusal("login", Reason.LOGIN),
    "5": Refusal("deferred", Reason.SYSTEM, 30.0),
    "6": Refusal("rejected", Reason.NO_ROUTE),
    "7": Refusal("rejected", Reason.REFUSED),
    "8": Refusal("login", Reason.LOGIN),
    # The account has run dry: people can help, the messages are good.
    "9": Refusal("deferred", Reason.NO_BALANCE, 60.0),
    "10": Refusal("deferred", Reason.THROTTLED),
    "11": Refusal("login", Reason.LOGIN),
    "12": Refusal("rejected", Reason.BAD_CONTENT),
    "14": Refusal("login", Reason.LOGIN),
    "15": Refusal("rejected", Reason.BAD_SENDER),
    "22": Refusal("rejected", Reason.NO_ROUTE),
    "23": Refusal("rejected", Reason.OTHER),
    "29": Refusal("rejected", Reason.REFUSED),
    "32": Refusal("login", Reason.LOGIN),
    "33": Refusal("rejected", Reason.UNKNOWN_SUBSCRIBER),
}

_D, _U, _A = DeliveryState.DELIVERED, DeliveryState.UNDELIVERED, DeliveryState.ACCEPTED
STATUS = {
    "accepted": (_A, Reason.NONE),
    "buffered": (_A, Reason.NONE),
    "submitted": (_A, Reason.NONE),
    "delivered": (_D, Reason.NONE),
    "expired": (_U, Reason.EXPIRED),
    "failed": (_U, Reason.OTHER),
    "rejected": (_U, Reason.REFUSED),
}
ERROR = {
    "2": Reason.ABSENT_SUBSCRIBER,
    "3": Reason.UNKNOWN_SUBSCRIBER,
    "4": Reason.BLOCKED_BY_RECIPIENT,
    "5": Reason.NETWORK,
    "6": Reason.REFUSED,
    "7": Reason.ABSENT_SUBSCRIBER,
    "8": Reason.NETWORK,
    "9": Reason.BAD_ADDRESS,
    "10": Reason.BAD_CONTENT,
    "11": Reason.NO_ROUTE,
    "12": Reason.ABSENT_SUBSCRIBER,
    "13": Reason.REFUSED,
    "14": Reason.REFUSED,
    "15": Reason.NO_BALANCE,
}


def read_wait(text: str) -> float:
    """Seconds that an error text asks us to wait; 0.0 if it names none."""
    found = WAIT.search(text)
    return int(found[1]) / 1000 if found else 0.0


def read_status(status: str, error: str) -> tuple[DeliveryState, Reason, str]:
    """State, reason and code. ``unknown`` and what is not in the table move nothing."""
    state, reason = STATUS.get(status, (DeliveryState.UNKNOWN, Reason.NONE))
    if state is DeliveryState.UNDELIVERED:
        reason = ERROR.get(error, reason)
    return state, reason, f"{status}/{error}" if error not in ("", "0") else status
