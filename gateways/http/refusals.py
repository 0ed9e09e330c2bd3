"""What a provider's code for a whole call means, as a row of an adapter's table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gateways.base import Deferred, GatewayError, LoginRefused, OutcomeUnknown, Rejected
from gateways.http.messages import HttpAnswer
from gateways.types import OutboundMessage, Reason
from smscore.encoding import needs_unicode

LOGIN, DEFERRED, REJECTED = "login", "deferred", "rejected"


class Refusal(NamedTuple):
    """Nothing of the call was taken. ``kind``: LOGIN, DEFERRED (not before ``retry_after_seconds``) or REJECTED;
    ``spoiled``: one message of many may be the cause."""

    kind: str
    reason: Reason
    retry_after_seconds: float = 0.0
    spoiled: bool = False


def find_refusal(table: Mapping[str, Refusal], code: str, answer: HttpAnswer) -> GatewayError:
    """The error for this code. One that is not in the table proves nothing: the answer is kept."""
    refusal = table.get(code)
    if refusal is None:
        return OutcomeUnknown("unknown code", code=code, reason=Reason.OTHER, evidence=answer.evidence)
    return make_error(refusal, code)


def make_error(refusal: Refusal, code: str, evidence: str = "") -> GatewayError:
    """What a refusal means for a whole call. ``code``: the provider's, or its text where it has none."""
    if refusal.kind == LOGIN:
        return LoginRefused("login refused", code=code, reason=Reason.LOGIN)
    if refusal.kind == DEFERRED:
        wait = refusal.retry_after_seconds
        return Deferred("not now", code=code, reason=refusal.reason, retry_after_seconds=wait)
    return Rejected("refused", code=code, reason=refusal.reason, evidence=evidence, spoiled=refusal.spoiled)


def refuse_unicode(messages: Sequence[OutboundMessage]) -> None:
    """For providers that carry GSM-7 and Turkish only. Raises Rejected; ``group_key`` keeps others out of the call."""
    if any(needs_unicode(message.text) for message in messages):
        raise Rejected("beyond Turkish letters", code="ucs2", reason=Reason.BAD_CONTENT)
