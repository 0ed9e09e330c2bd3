"""A launched campaign whose messages have moved as the engine moves them: with roll-ups in the same transaction."""

from collections import Counter
from decimal import Decimal

from django.utils import timezone

from accounts.scope import platform_scope, tenant_scope
from billing.services import top_up_credits
from campaigns.models import Campaign
from gateways.models import GatewayAccount
from messaging.models import Message, SendRun
from messaging.services.tallies import SHARD_RECEIPTS, Counted, record_tallies
from smscore.status import TERMINAL_STATES

from .engine_runs import make_rows, make_run


def launch(cast, count=10, *, name="Sonbahar indirimi", rows=None):
    """Ayşe's campaign to `count` numbers, running, nothing sent yet."""
    top_up_credits(tenant=cast.butik, amount=Decimal(100_000), reference=f"test:{name}", actor=None)
    with platform_scope(reason="test"):
        account, _ = GatewayAccount.objects.get_or_create(name="Operator", adapter="smpp")
    with tenant_scope(cast.butik.pk):
        campaign = Campaign(tenant=cast.butik, name=name, text="Merhaba", created_by=cast.ayse)
        campaign.save()
    run = make_run(cast.butik, account, rows or make_rows(count), origin_id=campaign.pk)
    with tenant_scope(cast.butik.pk):
        campaign.run, campaign.status = run, Campaign.Status.LAUNCHED
        campaign.launched_at, campaign.launched_by = timezone.now(), cast.ayse
        campaign.save()
    return campaign


def move(campaign, numbers, state, *, reason="", code=""):
    """Move messages (by position in the run's order of numbers) to a state, and their roll-ups with them."""
    run = campaign.run
    with tenant_scope(run.tenant_id):
        messages = [list(Message.objects.filter(run=run).order_by("msisdn"))[n] for n in numbers]
        left, entered = Counter(), Counter()
        for message in messages:
            left[message.state, message.reason, message.operator] += 1
            entered[state, reason, message.operator] += 1
        ids = [message.pk for message in messages]
        now = timezone.now()
        times = {"done_at": now} if state in TERMINAL_STATES else {"accepted_at": now, "submitted_at": now}
        Message.objects.filter(pk__in=ids).update(state=state, reason=reason, provider_code=code, **times)
        record_tallies(
            left=[Counted(run.pk, run.tenant_id, *key, n, n, Decimal(n)) for key, n in left.items()],
            entered=[Counted(run.pk, run.tenant_id, *key, n, n, Decimal(n)) for key, n in entered.items()],
            shard=SHARD_RECEIPTS,
        )


def complete(campaign):
    run = campaign.run
    with tenant_scope(run.tenant_id):
        SendRun.objects.filter(pk=run.pk).update(state=SendRun.State.COMPLETED, completed_at=timezone.now())
        run.refresh_from_db()
