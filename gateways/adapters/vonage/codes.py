"""Vonage SMS API: statuses of an answer and of a receipt, beside what they mean to us.

Everything comes with HTTP 200.
"""

from __future__ import annotations

import re

from gateways.http.refusals import DEFERRED, LOGIN, REJECTED, Refusal
from gateways.types import DeliveryState, Reason

TAKEN = "0"
WAIT = re.compile(r"wait \[\s*(\d{1,7})\s*\]")
"""``Throughput Rate Exceeded - please wait [ 250 ] and retry``: milliseconds."""


SEND = {
    "1": Refusal(DEFERRED, Reason.THROTTLED),
    "2": Refusal(REJECTED, Reason.BAD_CONTENT),
    "3": Refusal(REJECTED, Reason.BAD_CONTENT),
    "4": Refusal(LOGIN, Reason.LOGIN),
    "5": Refusal(DEFERRED, Reason.SYSTEM, 30.0),
    "6": Refusal(REJECTED, Reason.NO_ROUTE),
    "7": Refusal(REJECTED, Reason.REFUSED),
    "8": Refusal(LOGIN, Reason.LOGIN),
    # The account has run dry: people can help, the messages are good.
    "9": Refusal(DEFERRED, Reason.NO_BALANCE, 60.0),
    "10": Refusal(DEFERRED, Reason.THROTTLED),
    "11": Refusal(LOGIN, Reason.LOGIN),
    "12": Refusal(REJECTED, Reason.BAD_CONTENT),
    "14": Refusal(LOGIN, Reason.LOGIN),
    "15": Refusal(REJECTED, Reason.BAD_SENDER),
    "22": Refusal(REJECTED, Reason.NO_ROUTE),
    "23": Refusal(REJECTED, Reason.OTHER),
    "29": Refusal(REJECTED, Reason.REFUSED),
    "32": Refusal(LOGIN, Reason.LOGIN),
    "33": Refusal(REJECTED, Reason.UNKNOWN_SUBSCRIBER),
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
