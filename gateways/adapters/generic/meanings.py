"""Tables of settings: what a provider's codes mean to us, in words.

Refusals: ``login`` · ``throttled [seconds]`` · ``later [seconds]`` · ``refused REASON [one]`` (``one``: a single
message of a call may be the cause). Statuses: ``delivered`` · ``undelivered [REASON]`` · ``accepted`` (on its way).
REASON: a value of ``gateways.types.Reason`` that may end a message.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from gateways.base import BadSettings, GatewayError
from gateways.http.messages import HttpAnswer
from gateways.http.refusals import DEFERRED, LOGIN, REJECTED, Refusal, find_refusal
from gateways.types import DeliveryState, Reason
from smscore.reasons import FailureReason

LONGEST_WAIT = 3600.0
_REASONS = {str(reason): reason for reason in Reason if reason and str(reason) in {str(r) for r in FailureReason}}


class Status(NamedTuple):
    state: DeliveryState
    reason: Reason = Reason.NONE


def parse_refusals(table: Mapping[str, str], field: str) -> dict[str, Refusal]:
    """Raises BadSettings naming the row."""
    return {code: _parse_refusal(words.split(), f"{field}.{code}") for code, words in table.items()}


def parse_statuses(table: Mapping[str, str], field: str) -> dict[str, Status]:
    return {code: _parse_status(words.split(), f"{field}.{code}") for code, words in table.items()}


def parse_reasons(table: Mapping[str, str], field: str) -> dict[str, Reason]:
    return {code: _parse_reason(word, f"{field}.{code}") for code, word in table.items()}


def find_error(refusals: Mapping[str, Refusal], code: str, answer: HttpAnswer) -> GatewayError:
    """By the code in the body, else by ``HTTP 400``. What is not in the table proves nothing."""
    said = code or str(answer.status)
    refusal = refusals.get(code) or refusals.get(f"HTTP {answer.status}")
    return find_refusal({said: refusal} if refusal else {}, said, answer)


def _parse_refusal(words: list[str], field: str) -> Refusal:
    match words:
        case ["login"]:
            return Refusal(LOGIN, Reason.LOGIN)
        case ["throttled" | "later" as kind, *rest] if len(rest) <= 1:
            reason = Reason.THROTTLED if kind == "throttled" else Reason.SYSTEM
            return Refusal(DEFERRED, reason, _parse_seconds(rest[0], field) if rest else 0.0)
        case ["refused", reason, *rest] if rest in ([], ["one"]):
            return Refusal(REJECTED, _parse_reason(reason, field), spoiled=bool(rest))
    raise BadSettings(f"{field}: login, throttled [seconds], later [seconds] or refused REASON [one]")


def _parse_status(words: list[str], field: str) -> Status:
    match words:
        case ["delivered"]:
            return Status(DeliveryState.DELIVERED)
        case ["accepted"]:
            return Status(DeliveryState.ACCEPTED)
        case ["undelivered"]:
            return Status(DeliveryState.UNDELIVERED, Reason.OTHER)
        case ["undelivered", reason]:
            return Status(DeliveryState.UNDELIVERED, _parse_reason(reason, field))
    raise BadSettings(f"{field}: delivered, undelivered [REASON] or accepted")


def _parse_reason(word: str, field: str) -> Reason:
    if word not in _REASONS:
        raise BadSettings(f"{field}: {word} is no reason; there are {', '.join(sorted(_REASONS))}")
    return _REASONS[word]


def _parse_seconds(word: str, field: str) -> float:
    if not word.isascii() or not word.isdigit() or not 0 < int(word[:6]) <= LONGEST_WAIT:
        raise BadSettings(f"{field}: {word} is no number of seconds up to {LONGEST_WAIT:.0f}")
    return float(word)
