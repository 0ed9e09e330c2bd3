"""A campaign's report: the page and its live part. The buttons in its head act in campaigns."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.actor import panel_view
from campaigns.models import Campaign
from campaigns.selectors.campaigns import find_snapshot
from campaigns.selectors.funnel import FunnelRow, build_snapshot_funnel
from common.charts import Part, Series, bar_list, time_chart
from common.numbers import format_count
from messaging.models import SendRun
from messaging.selectors import MinuteCount, find_stall, list_run_minutes
from smscore.status import StateGroup

from ..access import access_report
from ..labels import (
    CANCELLED_BADGE,
    GROUP_LABELS,
    GROUP_TONES,
    RUN_BADGES,
    SCHEDULED_BADGE,
    WAITING_BADGE,
    describe_operator,
    describe_reason,
)
from ..selectors.campaign_report import (
    CampaignFigures,
    TimeLine,
    build_time_line,
    get_average_rate,
    get_figures,
    list_operator_rows,
    list_reason_rows,
)
from ..selectors.opt_outs import count_opt_outs
from ..standstill import describe_standstill, find_next_start
from .recipients import build_recipients_context

BAR_ORDER = (
    StateGroup.DELIVERED,
    StateGroup.UNDELIVERED,
    StateGroup.WAITING,
    StateGroup.NOT_SENT,
    StateGroup.QUEUED,
)
POLL_BUSY_SECONDS, POLL_QUIET_SECONDS = 2, 15
QUIET_AFTER = timedelta(minutes=3)


@require_GET
@panel_view("reports.view")
def campaign_report(request: HttpRequest, public_id: UUID) -> HttpResponse:
    campaign, run = access_report(request.actor, public_id)  # type: ignore[attr-defined]
    context = {**build_report_context(campaign, run), **build_recipients_context(request, campaign, run)}
    return render(request, "reporting/campaign.html", context)


@require_GET
@panel_view("reports.view")
def campaign_live(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The figures again. `?state=` is the state the page shows: its head is sent along only when that has changed,
    so that a button does not vanish under a finger."""
    campaign, run = access_report(request.actor, public_id)  # type: ignore[attr-defined]
    context = build_report_context(campaign, run)
    context["head_is_stale"] = request.GET.get("state") != context["shown_state"]
    return render(request, "reporting/_live.html", context)


def build_report_context(campaign: Campaign, run: SendRun) -> dict[str, Any]:
    minutes = list_run_minutes(run)
    figures = get_figures(run, minutes)
    badge = choose_badge(run, figures)
    stall = find_stall(run) if figures.queued_count else None
    time_line = build_time_line(minutes, timezone.get_current_timezone())
    return {
        "campaign": campaign,
        "run": run,
        "figures": figures,
        "badge": badge,
        "shown_state": f"{run.state}-{badge[1]}",
        "standstill": describe_standstill(run, figures.queued_count, stall.reason if stall else ""),
        "bar_parts": list_bar_parts(figures),
        "average_rate": get_average_rate(run),
        "opt_out_count": (opt_outs := count_opt_outs(run)),
        "opt_out_rate": opt_outs / figures.sent_count if figures.sent_count and opt_outs is not None else None,
        "time_line": time_line,
        "chart": draw_time_line(time_line),
        "time_left": describe_time_left(figures.seconds_left),
        "reasons": draw_reasons(list_reason_parts(run, figures)),
        "funnel": build_audience(campaign),
        "operators": [(describe_operator(row.operator), row) for row in list_operator_rows(run)],
        "poll_seconds": choose_poll_seconds(figures, minutes),
        "can_pause": run.state == SendRun.State.RUNNING and figures.queued_count > 0,
        "can_resume": run.state == SendRun.State.PAUSED,
        "can_cancel": run.state in (SendRun.State.RUNNING, SendRun.State.PAUSED) and figures.queued_count > 0,
    }


def choose_poll_seconds(figures: CampaignFigures, minutes: list[MinuteCount]) -> int:
    """Often while something moves; receipts of phones that are off may take days."""
    is_quiet = not figures.queued_count and minutes[-1].minute < timezone.now() - QUIET_AFTER if minutes else False
    return POLL_QUIET_SECONDS if is_quiet else POLL_BUSY_SECONDS


def choose_badge(run: SendRun, figures: CampaignFigures) -> tuple[Any, str, str]:
    """(text, tone, icon) for what the run is doing now."""
    if run.state == SendRun.State.COMPLETED and run.was_cancelled:
        return CANCELLED_BADGE
    if run.state == SendRun.State.RUNNING:
        if not figures.queued_count and figures.total_count:
            return WAITING_BADGE
        if find_next_start(run) is not None:
            return SCHEDULED_BADGE
    return RUN_BADGES[run.state]


def list_bar_parts(figures: CampaignFigures) -> list[Part]:
    """Shares of the progress bar; a group without messages is left out of the legend unless it always matters."""
    parts = [Part(str(GROUP_LABELS[group]), figures.count(group), GROUP_TONES[group]) for group in BAR_ORDER]
    optional = {str(GROUP_LABELS[StateGroup.NOT_SENT])}
    return [part for part in parts if part.count or part.label not in optional]


def list_reason_parts(run: SendRun, figures: CampaignFigures) -> list[Part]:
    """Reasons with the same words are one row."""
    counts: dict[str, int] = {}
    for row in list_reason_rows(run, figures.totals):
        label = str(describe_reason(row.state, row.reason))
        counts[label] = counts.get(label, 0) + row.message_count
    return [Part(label, count, "danger") for label, count in sorted(counts.items(), key=lambda item: -item[1])]


def draw_reasons(parts: list[Part]) -> str:
    return bar_list(parts, caption=_("Why messages did not arrive")) if parts else ""


def build_audience(campaign: Campaign) -> list[FunnelRow]:
    """From the lists to the recipients; empty for a campaign without a frozen audience."""
    snapshot = find_snapshot(campaign)
    rows = build_snapshot_funnel(snapshot) if snapshot else []
    return [row for row in rows if row.count or row.kind != "left_out"]


def describe_time_left(seconds: int | None) -> str:
    if seconds is None:
        return ""
    if seconds < 60:
        return _("less than a minute left")
    if seconds < 5400:
        return _("about %(n)s min left") % {"n": format_count(round(seconds / 60))}
    return _("about %(n)s h left") % {"n": format_count(round(seconds / 3600))}


def draw_time_line(line: TimeLine) -> str:
    if not line.starts:
        return ""
    return time_chart(
        title=_("Results over time"),
        labels=[_label_point(start, line) for start in line.starts],
        line=Series(str(GROUP_LABELS[StateGroup.DELIVERED]), line.delivered, "primary"),
        bars=Series(str(GROUP_LABELS[StateGroup.UNDELIVERED]), line.undelivered, "danger"),
    )


def _label_point(start: datetime, line: TimeLine) -> str:
    clock = date_format(start, "H:i")
    is_long = line.starts[-1].date() != line.starts[0].date()
    return f"{date_format(start, 'j M')} {clock}" if is_long else clock
