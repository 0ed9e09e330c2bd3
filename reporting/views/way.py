"""Why did this message go there? The routing decision, who else was looked at, and every move since."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.actor import panel_view
from messaging.route_labels import STEP_LABELS, TROUBLE_LABELS, WHY_LABELS, WHY_TONES
from messaging.selectors.trail import TrailStep, explain_route

from ..access import access_recipient, access_report
from ..labels import describe_operator


@require_GET
@panel_view("reports.view")
def recipient_way(request: HttpRequest, public_id: UUID, message_id: int) -> HttpResponse:
    campaign, run = access_report(request.actor, public_id)  # type: ignore[attr-defined]
    message = access_recipient(run, message_id)
    trail = explain_route(message)
    context = {
        "campaign": campaign,
        "run": run,
        "message": message,
        "operator": describe_operator(message.operator),
        "trail": trail,
        "steps": [_describe(step) for step in trail.steps],
    }
    return render(request, "reporting/recipient_way.html", context)


def _describe(step: TrailStep) -> dict[str, Any]:
    return {
        "at": step.at,
        "connection": step.connection,
        "cause": STEP_LABELS.get(step.cause, step.cause),
        "trouble": TROUBLE_LABELS.get(step.detail, step.detail),
        "candidates": [(name, WHY_LABELS.get(why, why), WHY_TONES.get(why, "muted")) for name, why in step.candidates],
    }
