"""Netgsm REST v2: its codes, beside what they mean to us. Codes are texts with leading zeros, never numbers."""

from __future__ import annotations

from gateways.http.refusals import DEFERRED, LOGIN, REJECTED, Refusal
from gateways.types import DeliveryState, Reason

ACCEPTED = frozenset({"00", "01", "02"})
"""01 and 02: accepted, but a start or stop date was replaced by the time of day (older API)."""

SEND = {
    "20": Refusal(REJECTED, Reason.BAD_CONTENT, spoiled=True),
    "30": Refusal(LOGIN, Reason.LOGIN),
    "40": Refusal(REJECTED, Reason.BAD_SENDER),
    "50": Refusal(REJECTED, Reason.REFUSED),
    "51": Refusal(REJECTED, Reason.REFUSED),
    "70": Refusal(REJECTED, Reason.BAD_ADDRESS, spoiled=True),
    "80": Refusal(DEFERRED, Reason.THROTTLED),
    # More than 20 jobs for one number in a minute: that number's trouble, not our speed.
    "85": Refusal(DEFERRED, Reason.OTHER, 60.0),
    "100": Refusal(DEFERRED, Reason.SYSTEM, 30.0),
    "101": Refusal(DEFERRED, Reason.SYSTEM, 30.0),
}
NO_RECORDS = "60"
NO_INBOUND = "40"
"""Not 60: of the inbox it says that the span is too long, and what is in it was not looked at."""
QUERY_LIMIT = "80"

_D, _U, _A = DeliveryState.DELIVERED, DeliveryState.UNDELIVERED, DeliveryState.ACCEPTED
STATUS = {
    "0": (_A, Reason.NONE),
    "1": (_D, Reason.NONE),
    "2": (_U, Reason.EXPIRED),
    "3": (_U, Reason.BAD_ADDRESS),
    "4": (_U, Reason.NETWORK),
    "11": (_U, Reason.REFUSED),
    "12": (_U, Reason.NETWORK),
    "13": (_U, Reason.REFUSED),
    "14": (_U, Reason.NO_BALANCE),
    "15": (_U, Reason.BLOCKED_BY_RECIPIENT),
    "16": (_U, Reason.NO_CONSENT),
    "17": (_U, Reason.NO_CONSENT),
    "103": (_U, Reason.REFUSED),
}
# Says more than a status 2, 4, 11 or 12 does.
ERROR = {
    "101": Reason.HANDSET_FULL,
    "102": Reason.ABSENT_SUBSCRIBER,
    "103": Reason.ABSENT_SUBSCRIBER,
    "104": Reason.UNKNOWN_SUBSCRIBER,
    "105": Reason.BAD_ADDRESS,
    "106": Reason.BLOCKED_BY_RECIPIENT,
    "111": Reason.EXPIRED,
    "112": Reason.BLOCKED_BY_RECIPIENT,
    "113": Reason.REFUSED,
    "114": Reason.NO_ROUTE,
    "115": Reason.BLOCKED_BY_RECIPIENT,
    "116": Reason.UNKNOWN_SUBSCRIBER,
    "117": Reason.UNKNOWN_SUBSCRIBER,
    "119": Reason.NETWORK,
}
