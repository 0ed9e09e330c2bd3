"""Infobip: groups of statuses and errors, beside what they mean to us.

The groups' names are documented and stable; numbers and names of single statuses are kept as they come. Only of an
account without money the name has to be known: its next message fares no better, and once it is topped up all go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateways.types import DeliveryState, OutcomeKind, Reason

# What a 200 says of each message. UNDELIVERABLE, EXPIRED and DELIVERED belong to receipts: it was taken.
SUBMIT = {
    "ACCEPTED": OutcomeKind.ACCEPTED,
    "PENDING": OutcomeKind.ACCEPTED,
    "DELIVERED": OutcomeKind.ACCEPTED,
    "UNDELIVERABLE": OutcomeKind.ACCEPTED,
    "EXPIRED": OutcomeKind.ACCEPTED,
    "REJECTED": OutcomeKind.REJECTED,
}
NO_MONEY = frozenset({"REJECTED_NOT_ENOUGH_CREDITS", "REJECTED_PREPAID_PACKAGE_EXPIRED"})
NO_MONEY_SECONDS = 300.0
STATUS = {
    "ACCEPTED": (DeliveryState.ACCEPTED, Reason.NONE),
    "PENDING": (DeliveryState.ACCEPTED, Reason.NONE),
    "DELIVERED": (DeliveryState.DELIVERED, Reason.NONE),
    "UNDELIVERABLE": (DeliveryState.UNDELIVERED, Reason.OTHER),
    "EXPIRED": (DeliveryState.UNDELIVERED, Reason.EXPIRED),
    "REJECTED": (DeliveryState.UNDELIVERED, Reason.REFUSED),
}


def read_status(row: Mapping[str, Any]) -> tuple[DeliveryState, Reason, str]:
    """State, reason and code of a report. A group that is not in the table moves nothing."""
    status, error = row["status"], row.get("error") or {}
    state, reason = STATUS.get(str(status["groupName"]).upper(), (DeliveryState.UNKNOWN, Reason.NONE))
    if state is DeliveryState.UNDELIVERED and reason is Reason.OTHER:
        reason = _read_error(error)
    has_error = str(error.get("groupName") or "OK").upper() != "OK"
    return state, reason, str((error if has_error else status).get("name") or status["groupName"])


def _read_error(error: Mapping[str, Any]) -> Reason:
    """A handset that may answer later is absent; what is wrong with it for good only the error's name says."""
    group = str(error.get("groupName") or "").upper()
    if group == "HANDSET_ERRORS" and error.get("permanent") is False:
        return Reason.ABSENT_SUBSCRIBER
    return {"OPERATOR_ERRORS": Reason.NETWORK, "USER_ERRORS": Reason.REFUSED}.get(group, Reason.OTHER)
