"""Lists of campaigns and templates, and how a campaign's state reads."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from common.ordering import turkish_key
from common.searching import contains_words
from contacts.models import ContactGroup
from messaging.models import SendRun

from ..models import AudienceExclusion, AudienceSnapshot, Campaign, MessageTemplate

S = Campaign.Status
R = SendRun.State

# What the user filters by; a launched campaign's state is its run's.
STATES: Final[dict[str, Q]] = {
    "draft": Q(status__in=[S.DRAFT, S.PREPARING, S.READY, S.FAILED]),
    "scheduled": Q(status=S.SCHEDULED),
    "sending": Q(status=S.LAUNCHED, run__state__in=[R.RUNNING, R.CANCELLING]),
    "paused": Q(status=S.LAUNCHED, run__state=R.PAUSED),
    "completed": Q(status=S.LAUNCHED, run__state=R.COMPLETED, run__was_cancelled=False),
    "cancelled": Q(status=S.CANCELLED) | Q(run__state=R.COMPLETED, run__was_cancelled=True),
}
STATE_LABELS: Final = {
    "draft": _("Draft"),
    "scheduled": _("Scheduled"),
    "sending": _("Sending"),
    "paused": _("Paused"),
    "completed": _("Completed"),
    "cancelled": _("Cancelled"),
}
ORDERS: Final = {"newest": "-created_at", "oldest": "created_at", "name": "name_key", "edited": "-updated_at"}
ORDER_LABELS: Final = {
    "newest": _("Newest first"),
    "oldest": _("Oldest first"),
    "edited": _("Last edited first"),
    "name": _("By name"),
}


class StateView(NamedTuple):
    """A state as a badge: label, tone and icon of `ui/badge.html`."""

    label: object
    tone: str
    icon: str


_BADGES: Final = {
    S.DRAFT: StateView(_("Draft"), "muted", "pencil"),
    S.PREPARING: StateView(_("Preparing"), "info", "loader"),
    S.READY: StateView(_("Ready"), "info", "circle-check"),
    S.SCHEDULED: StateView(_("Scheduled"), "info", "calendar-clock"),
    S.FAILED: StateView(_("Could not be prepared"), "danger", "triangle-alert"),
    S.CANCELLED: StateView(_("Cancelled"), "muted", "circle-x"),
}
_RUN_BADGES: Final = {
    R.RUNNING: StateView(_("Sending"), "primary", "send"),
    R.PAUSED: StateView(_("Paused"), "warning", "circle-pause"),
    R.CANCELLING: StateView(_("Being cancelled"), "warning", "circle-x"),
    R.COMPLETED: StateView(_("Completed"), "success", "circle-check"),
}


def list_campaigns(
    tenant_id: int, *, query: str = "", state: str = "", sender_id: int | None = None
) -> QuerySet[Campaign]:
    """Campaigns of a tenant by name and state (a key of STATES), with `name_key`; unordered, for `paginate`."""
    campaigns = Campaign.objects.filter(tenant_id=tenant_id).select_related("run", "sender", "created_by")
    campaigns = campaigns.annotate(name_key=turkish_key("name"))
    if query:
        campaigns = campaigns.filter(contains_words("name", query))
    if state in STATES:
        campaigns = campaigns.filter(STATES[state])
    if sender_id is not None:
        campaigns = campaigns.filter(sender_id=sender_id)
    return campaigns


def list_users_of_group(group: ContactGroup) -> list[str]:
    """Names of the campaigns that are yet to be sent to a list, or to leave it out."""
    unsent = [S.DRAFT, S.PREPARING, S.READY, S.SCHEDULED, S.FAILED]
    campaigns = Campaign.objects.filter(group_links__group=group, status__in=unsent)
    return list(campaigns.order_by("-updated_at").values_list("name", flat=True))


def describe_state(campaign: Campaign) -> StateView:
    """Label and colour of the campaign's badge: the run's state once it is launched."""
    if campaign.status != S.LAUNCHED or campaign.run is None:
        return _BADGES[S(campaign.status)]
    if campaign.run.state == R.COMPLETED and campaign.run.was_cancelled:
        return _BADGES[S.CANCELLED]
    return _RUN_BADGES[R(campaign.run.state)]


def list_templates(tenant_id: int, *, query: str = "") -> QuerySet[MessageTemplate]:
    """Templates whose name or text contains `query`, by name, with its sort key as `name_key`."""
    templates = MessageTemplate.objects.filter(tenant_id=tenant_id)
    templates = templates.annotate(name_key=turkish_key("name")).order_by("name_key", "pk")
    if query:
        templates = templates.filter(contains_words("name", query) | contains_words("text", query))
    return templates


def find_snapshot(campaign: Campaign) -> AudienceSnapshot | None:
    """The campaign's audience, unless an edit has made it stale."""
    return AudienceSnapshot.objects.filter(campaign=campaign, campaign_version=campaign.version).first()


def iter_exclusions(snapshot_id: int) -> Iterator[AudienceExclusion]:
    """Who was left out and why, by reason, through a server-side cursor."""
    rows = AudienceExclusion.objects.filter(snapshot_id=snapshot_id).order_by("reason", "contact_id")
    return rows.iterator(chunk_size=2000)
