"""VatanSMS: its words, beside what they mean to us. It has no codes, and its texts are nowhere listed: an account can
add those it meets (settings ``error_words`` and ``status_words``)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gateways.http.numbers import read_msisdn
from gateways.http.refusals import DEFERRED, LOGIN, REJECTED, Refusal
from gateways.types import DeliveryState, Reason
from smscore.folding import fold_plain

CODE_LENGTH = 40
TURKISH = frozenset("çğıöşüÇĞİÖŞÜ")
"""message_type "normal" writes these as ASCII."""

REFUSALS = {
    "login": Refusal(LOGIN, Reason.LOGIN),
    "no_credit": Refusal(DEFERRED, Reason.NO_BALANCE, 300.0),
    "throttled": Refusal(DEFERRED, Reason.THROTTLED),
    "later": Refusal(DEFERRED, Reason.SYSTEM, 30.0),
    "sender": Refusal(REJECTED, Reason.BAD_SENDER),
    "number": Refusal(REJECTED, Reason.BAD_ADDRESS, spoiled=True),
    "text": Refusal(REJECTED, Reason.BAD_CONTENT, spoiled=True),
    "refused": Refusal(REJECTED, Reason.REFUSED),
}
# Beginnings of words: "api" must not be found in "kapı".
ERROR_WORDS = {
    "api": "login",
    "kredi": "no_credit",
    "bakiye": "no_credit",
    "gönderici": "sender",
    "başlık": "sender",
}
# A refusal without a word we know: it may be about one message of many, so it is looked for in halves.
OTHER_REFUSAL = Refusal(REJECTED, Reason.OTHER, spoiled=True)

_D, _U, _A = DeliveryState.DELIVERED, DeliveryState.UNDELIVERED, DeliveryState.ACCEPTED
STATES = {
    "delivered": (_D, Reason.NONE),
    "pending": (_A, Reason.NONE),
    "expired": (_U, Reason.EXPIRED),
    "number": (_U, Reason.BAD_ADDRESS),
    "consent": (_U, Reason.NO_CONSENT),
    "blocked": (_U, Reason.BLOCKED_BY_RECIPIENT),
    "refused": (_U, Reason.REFUSED),
    "failed": (_U, Reason.OTHER),
}
# Whole texts. Nobody wrote down those of failures: everything else moves nothing until an account names it.
STATUS_WORDS = {
    "delivered": "delivered",
    "iletildi": "delivered",
    "success": "delivered",
    "1": "delivered",
    "waiting": "pending",
    "pending": "pending",
    "bekliyor": "pending",
    "sent": "pending",
    "gönderildi": "pending",
    "0": "pending",
    "": "pending",
}


class Words:
    """The tables above with an account's own entries over them. Case and Turkish dots do not count."""

    def __init__(self, errors: Mapping[str, str], statuses: Mapping[str, str]) -> None:
        self._own, self._usual = _fold(errors), _fold(ERROR_WORDS)
        self._statuses = _fold({**STATUS_WORDS, **statuses})

    def find_refusal(self, text: str, *, own_only: bool = False) -> Refusal | None:
        """By a word in it, the account's own first; ``own_only``: by those alone."""
        for words in (self._own,) if own_only else (self._own, self._usual):
            found = re.search(rf"\b({'|'.join(map(re.escape, words))})", fold_plain(text)) if words else None
            if found:
                return REFUSALS[words[found[1]]]
        return None

    def find_state(self, text: str) -> tuple[DeliveryState, Reason]:
        word = self._statuses.get(fold_plain(text))
        return STATES[word] if word else (DeliveryState.UNKNOWN, Reason.NONE)


def _fold(words: Mapping[str, str]) -> dict[str, str]:
    return {fold_plain(word): meaning for word, meaning in words.items()}


def is_normal(text: str) -> bool:
    """Arrives as written with message_type "normal"."""
    return TURKISH.isdisjoint(text)


def read_report_id(body: dict[str, Any]) -> str:
    """Clients have met it flat and nested; empty if it is in neither place."""
    nested = body.get("data")
    for place in (body, nested if isinstance(nested, dict) else {}):
        for name in ("id", "report_id"):
            if place.get(name):
                return str(place[name])
    return ""


def read_invalid(body: dict[str, Any]) -> frozenset[str]:
    """E.164 numbers that an answer lists as invalid: texts or objects."""
    rows = body.get("invalid_phones")
    if not isinstance(rows, list):
        return frozenset()
    return frozenset(read_msisdn(row.get("phone") if isinstance(row, dict) else row) for row in rows)


def write_id(job: str) -> int | str:
    return int(job) if job.isdecimal() else job
