"""The check step: the real audience prepared, its funnel, and who was left out."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.actor import Actor, panel_view
from accounts.recent import recent_sign_in_required
from accounts.scope import stream_in_scope
from accounts.services import record_audit
from billing.selectors import get_balance
from common.exports import CONTENT_TYPES, MsisdnCell, export_response

from ..access import access_campaign
from ..models import Campaign
from ..selectors.campaigns import describe_state, find_snapshot, iter_exclusions
from ..selectors.checks import list_audience_problems, list_hints, list_problems
from ..selectors.funnel import REASONS, build_snapshot_funnel
from ..selectors.problems import STOP, WARN
from ..services.audience import prepare_audience
from ..services.errors import DraftConflict, NotEditable, NotReady
from ..tasks import walk_audience
from . import panels
from .composer import SESSION_TEST_NUMBER, read_version
from .errors import word_failure

S = Campaign.Status


@require_GET
@panel_view("campaigns.view")
def check(request: HttpRequest, public_id: UUID) -> HttpResponse:
    campaign = access_campaign(request.actor, public_id)  # type: ignore[attr-defined]
    if campaign.status == S.LAUNCHED:
        return redirect("campaigns:detail", public_id)
    context = {
        **panels.build_frame(campaign, "check"),
        **build_check(campaign),
        "test_number": request.session.get(SESSION_TEST_NUMBER, ""),
    }
    return render(request, "campaigns/check.html", context)


@require_GET
@panel_view("campaigns.view")
def progress(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The check's body while the audience is prepared; asks again until it is."""
    campaign = access_campaign(request.actor, public_id)  # type: ignore[attr-defined]
    context = {"campaign": campaign, "is_answer": True, **build_check(campaign)}
    response = render(request, "campaigns/_check.html", context)
    if campaign.status == S.LAUNCHED:
        response["HX-Refresh"] = "true"
    return response


@require_POST
@panel_view("campaigns.edit")
def prepare(request: HttpRequest, public_id: UUID) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    campaign = access_campaign(actor, public_id)
    try:
        prepare_audience(
            campaign=campaign, version=read_version(request), actor=actor.user, again="again" in request.POST
        )
    except NotReady:
        pass  # the check page lists the problems
    except DraftConflict as error:
        messages.warning(request, word_conflict(error.campaign))
    except NotEditable:
        return redirect("campaigns:detail", public_id)
    else:
        walk_audience.delay_on_commit(campaign_id=campaign.pk, tenant_id=actor.tenant.pk)
    return redirect("campaigns:check", public_id)


@require_GET
@panel_view("contacts.export")
@recent_sign_in_required
def export_exclusions(request: HttpRequest, public_id: UUID, kind: str) -> HttpResponseBase:
    """Who was left out and why, as CSV or XLSX."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    campaign = access_campaign(actor, public_id)
    snapshot = find_snapshot(campaign)
    if kind not in CONTENT_TYPES or snapshot is None:
        raise Http404
    record_audit(
        tenant=actor.tenant,
        actor=actor.user,
        action="campaign.exclusions_exported",
        target=str(campaign.public_id),
        data={"kind": kind},
    )
    labels = {reason: str(label) for reason, label in REASONS.items()}
    snapshot_id = snapshot.pk
    return export_response(
        kind=kind,
        name=f"left-out-{campaign.public_id}",
        header=[_("Number"), _("Reason"), _("Detail")],
        rows=stream_in_scope(
            actor.tenant.pk,
            lambda: (
                (MsisdnCell(row.msisdn), labels.get(row.reason, row.reason), row.detail)
                for row in iter_exclusions(snapshot_id)
            ),
        ),
    )


def build_check(campaign: Campaign) -> dict[str, object]:
    """Everything the check shows, by the campaign's state."""
    snapshot = find_snapshot(campaign)
    problems = list_problems(campaign) if campaign.status in (S.DRAFT, S.READY, S.FAILED) else []
    context: dict[str, object] = {
        "snapshot": snapshot,
        "state": describe_state(campaign),
        "failure": word_failure(campaign.failure),
        "hints": list_hints(campaign, campaign.tenant) if campaign.text.strip() else [],
        **panels.build_schedule(campaign),
    }
    if snapshot is not None and snapshot.is_complete:
        problems = [*problems, *list_audience_problems(campaign)] if campaign.status == S.READY else problems
        balance = get_balance(campaign.tenant_id).available
        context |= {
            "funnel": build_snapshot_funnel(snapshot),
            "part_rows": sorted((int(parts), count) for parts, count in snapshot.part_counts.items()),
            "balance": balance,
            "credits_after": balance - snapshot.credits,
            "credits_missing": max(snapshot.credits - balance, 0),
        }
    late = [problem for problem in problems if problem.code == "schedule_past"]
    stops = [problem for problem in problems if problem.level == STOP]
    return context | {
        "problems": stops,
        "warnings": [problem for problem in problems if problem.level == WARN],
        "time_is_over": bool(late),
        # A time that is over may be answered by starting now; everything else has to be put right first.
        "can_launch": campaign.status == S.READY and len(stops) == len(late),
        "can_prepare": campaign.status in (S.DRAFT, S.FAILED) and not stops,
        "is_stale": any(problem.code == "audience_stale" for problem in stops),
    }


def word_conflict(campaign: Campaign) -> str:
    return _("%(who)s changed the campaign meanwhile. This is the current version; check it again.") % {
        "who": campaign.updated_by or "–"
    }
