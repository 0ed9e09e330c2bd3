"""Rows, words and drawings of the connection pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any

from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from common.charts import Series, time_chart

from ..forms.papers import explain_problems
from ..models import ConnectionCheck, GatewayAccount
from ..registry import UnknownGateway, get_gateway_class
from ..selectors.connections import Health, Light, find_check, list_buckets
from ..selectors.senders import list_senders
from ..services.connections import CHECK_LOST_SECONDS
from ..wording.diagnosis import Diagnosis, explain_finding

HOURS_SHOWN = 6
UNCLAIMED_SHOWN = 5
FIGURES = ("accepted", "refused", "unknown", "waiting", "receipt_seconds")

STATES: dict[str, tuple[Any, str, str]] = {
    "up": (pgettext_lazy("connection", "Connected"), "success", "check"),
    "held": (pgettext_lazy("connection", "Asked to wait"), "warning", "circle-dashed"),
    "failing": (pgettext_lazy("connection", "Test failed"), "danger", "x"),
    "connecting": (pgettext_lazy("connection", "Connecting"), "info", "circle-dashed"),
    "down": (pgettext_lazy("connection", "Not connected"), "warning", "unplug"),
    "refused": (pgettext_lazy("connection", "Login refused"), "danger", "x"),
    "stopped": (pgettext_lazy("connection", "Stopped"), "danger", "x"),
    "maintenance": (pgettext_lazy("connection", "Maintenance"), "warning", "wrench"),
    "silent": (pgettext_lazy("connection", "No sender running"), "muted", "circle-dashed"),
    "off": (pgettext_lazy("connection", "Off"), "muted", "power"),
}
LIGHTS: dict[Light, tuple[Any, str]] = {
    Light.GOOD: (pgettext_lazy("connection", "Healthy"), "success"),
    Light.WARN: (pgettext_lazy("connection", "Needs a look"), "warning"),
    Light.BAD: (pgettext_lazy("connection", "In trouble"), "danger"),
    Light.OFF: (pgettext_lazy("connection", "Off"), "muted"),
}
ADVICE = {
    "refused": _("The provider refuses the login. Check user and password; it is tried again by and by."),
    "stopped": _("The login was refused five times, so we stopped trying. Correct it and save: that starts it anew."),
    "held": _("The provider asks us to wait: we were too fast. It goes on by itself. Messages wait."),
    "down": _("The connection is lost and being made again. Messages wait."),
    "failing": _("The last test failed, and nothing was accepted since. The test says what to do."),
    "silent": _(
        "No sender process has this connection at present; messages wait. A new one is taken up within seconds."
    ),
}


@dataclass(frozen=True)
class Row:
    """One connection as pages show it."""

    health: Health
    provider: str
    state_label: str
    state_tone: str
    state_icon: str
    light_label: str
    light_tone: str
    advice: str


@dataclass(frozen=True)
class Check:
    """The last test as the page shows it. `is_lost`: asked for, and no worker took it. `senders`: the sender IDs that
    the provider listed; None: not asked. `unclaimed`: those of them that the account could use here, and has not
    applied for."""

    row: ConnectionCheck | None
    is_running: bool
    is_lost: bool
    diagnosis: Diagnosis | None
    senders: Sequence[str] | None = None
    unclaimed: Sequence[str] = ()


def build_row(health: Health) -> Row:
    label, tone, icon = STATES[health.state]
    light, light_tone = LIGHTS[health.light]
    try:
        adapter = get_gateway_class(health.account.adapter)
        provider = adapter.title or adapter.slug
    except UnknownGateway:
        provider = health.account.adapter
    advice = str(ADVICE.get(health.state, ""))
    return Row(health, provider, str(label), tone, icon, str(light), light_tone, advice)


def build_check(account: GatewayAccount) -> Check:
    row = find_check(account)
    if row is None:
        return Check(None, is_running=False, is_lost=False, diagnosis=None)
    if row.state == ConnectionCheck.State.ASKED:
        is_lost = row.asked_at < timezone.now() - timedelta(seconds=CHECK_LOST_SECONDS)
        return Check(row, is_running=not is_lost, is_lost=is_lost, diagnosis=None)
    diagnosis = explain_finding(row.finding, row.is_ok, row.diagnosis)
    tested = row.gateway_account
    return Check(
        row,
        is_running=False,
        is_lost=False,
        diagnosis=diagnosis,
        senders=tested.listed_senders,
        unclaimed=_list_unclaimed(tested),
    )


def _list_unclaimed(account: GatewayAccount) -> list[str]:
    if account.tenant_id is None or not account.listed_senders:
        return []
    own = {sender.name for sender in list_senders(account.tenant_id)}
    usable = (name for name in account.listed_senders if name not in own and not explain_problems(name))
    return list(islice(usable, UNCLAIMED_SHOWN))


def build_charts(account: GatewayAccount) -> list[tuple[str, SafeString]]:
    """(title, drawing) of the last hours, in five-minute steps; none while nothing went over the connection."""
    buckets = list_buckets(account, hours=HOURS_SHOWN)
    if not any(bucket[key] for bucket in buckets for key in FIGURES):
        return []
    labels = [timezone.localtime(bucket["at"]).strftime("%H:%M") for bucket in buckets]

    def series(name: str, key: str, tone: str) -> Series:
        return Series(name, [max(0, bucket[key]) for bucket in buckets], tone)

    refused = series(gettext("Refused"), "refused", "danger")
    drawn = [
        (gettext("Accepted and refused"), series(gettext("Accepted"), "accepted", "success"), refused),
        (gettext("Time to the provider's answer"), series(gettext("Milliseconds"), "answer_ms", "primary"), None),
        (gettext("Time to the delivery report"), series(gettext("Seconds"), "receipt_seconds", "info"), None),
        (gettext("Waiting messages"), series(gettext("Waiting"), "waiting", "warning"), None),
    ]
    return [(title, time_chart(title=title, labels=labels, line=line, bars=bars)) for title, line, bars in drawn]
