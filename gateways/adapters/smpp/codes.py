"""SMPP command_status and receipt words, each with what to do about it (reliability.md, section 5)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from gateways.types import DeliveryState, OutcomeKind, Reason
from smscore.reasons import RECEIPT_STATE_NUMBERS, read_receipt_word
from smscore.status import MessageState

ROK: Final = 0x00
RINVMSGLEN: Final = 0x01
RINVCMDLEN: Final = 0x02
RINVCMDID: Final = 0x03
RINVBNDSTS: Final = 0x04
RALYBND: Final = 0x05
RSYSERR: Final = 0x08
RINVDSTADR: Final = 0x0B
RBINDFAIL: Final = 0x0D
RINVPASWD: Final = 0x0E
RINVSYSID: Final = 0x0F
RMSGQFUL: Final = 0x14
RSUBMITFAIL: Final = 0x45
RTHROTTLED: Final = 0x58


class Decision(NamedTuple):
    kind: OutcomeKind
    reason: Reason
    retry_after_seconds: float = 0.0


_REJECTED = OutcomeKind.REJECTED
_DEFERRED = OutcomeKind.DEFERRED
# "30 s / 2 min / 10 min, then next gateway" is the engine's ladder; this is its first step.
_FIRST_RETRY = 30.0
_THROTTLE_RETRY = 1.0

_NUMBER = Decision(_REJECTED, Reason.BAD_ADDRESS)
_SENDER = Decision(_REJECTED, Reason.BAD_SENDER)
_PARAMETER = Decision(_REJECTED, Reason.OTHER)
_CONTENT = Decision(_REJECTED, Reason.BAD_CONTENT)
_LENGTH = Decision(_REJECTED, Reason.BAD_CONTENT)
_SYSTEM = Decision(_DEFERRED, Reason.SYSTEM, _FIRST_RETRY)
_LINK = Decision(_DEFERRED, Reason.LOGIN, _FIRST_RETRY)

DECISIONS: Final[dict[int, Decision]] = {
    0x01: _LENGTH,  # ESME_RINVMSGLEN
    0x02: _PARAMETER,  # ESME_RINVCMDLEN
    0x03: _PARAMETER,  # ESME_RINVCMDID
    0x04: _LINK,  # ESME_RINVBNDSTS: our bind is not what the centre thinks; the message was not looked at
    0x06: _PARAMETER,  # ESME_RINVPRTFLG
    0x07: _PARAMETER,  # ESME_RINVREGDLVFLG
    0x08: _SYSTEM,  # ESME_RSYSERR
    0x0A: _SENDER,  # ESME_RINVSRCADR
    0x0B: _NUMBER,  # ESME_RINVDSTADR
    0x0C: _PARAMETER,  # ESME_RINVMSGID
    0x0D: _LINK,  # ESME_RBINDFAIL
    0x0E: _LINK,  # ESME_RINVPASWD
    0x0F: _LINK,  # ESME_RINVSYSID
    0x14: Decision(_DEFERRED, Reason.QUEUE_FULL, _THROTTLE_RETRY),  # ESME_RMSGQFUL
    0x15: _PARAMETER,  # ESME_RINVSERTYP
    0x33: _NUMBER,  # ESME_RINVNUMDESTS
    0x40: _PARAMETER,  # ESME_RINVDESTFLAG
    0x42: _PARAMETER,  # ESME_RINVSUBREP
    0x43: _PARAMETER,  # ESME_RINVESMCLASS
    0x45: _SYSTEM,  # ESME_RSUBMITFAIL
    0x48: _SENDER,  # ESME_RINVSRCTON
    0x49: _SENDER,  # ESME_RINVSRCNPI
    0x50: _NUMBER,  # ESME_RINVDSTTON
    0x51: _NUMBER,  # ESME_RINVDSTNPI
    0x53: _PARAMETER,  # ESME_RINVSYSTYP
    0x54: _PARAMETER,  # ESME_RINVREPFLAG
    0x58: Decision(_DEFERRED, Reason.THROTTLED, _THROTTLE_RETRY),  # ESME_RTHROTTLED
    0x61: _PARAMETER,  # ESME_RINVSCHED
    0x62: _PARAMETER,  # ESME_RINVEXPIRY
    0x63: _CONTENT,  # ESME_RINVDFTMSGID
    0x64: _SYSTEM,  # ESME_RX_T_APPN
    0x65: Decision(_REJECTED, Reason.REFUSED),  # ESME_RX_P_APPN
    0x66: Decision(_REJECTED, Reason.REFUSED),  # ESME_RX_R_APPN
    0xC0: _PARAMETER,  # ESME_RINVOPTPARSTREAM
    0xC1: _PARAMETER,  # ESME_ROPTPARNOTALLWD
    0xC2: _PARAMETER,  # ESME_RINVPARLEN
    0xC3: _PARAMETER,  # ESME_RMISSINGOPTPARAM
    0xC4: _PARAMETER,  # ESME_RINVOPTPARAMVAL
    0xFE: _SYSTEM,  # ESME_RDELIVERYFAILURE
    0xFF: _SYSTEM,  # ESME_RUNKNOWNERR
}
# A code nobody documented is still a refusal of this submit: the centre answered it, and not with 0.
# Temporary, so that an operator's private code never burns a campaign; the engine's ladder ends it.
_UNLISTED = Decision(_DEFERRED, Reason.OTHER, _FIRST_RETRY)
_UNSURE = Decision(OutcomeKind.UNKNOWN, Reason.SYSTEM)

THROTTLES: Final = frozenset({RTHROTTLED, RMSGQFUL})
LOGIN_REFUSALS: Final = frozenset({RALYBND, RBINDFAIL, RINVPASWD, RINVSYSID})


def get_decision(status: int, *, system_error_is_unknown: bool = False) -> Decision:
    """What a submit_sm_resp with this non-zero status means."""
    if status == RSYSERR and system_error_is_unknown:
        return _UNSURE
    return DECISIONS.get(status, _UNLISTED)


def format_code(status: int) -> str:
    return f"0x{status:08x}"


_ALIASES: Final = {
    "DELIVERED": "DELIVRD",
    "UNDELIVERABLE": "UNDELIV",
    "REJECTED": "REJECTD",
    "ACCEPTED": "ACCEPTD",
}
_STATES: Final = {
    MessageState.DELIVERED: DeliveryState.DELIVERED,
    MessageState.UNDELIVERED: DeliveryState.UNDELIVERED,
}
ON_ITS_WAY: Final = frozenset({"ENROUTE", "ACCEPTD", "SCHEDULED"})
MESSAGE_STATES: Final = RECEIPT_STATE_NUMBERS


@lru_cache(maxsize=256)
def read_word(word: str) -> tuple[DeliveryState, Reason]:
    """What a receipt's word (or the word of its message_state) says."""
    word = _ALIASES.get(word, word)
    meaning = read_receipt_word(word)
    if meaning.state is None:
        return (DeliveryState.ACCEPTED if word in ON_ITS_WAY else DeliveryState.UNKNOWN), Reason.NONE
    return _STATES[meaning.state], Reason(meaning.reason or "")


# The usual GSM MAP meanings of a receipt's err:NNN. Operators differ: an account may override the table.
ERROR_REASONS: Final[dict[str, Reason]] = {
    "001": Reason.UNKNOWN_SUBSCRIBER,
    "005": Reason.UNKNOWN_SUBSCRIBER,  # unidentified subscriber
    "006": Reason.ABSENT_SUBSCRIBER,
    "009": Reason.UNKNOWN_SUBSCRIBER,  # illegal subscriber
    "011": Reason.NETWORK,  # teleservice not provisioned
    "012": Reason.NETWORK,  # illegal equipment
    "013": Reason.BLOCKED_BY_RECIPIENT,  # call barred
    "021": Reason.NETWORK,  # facility not supported
    "027": Reason.ABSENT_SUBSCRIBER,
    "032": Reason.HANDSET_FULL,  # SM delivery failure, memory capacity exceeded among others
    "034": Reason.NETWORK,  # system failure
}
