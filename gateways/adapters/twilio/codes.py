"""Twilio: statuses, refusals of a request, and errors of a message, beside what they mean to us."""

from __future__ import annotations

from typing import NamedTuple

from gateways.base import Deferred, GatewayError, OutcomeUnknown, Rejected
from gateways.http.messages import HttpAnswer
from gateways.types import DeliveryState, Reason

_D, _U, _A = DeliveryState.DELIVERED, DeliveryState.UNDELIVERED, DeliveryState.ACCEPTED
STATUS = {
    "accepted": (_A, Reason.NONE),
    "scheduled": (_A, Reason.NONE),
    "queued": (_A, Reason.NONE),
    "sending": (_A, Reason.NONE),
    "sent": (_A, Reason.NONE),
    "delivered": (_D, Reason.NONE),
    "partially_delivered": (_D, Reason.NONE),
    "read": (_D, Reason.NONE),
    "undelivered": (_U, Reason.OTHER),
    "failed": (_U, Reason.REFUSED),
    "canceled": (_U, Reason.DELETED),
}
ERROR = {
    "30003": Reason.ABSENT_SUBSCRIBER,
    "30004": Reason.BLOCKED_BY_RECIPIENT,
    "30005": Reason.UNKNOWN_SUBSCRIBER,
    "30006": Reason.NO_ROUTE,
    "30007": Reason.REFUSED,
    "30008": Reason.NETWORK,
    "30036": Reason.EXPIRED,
}


class Refusal(NamedTuple):
    """``for_now``: nothing was taken, later it may be."""

    reason: Reason
    for_now: bool = False


SEND = {
    "21211": Refusal(Reason.BAD_ADDRESS),
    "21614": Refusal(Reason.BAD_ADDRESS),
    "21610": Refusal(Reason.BLOCKED_BY_RECIPIENT),
    "21408": Refusal(Reason.NO_ROUTE),
    "21612": Refusal(Reason.NO_ROUTE),
    "21606": Refusal(Reason.BAD_SENDER),
    "21212": Refusal(Reason.BAD_SENDER),
    "21611": Refusal(Reason.QUEUE_FULL, for_now=True),
    "20429": Refusal(Reason.THROTTLED, for_now=True),
}


def find_refusal(answer: HttpAnswer) -> GatewayError:
    """What a 4xx means. In Twilio's own error body it says that no message was made, also with a code that is not in
    the table; any other body proves nothing. Raises ValueError or KeyError for a body of another shape."""
    body = answer.object()
    code = str(body["code"])
    if not 400 <= int(body.get("status") or answer.status) < 500:
        return OutcomeUnknown("unknown answer", code=code, reason=Reason.OTHER, evidence=answer.evidence)
    refusal = SEND.get(code, Refusal(Reason.OTHER))
    if refusal.for_now:
        return Deferred("not now", code=code, reason=refusal.reason)
    return Rejected("refused", code=code, reason=refusal.reason, evidence=answer.evidence)


def read_status(status: str, error: str) -> tuple[DeliveryState, Reason, str]:
    """State, reason and code. A status that is not in the table moves nothing."""
    state, reason = STATUS.get(status, (DeliveryState.UNKNOWN, Reason.NONE))
    if state is DeliveryState.UNDELIVERED:
        reason = ERROR.get(error, reason)
    return state, reason, f"{status}/{error}" if error else status
