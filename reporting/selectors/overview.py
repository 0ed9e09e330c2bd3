"""What the dashboard and the list of reports show."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import NamedTuple

from django.db.models import QuerySet
from django.utils import timezone

from campaigns.models import Campaign
from common.searching import contains_words
from contacts.models import Contact
from gateways.selectors.senders import list_approved_senders
from messaging.models import SendRun
from messaging.selectors import RunTotals
from messaging.selectors.history import list_days, list_totals, sum_runs
from optout.selectors import count_reply_opt_outs
from smscore.status import GROUP_OF, STATE_GROUPS, MessageState, StateGroup

from .campaign_report import CampaignFigures, delivery_rate, get_figures

DAYS = 30
OPEN_STATES = (SendRun.State.RUNNING, SendRun.State.PAUSED, SendRun.State.CANCELLING)
RUNNING_SHOWN = 5


class CampaignRow(NamedTuple):
    """A launched campaign and its figures."""

    campaign: Campaign
    run: SendRun
    totals: RunTotals
    delivery_rate: float | None

    @property
    def delivered_count(self) -> int:
        return self.totals.get_group(StateGroup.DELIVERED).messages

    @property
    def undelivered_count(self) -> int:
        return self.totals.get_group(StateGroup.UNDELIVERED).messages

    @property
    def used_credits(self):  # type: ignore[no-untyped-def]
        return self.totals.sent.credits


@dataclass(frozen=True, slots=True)
class DailyResults:
    """Thirty days up to today, a value per day."""

    days: list[date]
    delivered: list[int]
    undelivered: list[int]

    @property
    def is_empty(self) -> bool:
        return not any(self.delivered) and not any(self.undelivered)


@dataclass(frozen=True, slots=True)
class MonthTotals:
    """Campaigns started in the last thirty days."""

    sent_count: int
    delivery_rate: float | None
    used_credits: object  # Decimal
    opt_out_count: int


class SetupStep(NamedTuple):
    code: str  # "contacts", "sender", "campaign"
    is_done: bool


def list_launched(
    tenant_id: int, *, query: str = "", since: datetime | None = None, until: datetime | None = None
) -> QuerySet[Campaign]:
    """Campaigns that were started, newest first, their send runs along."""
    campaigns: QuerySet[Campaign] = Campaign.objects.filter(tenant_id=tenant_id, launched_at__isnull=False)
    campaigns = campaigns.filter(run__started_at__isnull=False)
    if query:
        campaigns = campaigns.filter(contains_words("name", query))
    if since:
        campaigns = campaigns.filter(launched_at__gte=since)
    if until:
        campaigns = campaigns.filter(launched_at__lt=until)
    return campaigns.select_related("run", "sender").order_by("-launched_at", "-pk")


def add_figures(campaigns: list[Campaign]) -> list[CampaignRow]:
    """Figures of a page of campaigns, in one query."""
    totals = list_totals([campaign.run_id for campaign in campaigns if campaign.run_id])
    rows = []
    for campaign in campaigns:
        run = campaign.run
        assert run is not None  # list_launched
        own = totals.get(run.pk, RunTotals())
        rows.append(CampaignRow(campaign, run, own, delivery_rate(own)))
    return rows


def list_running(tenant_id: int) -> list[tuple[Campaign, CampaignFigures]]:
    """Campaigns that still have messages to send, newest first."""
    campaigns = list_launched(tenant_id).filter(run__state__in=OPEN_STATES)[:RUNNING_SHOWN]
    rows = [(campaign, get_figures(campaign.run)) for campaign in campaigns if campaign.run is not None]
    return [(campaign, figures) for campaign, figures in rows if figures.queued_count]


def get_daily_results(tenant_id: int, zone: tzinfo) -> DailyResults:
    """Delivered and not delivered messages of the last 30 days, by day in the tenant's time zone."""
    today = timezone.now().astimezone(zone).date()
    days = [today - timedelta(days=n) for n in reversed(range(DAYS))]
    since = datetime.combine(days[0], datetime.min.time(), zone)
    states = STATE_GROUPS[StateGroup.DELIVERED] | STATE_GROUPS[StateGroup.UNDELIVERED]
    delivered, undelivered = Counter[date](), Counter[date]()
    for day, state, messages in list_days(tenant_id, since=since, zone=zone, states=[str(s) for s in states]):
        is_good = GROUP_OF[MessageState(state)] == StateGroup.DELIVERED
        (delivered if is_good else undelivered)[day] += messages
    return DailyResults(days, [max(delivered[d], 0) for d in days], [max(undelivered[d], 0) for d in days])


def get_month_totals(tenant_id: int) -> MonthTotals:
    since = timezone.now() - timedelta(days=DAYS)
    totals = sum_runs(tenant_id, since=since)
    return MonthTotals(
        sent_count=totals.sent.messages,
        delivery_rate=delivery_rate(totals),
        used_credits=totals.sent.credits,
        opt_out_count=count_reply_opt_outs(tenant_id, since=since),
    )


def list_setup_steps(tenant_id: int) -> list[SetupStep]:
    """What a new account has to do before its first campaign; all done once one was launched."""
    launched = list_launched(tenant_id).exists()
    return [
        SetupStep("contacts", launched or Contact.objects.filter(tenant_id=tenant_id).exists()),
        SetupStep("sender", launched or list_approved_senders(tenant_id).exists()),
        SetupStep("campaign", launched),
    ]
