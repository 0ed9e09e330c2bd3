"""The buttons that start, hold and stop a campaign. Each may be pressed twice."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.actor import Actor, panel_view
from billing.services import NotEnoughCredits
from messaging.tasks import ring_senders

from ..access import access_campaign
from ..models import Campaign
from ..services.control import cancel_campaign, pause_campaign, resume_campaign
from ..services.errors import CampaignHeld, DraftConflict, NotEditable, NotReady, ScheduleInPast
from ..services.launch import launch_campaign, schedule_campaign, unschedule_campaign
from .audience import word_conflict
from .composer import read_version
from .errors import word_credits, word_problems


@require_POST
@panel_view("campaigns.launch")
def launch(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Start now, or put on schedule when a time to come was chosen. `now` answers a time that is over."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    campaign = access_campaign(actor, public_id)
    version = read_version(request)
    is_later = campaign.scheduled_at is not None and "now" not in request.POST
    act = schedule_campaign if is_later else launch_campaign
    try:
        launched = act(campaign=campaign, version=version, actor=actor.user)
    except NotEnoughCredits as error:
        messages.error(request, word_credits(error))
    except NotReady as error:
        messages.error(request, word_problems(error))
    except DraftConflict as error:
        messages.warning(request, word_conflict(error.campaign))
    except ScheduleInPast:
        messages.error(request, _("The chosen time is over. Choose a later one, or send now."))
    except NotEditable:
        messages.info(request, _("The campaign is no longer waiting to be launched."))
    else:
        if launched.status == Campaign.Status.LAUNCHED:
            ring_senders.delay_on_commit(run_id=launched.run_id)
            messages.success(request, _("“%(name)s” is being sent.") % {"name": launched.name})
            return redirect("campaigns:detail", public_id)
        messages.success(request, _("“%(name)s” is scheduled.") % {"name": launched.name})
    return redirect("campaigns:check", public_id)


@require_POST
@panel_view("campaigns.launch")
def unschedule(request: HttpRequest, public_id: UUID) -> HttpResponse:
    done = _("The schedule was taken back. The audience is kept; edit or launch the campaign.")
    return _control(request, public_id, unschedule_campaign, done)


@require_POST
@panel_view("campaigns.control")
def pause(request: HttpRequest, public_id: UUID) -> HttpResponse:
    return _control(request, public_id, pause_campaign, _("The campaign is paused. Nothing more leaves."))


@require_POST
@panel_view("campaigns.control")
def resume(request: HttpRequest, public_id: UUID) -> HttpResponse:
    response = _control(request, public_id, resume_campaign, _("The campaign goes on."))
    ring_senders.delay_on_commit()
    return response


@require_POST
@panel_view("campaigns.control")
def cancel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    done = _("The campaign is cancelled. Credits of messages that were not sent come back.")
    response = _control(request, public_id, cancel_campaign, done)
    ring_senders.delay_on_commit()
    return response


def _control(request: HttpRequest, public_id: UUID, act: Callable[..., Campaign], done: str) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    try:
        act(campaign=access_campaign(actor, public_id), actor=actor.user)
    except NotEditable:
        messages.info(request, _("The campaign was no longer in that state; nothing was changed."))
    except CampaignHeld:
        messages.error(request, _("The platform is checking this campaign; only support can let it go on."))
    else:
        messages.success(request, done)
    return redirect("campaigns:detail", public_id)
