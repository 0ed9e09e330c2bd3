"""Why a campaign that is not over sends nothing, and what the reader can do about it, in plain words."""

from datetime import datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from messaging.models import SendRun
from smscore.sending_hours import SendingWindow

Text = str | Promise


class Standstill(NamedTuple):
    """What happened and what to do; `tone` is "info" if it goes on by itself, "warning" if somebody must act."""

    text: Text
    remedy: Text
    tone: str = "warning"


# By SendRun.pause_reason, and by the cause of a stall (messaging.services.sweeps.StalledRun).
CAUSES: Final[dict[str, Standstill]] = {
    "user": Standstill(
        gettext_lazy("Paused by a user."),
        gettext_lazy("Resume it when you are ready. The time it stands still does not count against it."),
        "info",
    ),
    "refusals": Standstill(
        gettext_lazy("Paused by itself: the operator refused too many of the first messages."),
        gettext_lazy(
            "Look at the reasons below. Is the sender ID approved with the operator, is the list up to date?"
            " Then resume, or cancel: credits of what has not left come back."
        ),
    ),
    "gateway": Standstill(
        gettext_lazy("Paused by itself: the connection to the operator is down."),
        gettext_lazy("Nothing is lost. Resume when the connection is back; if it stays down, write to support."),
    ),
    "abuse": Standstill(
        gettext_lazy("Paused by the platform for a check of its content."),
        gettext_lazy(
            "Write to support: you can resume it when the check is done. Or cancel it, and the credits come back."
        ),
    ),
    "checked": Standstill(
        gettext_lazy("Paused: the platform has checked its content."),
        gettext_lazy("Resume it, or cancel it and the credits come back."),
        "info",
    ),
    "no_sender": Standstill(
        gettext_lazy("Nothing leaves at the moment: the connection to the operator is not open."),
        gettext_lazy(
            "Nothing is lost; it goes on by itself when the connection is back. If it lasts, write to support."
        ),
    ),
    "tenant_closed": Standstill(
        gettext_lazy("Nothing leaves: the account is closed."),
        gettext_lazy("Nothing is lost; it goes on when the platform opens the account again."),
    ),
    "database_in_doubt": Standstill(
        gettext_lazy("Nothing leaves at the moment: the platform was restored and is being checked."),
        gettext_lazy("It goes on by itself after the check. Please do not send the same text again meanwhile."),
    ),
    "account_off": Standstill(
        gettext_lazy("Nothing leaves at the moment: the connection is switched off."),
        gettext_lazy("Nothing is lost; it goes on by itself when the connection is on again."),
    ),
    "maintenance": Standstill(
        gettext_lazy("Nothing leaves at the moment: the connection is in maintenance."),
        gettext_lazy("Nothing is lost; it goes on by itself when the maintenance window ends."),
        "info",
    ),
    "resting": Standstill(
        gettext_lazy("Nothing leaves at the moment: the operator's connection failed several times and is left alone."),
        gettext_lazy("Nothing is lost; it is tried again by itself, carefully. If it lasts, write to support."),
    ),
    "held": Standstill(
        gettext_lazy("Nothing leaves at the moment: the operator asks us to wait."),
        gettext_lazy("Nothing is lost; it goes on by itself as soon as the operator takes messages again."),
        "info",
    ),
    "no_answers": Standstill(
        gettext_lazy("Nothing leaves at the moment: the operator does not answer."),
        gettext_lazy("Nothing is lost; it goes on by itself when the operator answers. If it lasts, write to support."),
    ),
}
# What messaging.selectors.find_stall says; who has no sender worker and who has no link has no open connection.
STALLS: Final[dict[str, str]] = {
    "resting": "resting",
    "tenant_closed": "tenant_closed",
    "database_in_doubt": "database_in_doubt",
    "account_off": "account_off",
    "maintenance": "maintenance",
    "link_held": "held",
    "no_answers": "no_answers",
}
UNKNOWN: Final = Standstill(
    gettext_lazy("Paused by itself."), gettext_lazy("Resume it, or write to support if it stops again.")
)


def describe_standstill(run: SendRun, queued_count: int, stall_cause: str = "") -> Standstill | None:
    """None while it sends, and when nothing is left to send. `stall_cause`: what stops a run that should be sending, by
    `messaging.selectors.find_stall`."""
    if run.state == SendRun.State.PAUSED:
        return CAUSES.get(run.pause_reason, UNKNOWN)
    if run.state != SendRun.State.RUNNING or not queued_count:
        return None
    begins_at = find_next_start(run)
    if begins_at is None:
        return CAUSES[STALLS.get(stall_cause, "no_sender")] if stall_cause else None
    text = _("Waiting for its time.") if run.window_opens is None else _("Waiting for sending hours.")
    remedy = _("It goes on by itself on %(at)s.") % {"at": date_format(timezone.localtime(begins_at), "j F H:i")}
    return Standstill(text, remedy, "info")


def find_next_start(run: SendRun) -> datetime | None:
    """When a running run may send next; None if it may now."""
    now = timezone.now()
    begins_at = max(run.not_before or now, now)
    if run.window_opens is not None and run.window_closes is not None:
        window = SendingWindow(run.window_opens, run.window_closes, zone=ZoneInfo(run.time_zone))
        begins_at = window.next_open(begins_at)
    return begins_at if begins_at > now else None
