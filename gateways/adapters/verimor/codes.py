"""Verimor: its words and numbers, beside what they mean to us (its user guide of September 2025)."""

from __future__ import annotations

import re

from gateways.base import GatewayError, OutcomeUnknown, Rejected
from gateways.http.messages import HttpAnswer
from gateways.http.refusals import DEFERRED, REJECTED, Refusal, find_refusal
from gateways.types import DeliveryState, OutboundMessage, Reason

_WORD = re.compile(r"[A-Z][A-Z0-9_]{2,59}\b")


_TEXT, _NUMBER = (
    Refusal(REJECTED, Reason.BAD_CONTENT, spoiled=True),
    Refusal(REJECTED, Reason.BAD_ADDRESS, spoiled=True),
)
REFUSALS = {
    "INVALID_SOURCE_ADDRESS": Refusal(REJECTED, Reason.BAD_SENDER),
    "MISSING_MESSAGE": _TEXT,
    "MESSAGE_TOO_LONG": _TEXT,
    "FORBIDDEN_MESSAGE": _TEXT,
    "INVALID_DATACODING": _TEXT,
    "INVALID_UTF8": _TEXT,
    "INVALID_JSON": Refusal(REJECTED, Reason.OTHER, spoiled=True),
    "INVALID_PERIOD": Refusal(REJECTED, Reason.OTHER),
    "INVALID_DELIVERY_TIME": Refusal(REJECTED, Reason.OTHER),
    "MISSING_IYS_BRAND_CODE": Refusal(REJECTED, Reason.REFUSED),
    "AHS_AUTHORIZATION_ERROR": Refusal(REJECTED, Reason.REFUSED),
    "NO_AHS_BRAND_ERROR": Refusal(REJECTED, Reason.REFUSED),
    "INVALID_IYS_RECIPIENT_TYPE": Refusal(REJECTED, Reason.REFUSED),
    "MISSING_DESTINATION_ADDRESS": _NUMBER,
    "INVALID_DESTINATION_ADDRESS": _NUMBER,
    "MUKERRER_RAPORLAMA": Refusal(REJECTED, Reason.REFUSED, spoiled=True),  # the same message within 24 hours
    "INSUFFICIENT_CREDITS": Refusal(DEFERRED, Reason.NO_BALANCE, 300.0),
    "MESSAGE_COUNT_LIMIT_EXCEEDED": Refusal(REJECTED, Reason.OTHER, spoiled=True),  # in halves
}

_D, _U, _A = DeliveryState.DELIVERED, DeliveryState.UNDELIVERED, DeliveryState.ACCEPTED
SENT = "SENT"
"""Handed over, on a route without receipts: nobody will ever confirm it."""
STATUS = {
    "SENDING": (_A, Reason.NONE),
    "WAITING": (_A, Reason.NONE),
    SENT: (_A, Reason.NONE),
    "DELIVERED": (_D, Reason.NONE),
    "NOT_DELIVERED": (_U, Reason.OTHER),
    "EXPIRED": (_U, Reason.EXPIRED),
    "INVALID_DESTINATION_ADDRESS": (_U, Reason.BAD_ADDRESS),
    "REJECTED": (_U, Reason.REFUSED),
    "DOUBLE_SEND_ERROR": (_U, Reason.REFUSED),
    "BLACKLISTED_DESTINATION_ADDRESS": (_U, Reason.BLOCKED_BY_RECIPIENT),
    "NOT_ALLOWED_BY_IYS": (_U, Reason.NO_CONSENT),
    "MISSING_TARIFF": (_U, Reason.NO_ROUTE),
    "ROUTE_NOT_AVAILABLE": (_U, Reason.NO_ROUTE),
    "NETWORK_NOTCOVERED": (_U, Reason.NO_ROUTE),
    "INTERNATIONAL_DENIED": (_U, Reason.NO_ROUTE),
    "SEND_ERROR": (_U, Reason.NETWORK),
}
# Says more than these statuses do.
VAGUE = frozenset({"NOT_DELIVERED", "REJECTED", "SEND_ERROR"})
GSM_ERROR = {
    "1": Reason.UNKNOWN_SUBSCRIBER,
    "6": Reason.ABSENT_SUBSCRIBER,
    "11": Reason.BLOCKED_BY_RECIPIENT,
    "13": Reason.BLOCKED_BY_RECIPIENT,
    "27": Reason.ABSENT_SUBSCRIBER,
    "31": Reason.ABSENT_SUBSCRIBER,
    "32": Reason.NETWORK,
    "34": Reason.NETWORK,
    "256": Reason.HANDSET_FULL,
    "257": Reason.OTHER,
    "258": Reason.OTHER,
    "500": Reason.NETWORK,
    "502": Reason.NETWORK,
    "2048": Reason.NETWORK,
    **dict.fromkeys(("2049", "2050", "2051", "2052", "2053"), Reason.BLOCKED_BY_RECIPIENT),
    "4100": Reason.EXPIRED,
    "4101": Reason.EXPIRED,
    "4103": Reason.REFUSED,
    "4104": Reason.REFUSED,
}


def find_state(status: str, error: str, *, sent_is_delivered: bool) -> tuple[DeliveryState, Reason]:
    """What a report's status and ``gsm_error`` say."""
    if status == SENT and sent_is_delivered:
        return _D, Reason.NONE
    state, reason = STATUS.get(status, (DeliveryState.UNKNOWN, Reason.NONE))
    return state, GSM_ERROR.get(error, reason) if status in VAGUE else reason


def find_error(answer: HttpAnswer) -> GatewayError:
    """What an answer that is no campaign id means. Only a 400 with a word of the table proves anything."""
    if answer.status == 413:
        return Rejected("too large", code="413", spoiled=True)
    word = _WORD.match(answer.text.strip())
    if answer.status != 400 or word is None:
        code = str(answer.status)
        return OutcomeUnknown("no campaign", code=code, reason=Reason.MALFORMED, evidence=answer.evidence)
    return find_refusal(REFUSALS, word.group(), answer)


def is_not_theirs(answer: HttpAnswer) -> bool:
    """A 401 to a question that is no matter of the login: the campaign belongs to another account."""
    return answer.status == 401 and "size ait" in answer.text


def find_coding(message: OutboundMessage) -> str:
    """Their ``datacoding``: 0 GSM-7, 1 Turkish, which must not be used abroad, 2 UCS-2."""
    if message.encoding == "gsm7":
        return "0"
    is_national = message.encoding.startswith("gsm7-tr") and message.msisdn.startswith("+90")
    return "1" if is_national else "2"
