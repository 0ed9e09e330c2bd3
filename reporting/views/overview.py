"""Dashboard and the list of reports."""

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.actor import Actor, panel_view
from billing.selectors import get_balance
from common.charts import Series, time_chart
from common.htmx import render_page_or_part
from common.keyset import paginate
from smscore.status import StateGroup

from ..forms import ReportFilterForm
from ..labels import GROUP_LABELS
from ..selectors.campaign_report import CampaignFigures
from ..selectors.overview import (
    CampaignRow,
    DailyResults,
    add_figures,
    get_daily_results,
    get_month_totals,
    list_launched,
    list_running,
    list_setup_steps,
)
from .report import choose_badge, list_bar_parts

LAST_SHOWN = 6


@require_GET
@panel_view("dashboard.view")
def dashboard(request: HttpRequest) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    steps = list_setup_steps(actor.tenant.pk)
    context: dict[str, Any] = {"steps": steps, "is_new": not all(step.is_done for step in steps)}
    context["next_step"] = next((step.code for step in steps if not step.is_done), "")
    if actor.may("billing.view"):
        context["balance"] = get_balance(actor.tenant.pk)
    if actor.may("reports.view") and steps[-1].is_done:
        context |= _build_figures(actor)
    return render(request, "reporting/dashboard.html", context)


@require_GET
@panel_view("reports.view")
def running(request: HttpRequest) -> HttpResponse:
    """The campaigns that are being sent, again."""
    return render(request, "reporting/_running.html", {"running": _list_running(request.actor)})  # type: ignore[attr-defined]


def _build_figures(actor: Actor) -> dict[str, Any]:
    last = add_figures(list(list_launched(actor.tenant.pk)[:LAST_SHOWN]))
    results = get_daily_results(actor.tenant.pk, timezone.get_current_timezone())
    return {
        "month": get_month_totals(actor.tenant.pk),
        "results": results,
        "chart": draw_days(results),
        "last": [(row, choose_badge_of_row(row)) for row in last],
        "running": _list_running(actor),
    }


def _list_running(actor: Actor) -> list[dict[str, Any]]:
    return [
        {
            "campaign": campaign,
            "figures": figures,
            "badge": choose_badge(figures.run, figures),
            "bar_parts": list_bar_parts(figures),
        }
        for campaign, figures in list_running(actor.tenant.pk)
    ]


def choose_badge_of_row(row: CampaignRow) -> tuple[Any, str, str]:
    return choose_badge(row.run, CampaignFigures(row.run, row.totals, 0, None))


def draw_days(results: DailyResults) -> str:
    return time_chart(
        title=_("Results of the last 30 days"),
        labels=[date_format(day, "j M") for day in results.days],
        line=Series(str(GROUP_LABELS[StateGroup.DELIVERED]), results.delivered, "primary"),
        bars=Series(str(GROUP_LABELS[StateGroup.UNDELIVERED]), results.undelivered, "danger"),
    )


@require_GET
@panel_view("reports.view")
def report_list(request: HttpRequest) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    form = ReportFilterForm(request.GET)
    form.is_valid()
    zone = timezone.get_current_timezone()
    since, until = form.cleaned_data.get("since"), form.cleaned_data.get("until")
    campaigns = list_launched(
        actor.tenant.pk,
        query=form.cleaned_data.get("q", ""),
        since=datetime.combine(since, datetime.min.time(), zone) if since else None,
        until=datetime.combine(until + timedelta(days=1), datetime.min.time(), zone) if until else None,
    )
    page = paginate(campaigns, request.GET, order="-launched_at")
    context = {
        "form": form,
        "page": page,
        "rows": [(row, choose_badge_of_row(row)) for row in add_figures(page.items)],
        "is_filtered": any(form.cleaned_data.get(name) for name in ("q", "since", "until")),
    }
    return render_page_or_part(request, page="reporting/reports.html", part="reporting/_reports.html", context=context)
