"""A code's row decides what happens to the call; a code without a row proves nothing."""

import pytest

from gateways.base import Deferred, GatewayError, LoginRefused, OutcomeUnknown, Rejected
from gateways.http.messages import HttpAnswer
from gateways.http.refusals import DEFERRED, LOGIN, REJECTED, Refusal, find_refusal
from gateways.types import Reason

TABLE = {
    "30": Refusal(LOGIN, Reason.LOGIN),
    "80": Refusal(DEFERRED, Reason.THROTTLED, 7.0),
    "70": Refusal(REJECTED, Reason.BAD_ADDRESS, spoiled=True),
    "40": Refusal(REJECTED, Reason.BAD_SENDER),
}


@pytest.mark.parametrize(
    ("code", "kind", "reason"),
    [
        ("30", LoginRefused, Reason.LOGIN),
        ("80", Deferred, Reason.THROTTLED),
        ("70", Rejected, Reason.BAD_ADDRESS),
        ("40", Rejected, Reason.BAD_SENDER),
        ("99", OutcomeUnknown, Reason.OTHER),
    ],
)
def test_a_code_becomes_its_error(code: str, kind: type[GatewayError], reason: Reason) -> None:
    error = find_refusal(TABLE, code, HttpAnswer(200, b"code 99"))
    assert (type(error), error.code, error.reason) == (kind, code, reason)
    assert getattr(error, "retry_after_seconds", 7.0) == 7.0
    assert getattr(error, "spoiled", code == "70") == (code == "70")
    assert ("code 99" in error.evidence) == (code == "99")
