"""Twilio: statuses, refusals of a request, and errors of a message, beside what they mean to us."""

from __future__ import annotations

from gateways.base import GatewayError, OutcomeUnknown, Rejected
from gateways.http.messages import HttpAnswer
from gateways.http.refusals import DEFERRED, REJECTED, Refusal, find_refusal
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


SEND = {
    "21211": Refusal(REJECTED, Reason.BAD_ADDRESS),
    "21614": Refusal(REJECTED, Reason.BAD_ADDRESS),
    "21610": Refusal(REJECTED, Reason.BLOCKED_BY_RECIPIENT),
    "21408": Refusal(REJECTED, Reason.NO_ROUTE),
    "21612": Refusal(REJECTED, Reason.NO_ROUTE),
    "21606": Refusal(REJECTED, Reason.BAD_SENDER),
    "21212": Refusal(REJECTED, Reason.BAD_SENDER),
    "21611": Refusal(DEFERRED, Reason.QUEUE_FULL),
    "20429": Refusal(DEFERRED, Reason.THROTTLED),
}


def read_refusal(answer: HttpAnswer) -> GatewayError:
    """What a 4xx means. In Twilio's own error body it says that no message was made, also with a code that is not in
    the table; any other body proves nothing. Raises ValueError or KeyError for a body of another shape."""
    body = answer.object()
    code = str(body["code"])
    if not 400 <= int(body.get("status") or answer.status) < 500:
        return OutcomeUnknown("unknown answer", code=code, reason=Reason.OTHER, evidence=answer.evidence)
    if code in SEND:
        return find_refusal(SEND, code, answer)
    return Rejected("refused", code=code, reason=Reason.OTHER, evidence=answer.evidence)


def read_status(status: str, error: str) -> tuple[DeliveryState, Reason, str]:
    """State, reason and code. A status that is not in the table moves nothing."""
    state, reason = STATUS.get(status, (DeliveryState.UNKNOWN, Reason.NONE))
    if state is DeliveryState.UNDELIVERED:
        reason = ERROR.get(error, reason)
    return state, reason, f"{status}/{error}" if error else status
