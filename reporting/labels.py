"""What states, reasons and operators are called on pages and in exports (reliability.md section 3, in plain words)."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from messaging.models import SendRun
from messaging.state_labels import STATE_LABELS as STATE_LABELS
from smscore.status import StateGroup

Label = str | Promise

STATE_TONES: Final = {
    "delivered": "success",
    "accepted": "warning",
    "unknown": "warning",
    "submitting": "info",
    "undelivered": "danger",
    "expired": "danger",
    "rejected": "danger",
    "failed": "danger",
    "unconfirmed": "danger",
}
GROUP_LABELS: Final[dict[StateGroup, Label]] = {
    StateGroup.DELIVERED: pgettext_lazy("messages", "Delivered"),
    StateGroup.UNDELIVERED: pgettext_lazy("messages", "Not delivered"),
    StateGroup.WAITING: pgettext_lazy("messages", "Waiting for receipt"),
    StateGroup.NOT_SENT: pgettext_lazy("messages", "Not sent"),
    StateGroup.QUEUED: pgettext_lazy("messages", "Queued"),
}
GROUP_TONES: Final = {
    StateGroup.DELIVERED: "primary",
    StateGroup.UNDELIVERED: "danger",
    StateGroup.WAITING: "warning",
    StateGroup.NOT_SENT: "info",
    StateGroup.QUEUED: "muted",
}
REASON_LABELS: Final[dict[str, Label]] = {
    "expired": _("Phone off or out of reach"),
    "refused": _("Refused by the operator's filter"),
    "deleted": _("Deleted by the operator"),
    "unknown_subscriber": _("Number not in use"),
    "absent_subscriber": _("Phone not on the network"),
    "blocked_by_recipient": _("Recipient blocks such messages"),
    "handset_full": _("Phone's memory full"),
    "no_consent": _("No consent on record"),
    "network": _("Network failure"),
    "bad_address": _("Invalid number"),
    "bad_sender": _("Sender ID not accepted"),
    "bad_content": _("Content not accepted"),
    "no_route": _("No route to this operator"),
    "no_balance": _("The provider's balance ran out"),
    "throttled": _("Operator too busy"),
    "queue_full": _("Operator's queue full"),
    "deadline": _("Could not be sent in time"),
    "no_receipt": _("The operator never reported"),
    "suppressed": _("On the suppression list"),
    "cancelled": _("Cancelled by a user"),
    "system": _("The operator's system failed"),
    "login": _("The operator refused the connection"),
    "partial": _("Not all parts were taken"),
    "timeout": _("The operator did not answer"),
    "link_lost": _("Connection to the operator lost"),
    "malformed": _("The operator's answer was unreadable"),
    "withdrawn": _("Taken back before sending"),
    "restored": _("May have been sent before the platform was restored"),
    "other": _("Other reason"),
}
# Where the state itself is the reason.
STATE_REASONS: Final = {
    "expired": "no_receipt",
    "suppressed": "suppressed",
    "cancelled": "cancelled",
    "failed": "deadline",
    "unconfirmed": "timeout",
}
OPERATOR_LABELS: Final[dict[str, Label]] = {
    "turkcell": "Turkcell",
    "vodafone": "Vodafone",
    "turktelekom": "Türk Telekom",
}
ENCODING_LABELS: Final[dict[str, Label]] = {
    "gsm7": "GSM-7",
    "gsm7-tr-single": _("Turkish GSM-7"),
    "gsm7-tr-locking": _("Turkish GSM-7 (locking)"),
    "ucs2": "UCS-2",
}

RunState = SendRun.State
RUN_BADGES: Final[dict[str, tuple[Label, str, str]]] = {
    RunState.RUNNING: (pgettext_lazy("campaign", "Sending"), "primary", "send"),
    RunState.PAUSED: (pgettext_lazy("campaign", "Paused"), "warning", "circle-pause"),
    RunState.CANCELLING: (pgettext_lazy("campaign", "Being cancelled"), "warning", "circle-x"),
    RunState.COMPLETED: (pgettext_lazy("campaign", "Completed"), "success", "circle-check"),
}
WAITING_BADGE: Final = (pgettext_lazy("campaign", "Waiting for receipts"), "info", "hourglass")
SCHEDULED_BADGE: Final = (pgettext_lazy("campaign", "Waiting for sending hours"), "info", "clock")
CANCELLED_BADGE: Final = (pgettext_lazy("campaign", "Cancelled"), "muted", "circle-x")


def describe_reason(state: str, reason: str) -> Label:
    """A reason class in plain words; unknown classes are shown as they are stored."""
    code = reason or STATE_REASONS.get(state, "other")
    return REASON_LABELS.get(code, code)


def describe_operator(operator: str) -> Label:
    return OPERATOR_LABELS.get(operator, _("Other operators"))
