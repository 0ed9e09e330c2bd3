"""The status table says what reliability.md, section 5, says."""

import pytest

from gateways.adapters.smpp.codes import get_decision
from gateways.types import OutcomeKind, Reason
from smscore.reasons import FailureReason


@pytest.mark.parametrize("status", [0x58, 0x14])
def test_throttles_come_back_soon(status: int) -> None:
    decision = get_decision(status)
    assert decision.kind is OutcomeKind.DEFERRED
    assert 0 < decision.retry_after_seconds <= 5


@pytest.mark.parametrize("status", [0x08, 0x45, 0x64, 0xFF])
def test_system_errors_wait_half_a_minute(status: int) -> None:
    assert get_decision(status) == (OutcomeKind.DEFERRED, Reason.SYSTEM, 30.0)


@pytest.mark.parametrize("status", [0x01, 0x0A, 0x0B, 0x43, 0x48, 0x49, 0x50, 0x51, 0x61, 0x62, 0x65, 0x66, 0xC4])
def test_address_length_class_sender_are_permanent(status: int) -> None:
    assert get_decision(status).kind is OutcomeKind.REJECTED


def test_system_error_may_mean_unknown() -> None:
    assert get_decision(0x08, system_error_is_unknown=True).kind is OutcomeKind.UNKNOWN
    assert get_decision(0x45, system_error_is_unknown=True).kind is OutcomeKind.DEFERRED


@pytest.mark.parametrize("status", [0x400, 0x4FF, 0xDEADBEEF])
def test_private_codes_never_burn_a_message(status: int) -> None:
    assert get_decision(status).kind is OutcomeKind.DEFERRED


def test_reasons_speak_the_reports_language() -> None:
    ours = {reason.value for reason in Reason}
    of_the_engine_alone = {FailureReason.DEADLINE.value, FailureReason.NO_RECEIPT.value}
    assert {reason.value for reason in FailureReason} - of_the_engine_alone <= ours
