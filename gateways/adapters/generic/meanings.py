"""Tables of settings: what a provider's codes mean to us, in words.

Refusals: ``login`` · ``throttled [seconds]`` · ``later [seconds]`` · ``refused REASON [one]`` (``one``: a single
message of a call may be the cause). Statuses: ``delivered`` · ``undelivered [REASON]`` · ``accepted`` (on its way).
REASON: a value of ``gateways.types.Reason`` that may end a message.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from gateways.base import BadSettings, Deferred, GatewayError, LoginRefused, OutcomeUnknown, Rejected
from gateways.types import DeliveryState, Reason
from smscore.reasons import FailureReason

LONGEST_WAIT = 3600.0
_REASONS = {str(reason): reason for reason in Reason if reason and str(reason) in {str(r) for r in FailureReason}}


class Refusal(NamedTuple):
    kind: str
    reason: Reason = Reason.NONE
    seconds: float = 0.0
    spoiled: bool = False

    def make_error(self, code: str) -> GatewayError:
        if self.kind == "login":
            return LoginRefused("login refused", code=code, reason=Reason.LOGIN)
        if self.kind == "refused":
            return Rejected("refused", code=code, reason=self.reason, spoiled=self.spoiled)
        return Deferred("not now", code=code, reason=self.reason, retry_after_seconds=self.seconds)


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


def find_refusal(refusals: Mapping[str, Refusal], code: str, status: int, evidence: str) -> GatewayError:
    """By the code in the body, else by ``HTTP 400``. What is not in the table proves nothing."""
    for key in (code, f"HTTP {status}"):
        if key and key in refusals:
            return refusals[key].make_error(code or str(status))
    return OutcomeUnknown("unknown code", code=code or str(status), reason=Reason.OTHER, evidence=evidence)


def _parse_refusal(words: list[str], field: str) -> Refusal:
    match words:
        case ["login"]:
            return Refusal("login", Reason.LOGIN)
        case ["throttled" | "later" as kind, *rest] if len(rest) <= 1:
            reason = Reason.THROTTLED if kind == "throttled" else Reason.SYSTEM
            return Refusal(kind, reason, _parse_seconds(rest[0], field) if rest else 0.0)
        case ["refused", reason, *rest] if rest in ([], ["one"]):
            return Refusal("refused", _parse_reason(reason, field), spoiled=bool(rest))
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
