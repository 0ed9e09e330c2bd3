"""İleti Merkezi: its codes, beside what they mean to us. They come as texts or as numbers: compared as texts."""

from __future__ import annotations

import re
from typing import NamedTuple

from gateways.base import Deferred, GatewayError, LoginRefused, OutcomeUnknown, Rejected
from gateways.http.messages import HttpAnswer
from gateways.types import DeliveryState, Reason

DONE = "200"
NO_ORDER, NOT_BEGUN = "455", "456"
SERVER_ERROR = "503"

_XML_CODE = re.compile(r"<status>\s*<code>\s*(\d{3})\s*</code>")
_XML_ORDER = re.compile(r"<order>\s*<id>\s*(\d{1,20})\s*</id>")


class Refusal(NamedTuple):
    """``kind``: login, deferred or rejected; ``spoiled``: one message of many may be the cause."""

    kind: str
    reason: Reason
    retry_after_seconds: float = 0.0
    spoiled: bool = False


REFUSALS = {
    "400": Refusal("rejected", Reason.OTHER, spoiled=True),
    "401": Refusal("login", Reason.LOGIN),
    "402": Refusal("deferred", Reason.NO_BALANCE, 300.0),
    "404": Refusal("rejected", Reason.OTHER),
    "450": Refusal("rejected", Reason.BAD_SENDER),
    # The same text to the same numbers within ten minutes. Not in halves: those would be new orders.
    "451": Refusal("rejected", Reason.REFUSED),
    "452": Refusal("rejected", Reason.BAD_ADDRESS, spoiled=True),
    "453": Refusal("rejected", Reason.BAD_CONTENT, spoiled=True),
    "454": Refusal("rejected", Reason.BAD_CONTENT, spoiled=True),
    "455": Refusal("rejected", Reason.OTHER),
    "457": Refusal("rejected", Reason.OTHER),
    "458": Refusal("rejected", Reason.OTHER),
    "466": Refusal("rejected", Reason.BAD_ADDRESS, spoiled=True),
    "468": Refusal("rejected", Reason.REFUSED),
    "469": Refusal("rejected", Reason.REFUSED),
    "470": Refusal("rejected", Reason.REFUSED),
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


def find_refusal(code: str, answer: HttpAnswer, *, retries_server_error: bool = False) -> GatewayError:
    """What a code means for a whole call. One that is not in the table proves nothing."""
    if code == SERVER_ERROR and retries_server_error:
        return Deferred("out of service", code=code, reason=Reason.SYSTEM, retry_after_seconds=30.0)
    refusal = REFUSALS.get(code)
    if refusal is None:
        reason = Reason.SYSTEM if code == SERVER_ERROR else Reason.OTHER
        return OutcomeUnknown("unknown code", code=code, reason=reason, evidence=answer.evidence)
    if refusal.kind == "login":
        return LoginRefused("login refused", code=code, reason=Reason.LOGIN)
    if refusal.kind == "deferred":
        wait = refusal.retry_after_seconds
        return Deferred("not now", code=code, reason=refusal.reason, retry_after_seconds=wait)
    return Rejected("refused", code=code, reason=refusal.reason, spoiled=refusal.spoiled)
