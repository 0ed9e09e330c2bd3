"""İleti Merkezi: its codes, beside what they mean to us. They come as texts or as numbers: compared as texts."""

from __future__ import annotations

import re

from gateways.base import Deferred, GatewayError, OutcomeUnknown
from gateways.http.messages import HttpAnswer
from gateways.http.refusals import DEFERRED, LOGIN, REJECTED, Refusal, find_refusal
from gateways.types import DeliveryState, Reason

DONE = "200"
NO_ORDER, NOT_BEGUN = "455", "456"
SERVER_ERROR = "503"

_XML_CODE = re.compile(r"<status>\s*<code>\s*(\d{3})\s*</code>")
_XML_ORDER = re.compile(r"<order>\s*<id>\s*(\d{1,20})\s*</id>")


REFUSALS = {
    "400": Refusal(REJECTED, Reason.OTHER, spoiled=True),
    "401": Refusal(LOGIN, Reason.LOGIN),
    "402": Refusal(DEFERRED, Reason.NO_BALANCE, 300.0),
    "404": Refusal(REJECTED, Reason.OTHER),
    "450": Refusal(REJECTED, Reason.BAD_SENDER),
    # The same text to the same numbers within ten minutes. Not in halves: those would be new orders.
    "451": Refusal(REJECTED, Reason.REFUSED),
    "452": Refusal(REJECTED, Reason.BAD_ADDRESS, spoiled=True),
    "453": Refusal(REJECTED, Reason.BAD_CONTENT, spoiled=True),
    "454": Refusal(REJECTED, Reason.BAD_CONTENT, spoiled=True),
    "455": Refusal(REJECTED, Reason.OTHER),
    "457": Refusal(REJECTED, Reason.OTHER),
    "458": Refusal(REJECTED, Reason.OTHER),
    "466": Refusal(REJECTED, Reason.BAD_ADDRESS, spoiled=True),
    "468": Refusal(REJECTED, Reason.REFUSED),
    "469": Refusal(REJECTED, Reason.REFUSED),
    "470": Refusal(REJECTED, Reason.REFUSED),
}

_D, _U, _A = DeliveryState.DELIVERED, DeliveryState.UNDELIVERED, DeliveryState.ACCEPTED
SENDING, SENT, ORDER_FAILED = "110", "111", "115"
STATUS = {
    SENDING: (_A, Reason.NONE),
    SENT: (_D, Reason.NONE),
    "112": (_U, Reason.OTHER),
    ORDER_FAILED: (_U, Reason.OTHER),
    "accepted": (_A, Reason.NONE),
    "delivered": (_D, Reason.NONE),
    "undelivered": (_U, Reason.OTHER),
}


def find_state(status: str, *, sent_is_delivered: bool) -> tuple[DeliveryState, Reason]:
    """What a report's number or a webhook's word says."""
    if status == SENT and not sent_is_delivered:
        return _A, Reason.NONE
    return STATUS.get(status, (DeliveryState.UNKNOWN, Reason.NONE))


def read_code(answer: HttpAnswer) -> str:
    """The code in an answer, JSON or XML; empty if there is none."""
    found = _XML_CODE.search(answer.text)
    if found:
        return found[1]
    try:
        return str(int(answer.object()["response"]["status"]["code"]))
    except (LookupError, ValueError, TypeError):
        return ""


def read_order(answer: HttpAnswer) -> str:
    """The order id of an accepted XML order. Raises ValueError."""
    found = _XML_ORDER.search(answer.text)
    if not found:
        raise ValueError("no order")
    return found[1]


def find_error(code: str, answer: HttpAnswer, *, retries_server_error: bool) -> GatewayError:
    """What a code means for a whole call."""
    if code != SERVER_ERROR:
        return find_refusal(REFUSALS, code, answer)
    if retries_server_error:
        return Deferred("out of service", code=code, reason=Reason.SYSTEM, retry_after_seconds=30.0)
    return OutcomeUnknown("out of service", code=code, reason=Reason.SYSTEM, evidence=answer.evidence)
