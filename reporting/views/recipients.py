"""The recipients of a campaign: list, one message's story, download."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, tzinfo
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.actor import panel_view
from accounts.recent import recent_sign_in_required
from accounts.scope import stream_in_scope
from accounts.services import record_audit
from campaigns.models import Campaign
from common.exports import CONTENT_TYPES, MsisdnCell, export_response
from common.htmx import render_page_or_part
from common.keyset import paginate
from messaging.models import Message, SendRun
from smscore.folding import fold_plain
from smscore.status import GROUP_OF, TERMINAL_STATES, MessageState, StateGroup

from ..access import access_recipient, access_report
from ..labels import (
    ENCODING_LABELS,
    GROUP_LABELS,
    STATE_LABELS,
    STATE_TONES,
    describe_operator,
    describe_reason,
)
from ..selectors.recipients import add_names, find_group, iter_named_recipients, list_matching

PAGE_SIZE = 25
REFRESH_SECONDS = 5
BAD_GROUPS = (StateGroup.UNDELIVERED, StateGroup.NOT_SENT)


@require_GET
@panel_view("reports.view")
def recipient_list(request: HttpRequest, public_id: UUID) -> HttpResponse:
    campaign, run = access_report(request.actor, public_id)  # type: ignore[attr-defined]
    context = build_recipients_context(request, campaign, run)
    return render_page_or_part(
        request, page="reporting/recipients.html", part="reporting/_recipients.html", context=context
    )


def build_recipients_context(request: HttpRequest, campaign: Campaign, run: SendRun) -> dict[str, Any]:
    """A page of recipients by `?state=` (a group of states), `?q=` (digits) and the keyset cursor."""
    group, query = find_group(request.GET.get("state", "")), request.GET.get("q", "")[:40].strip()
    found = list_matching(run, group=group, query=query)
    page = paginate(found, request.GET, order="msisdn", size=PAGE_SIZE)
    recipients = [_describe(r.message, r.name) for r in add_names(run.tenant_id, page.items)]
    is_first = not any(request.GET.get(key) for key in ("after", "before"))
    return {
        "campaign": campaign,
        "run": run,
        "page": page,
        "recipients": recipients,
        # Only the first page: whoever leafs on must not be thrown back.
        "is_moving": run.completed_at is None and is_first and not all(row["is_final"] for row in recipients),
        "refresh_seconds": REFRESH_SECONDS,
        "group": group,
        "groups": [(choice, GROUP_LABELS[choice]) for choice in GROUP_LABELS],
        "query": query,
        "is_filtered": bool(group or query),
        "dropped_text": describe_dropped(run),
    }


def describe_dropped(run: SendRun) -> str:
    """Why there are no recipients to show of a run whose messages went by age; empty for any other."""
    if run.messages_dropped_at is None:
        return ""
    return _(
        "Details of recipients are kept for %(months)s months. Those of this campaign were deleted on %(day)s; its"
        " figures stay."
    ) % {
        "months": settings.MESSAGE_RETENTION_MONTHS,
        "day": date_format(timezone.localtime(run.messages_dropped_at), "DATE_FORMAT"),
    }


def _describe(message: Message, name: str) -> dict[str, Any]:
    state = MessageState(message.state)
    return {
        "message": message,
        "name": name,
        "state": STATE_LABELS[message.state],
        "tone": STATE_TONES.get(message.state, "muted"),
        "reason": describe_reason(message.state, message.reason) if _needs_reason(message) else "",
        "at": message.done_at or message.accepted_at or message.submitted_at,
        "is_final": state in TERMINAL_STATES,
    }


def _needs_reason(message: Message) -> bool:
    """A reason is worth a word where something went wrong, or where the engine noted one."""
    return bool(message.reason) or GROUP_OF[MessageState(message.state)] in BAD_GROUPS


@require_GET
@panel_view("reports.view")
def recipient_detail(request: HttpRequest, public_id: UUID, message_id: int) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    campaign, run = access_report(actor, public_id)
    message = access_recipient(run, message_id)
    (recipient,) = add_names(run.tenant_id, [message])
    context = {
        "campaign": campaign,
        "run": run,
        "recipient": _describe(message, recipient.name),
        "message": message,
        "events": list_events(run, message),
        "operator": describe_operator(message.operator),
        "encoding": ENCODING_LABELS.get(message.encoding, message.encoding),
    }
    return render(request, "reporting/recipient.html", context)


def list_events(run: SendRun, message: Message) -> list[tuple[datetime, Any, str]]:
    """What happened to a message and when: (time, words, tone), oldest first."""
    events: list[tuple[datetime, Any, str]] = []
    if run.started_at:
        events.append((run.started_at, _("Campaign started, message queued"), "muted"))
    if message.submitted_at:
        events.append((message.submitted_at, _("Handed to the operator"), "info"))
    if message.accepted_at:
        events.append((message.accepted_at, _("Taken by the operator"), "warning"))
    if message.done_at:
        words = STATE_LABELS[message.state]
        if _needs_reason(message):
            words = f"{words}: {describe_reason(message.state, message.reason)}"
        events.append((message.done_at, words, STATE_TONES.get(message.state, "muted")))
    return events


@require_GET
@panel_view("reports.export")
@recent_sign_in_required
def export(request: HttpRequest, public_id: UUID, kind: str) -> HttpResponseBase:
    """All recipients, or those of the filter in the address. If they were deleted by age, a row that says so."""
    if kind not in CONTENT_TYPES:
        raise Http404
    actor = request.actor  # type: ignore[attr-defined]
    campaign, run = access_report(actor, public_id)
    group, query = find_group(request.GET.get("state", "")), request.GET.get("q", "")[:40].strip()
    header = [
        _("Number"), _("Name"), _("State"), _("Reason"), _("Operator"), _("Parts"), _("Credits"),
        _("Sent at"), _("Result at"), _("Message"),
    ]  # fmt: skip
    labels = {state: str(label) for state, label in STATE_LABELS.items()}
    zone = timezone.get_current_timezone()
    rows: Iterable[Sequence[object]] = [(describe_dropped(run),)]
    if not run.messages_dropped_at:
        rows = stream_in_scope(actor.tenant.pk, lambda: iter_export_rows(run, group, query, labels, zone))
    record_audit(
        tenant=actor.tenant,
        actor=actor.user,
        action="report.exported",
        target=campaign.name,
        data={"campaign": str(campaign.public_id), "kind": kind, "state": group or "", "searched": bool(query)},
    )
    name = slugify(fold_plain(campaign.name))[:40] or "campaign"
    return export_response(kind=kind, name=f"{name}-{timezone.localdate():%Y-%m-%d}", header=header, rows=rows)


def iter_export_rows(
    run: SendRun, group: StateGroup | None, query: str, labels: dict[str, str], zone: tzinfo
) -> Iterator[tuple[object, ...]]:
    for message, name in iter_named_recipients(run, group=group, query=query):
        yield (
            MsisdnCell(message.msisdn),
            name,
            labels[message.state],
            str(describe_reason(message.state, message.reason)) if _needs_reason(message) else "",
            str(describe_operator(message.operator)),
            message.parts,
            message.price,
            message.accepted_at.astimezone(zone) if message.accepted_at else None,
            message.done_at.astimezone(zone) if message.done_at else None,
            message.text,
        )
