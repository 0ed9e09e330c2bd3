"""Mutlucell: its bare numbers, beside what they mean to us. The statuses from 15 on are known from clients only."""

from __future__ import annotations

import re

from gateways.http.messages import HttpAnswer
from gateways.http.refusals import DEFERRED, LOGIN, REJECTED, Refusal
from gateways.types import DeliveryState, Reason

_ERROR = re.compile(r"[0-9]{1,3}")
_PACKET = re.compile(r"\$([0-9]{1,20})#([0-9]+(?:[.,][0-9]+)?)")
_NUMBER = re.compile(r"\$?([0-9]+(?:\.[0-9]+)?)")


REFUSALS = {
    "20": Refusal(REJECTED, Reason.OTHER, spoiled=True),
    "21": Refusal(REJECTED, Reason.BAD_SENDER),
    "22": Refusal(DEFERRED, Reason.NO_BALANCE, 300.0),
    "23": Refusal(LOGIN, Reason.LOGIN),
    "24": Refusal(DEFERRED, Reason.THROTTLED),  # another of our calls is still being worked on
    "25": Refusal(DEFERRED, Reason.THROTTLED, 30.0),
    "30": Refusal(LOGIN, Reason.LOGIN),
}

_D, _U, _A = DeliveryState.DELIVERED, DeliveryState.UNDELIVERED, DeliveryState.ACCEPTED
STATUS = {
    "0": (_U, Reason.OTHER),
    "1": (_A, Reason.NONE),
    "2": (_A, Reason.NONE),
    "3": (_D, Reason.NONE),
    "4": (_A, Reason.NONE),
    "5": (_U, Reason.EXPIRED),
    "6": (_U, Reason.OTHER),
    "7": (_U, Reason.REFUSED),
    # 11 says "unknown" itself: like every number that is not here, it moves nothing.
    "12": (_U, Reason.UNKNOWN_SUBSCRIBER),
    "13": (_U, Reason.OTHER),
    "15": (_U, Reason.UNKNOWN_SUBSCRIBER),
    "16": (_U, Reason.BLOCKED_BY_RECIPIENT),
    "17": (_U, Reason.HANDSET_FULL),
    "18": (_U, Reason.ABSENT_SUBSCRIBER),
    "19": (_U, Reason.BLOCKED_BY_RECIPIENT),
    "20": (_U, Reason.NETWORK),
}


def read_error(answer: HttpAnswer) -> str:
    """The bare number of an answer that is nothing else; empty if it is something else."""
    text = answer.text.strip()
    return text if _ERROR.fullmatch(text) else ""


def read_packet(answer: HttpAnswer) -> str:
    """The packet id in ``$<packet id>#<cost>``. Raises ValueError."""
    found = _PACKET.fullmatch(answer.text.strip())
    if not found:
        raise ValueError("no packet")
    return found[1]


def read_number(answer: HttpAnswer) -> str:
    """``$1986.0`` → ``1986.0``. Raises ValueError."""
    found = _NUMBER.fullmatch(answer.text.strip())
    if not found:
        raise ValueError("no number")
    return found[1]
