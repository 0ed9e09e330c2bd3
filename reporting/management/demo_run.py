"""The main job through the same services as the panel: import, launch a campaign, wait for the receipts."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from django.conf import settings
from django.core.files import File
from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils.crypto import get_random_string

from accounts.models import Tenant, User
from accounts.scope import platform_scope, tenant_scope
from accounts.services import create_tenant
from billing.services import open_credit_account, top_up_credits
from campaigns.models import Campaign
from campaigns.services.audience import prepare_audience
from campaigns.services.drafts import DraftContent, create_campaign
from campaigns.services.launch import launch_campaign
from campaigns.tasks import walk_audience
from contacts.models import Contact, ContactImport
from contacts.services.imports import create_import, map_by_header, queue_import
from contacts.tasks import run_import
from gateways.models import SenderId
from gateways.opening import open_account_gateway
from gateways.simulator.accounts import create_provider_account, ensure_simulator_account
from gateways.simulator.client import change_double, change_script
from gateways.simulator.providers.host import get_double_class
from gateways.types import Capabilities
from messaging.models import SendRun
from messaging.selectors import get_run_totals
from messaging.tasks import ring_senders
from optout.models import SuppressionEntry
from optout.services import add_suppressions

SENDER = "PEYKDEMO"
RATE_PER_SECOND = 20_000
WINDOW_SIZE = 500
TEXT = "Sayın [İsim|müşterimiz], [Kod|-] numaralı siparişiniz [Şehir|şehrinizde] yola çıktı. Tutar: [Tutar|0] TL"
SUPPRESSED_SHARE = 50  # one imported contact in so many is on the suppression list
POLL_SECONDS = 0.25
PROVIDER_RATE = 400
BAD_DAY: dict[str, object] = {
    "seed": 5,
    "throttle_ratio": 0.15,
    "lost_answer_ratio": 0.15,
    "receipt_delay": [200, 3000],
    "late_receipt_ratio": 0.05,
    "late_receipt_delay": [5000, 9000],
    "double_receipt_ratio": 0.1,
}
# With a call for each message the same number of bad calls is a smaller share.
BAD_DAY_OF_SINGLE_CALLS: dict[str, object] = {**BAD_DAY, "throttle_ratio": 0.02, "lost_answer_ratio": 0.02}
WINDOW_OF_SINGLE_CALLS = 16

Report = Callable[[str, int, int], None]  # step, done, total


class DemoStalled(RuntimeError):
    """A step made no progress for too long; the message says which."""


@dataclass(frozen=True, slots=True)
class DemoTenant:
    """`provider`: what the connection to an HTTP provider can do; None where the run leaves over SMPP."""

    tenant: Tenant
    user: User
    provider: Capabilities | None = None


def create_demo_tenant(rows: int, gateway: str = "") -> DemoTenant:
    """A tenant of its own for the run: credits, approved sender ID, and the simulator as the way out: its SMPP centre,
    or the double of an HTTP provider."""
    slug = f"demo-{get_random_string(6, 'abcdefghijkmnpqrstuvwxyz')}"
    with transaction.atomic():
        user = User.objects.create_user(f"{slug}@example.com", full_name="Demo")
        tenant = create_tenant(name="Demo", slug=slug, owner=user)
        with platform_scope(reason="demo run"):
            provider = _set_up_provider(gateway) if gateway else None
            if provider is None:
                ensure_simulator_account(rate_per_second=RATE_PER_SECOND, window_size=WINDOW_SIZE)
            open_credit_account(tenant)
            top_up_credits(tenant=tenant, amount=Decimal(rows * 10 + 100), reference=f"demo:{slug}", actor=user)
        with tenant_scope(tenant.pk):
            SenderId(tenant=tenant, name=SENDER, status=SenderId.Status.APPROVED).save()
    return DemoTenant(tenant, user, provider)


def _set_up_provider(slug: str) -> Capabilities:
    """Platform scope. The double has a bad day, and calls us where its provider would."""
    account = create_provider_account(slug, rate_per_second=PROVIDER_RATE)
    able = open_account_gateway(account).capabilities
    config = dict(get_double_class(slug).demo_config)
    if able.receipts in ("push", "both"):
        config["push_receipts"] = f"{settings.PUBLIC_URL}/gateways/{account.push_token}/receipts"
    change_double(slug, config)
    if able.batch_size > 1:
        change_script(BAD_DAY)
    else:
        change_script(BAD_DAY_OF_SINGLE_CALLS)
        account.window_size = WINDOW_OF_SINGLE_CALLS
        account.save(update_fields=["window_size"])
    return able


def import_demo_file(demo: DemoTenant, path: Path, report: Report) -> ContactImport:
    """Upload, guess the columns, import in a worker; returns the finished import."""
    with tenant_scope(demo.tenant.pk):
        with path.open("rb") as file:
            contact_import = create_import(tenant=demo.tenant, file=File(file, path.name), user=demo.user)
        mapping = map_by_header(contact_import, {})
        queue_import(contact_import=contact_import, mapping=mapping, list_name="Demo", user=demo.user)
    run_import.delay(import_id=contact_import.pk, tenant_id=demo.tenant.pk)

    def look() -> tuple[int, int, bool]:
        contact_import.refresh_from_db()
        is_over = contact_import.state not in (ContactImport.State.QUEUED, ContactImport.State.RUNNING)
        return contact_import.row_count, contact_import.row_estimate or 0, is_over

    _wait(demo, "import", look, report)
    if contact_import.state != ContactImport.State.COMPLETED:
        raise DemoStalled(f"the import ended as {contact_import.state}: {contact_import.error}")
    return contact_import


def suppress_some(demo: DemoTenant) -> int:
    """Put every fiftieth contact on the suppression list, as if they had refused; returns how many."""
    with tenant_scope(demo.tenant.pk):
        numbers = list(Contact.objects.filter(tenant=demo.tenant).order_by("pk").values_list("msisdn", flat=True))
        refused = numbers[::SUPPRESSED_SHARE]
        add_suppressions(
            tenant_id=demo.tenant.pk,
            msisdns=refused,
            source=SuppressionEntry.Source.IMPORT,
            reason="demo",
            actor=demo.user,
        )
    return len(refused)


def launch_demo_campaign(demo: DemoTenant, group_id: int, report: Report) -> Campaign:
    """Compose, freeze the audience in a worker, launch; returns the launched campaign."""
    with tenant_scope(demo.tenant.pk):
        campaign = create_campaign(
            tenant=demo.tenant,
            actor=demo.user,
            content=DraftContent(
                name="Demo",
                include_group_ids=frozenset({group_id}),
                sender_id=SenderId.objects.get(tenant=demo.tenant, name=SENDER).pk,
                content_class=SendRun.ContentClass.INFORMATIONAL,
                text=TEXT,
                append_opt_out=False,
                respect_sending_hours=False,
            ),
        )
        prepare_audience(campaign=campaign, version=campaign.version, actor=demo.user)
    walk_audience.delay(campaign_id=campaign.pk, tenant_id=demo.tenant.pk)

    def look() -> tuple[int, int, bool]:
        campaign.refresh_from_db()
        snapshot = getattr(campaign, "snapshot", None)
        done, total = (snapshot.message_count, snapshot.estimated_count) if snapshot else (0, 0)
        return done, total, campaign.status != Campaign.Status.PREPARING

    _wait(demo, "audience", look, report)
    with tenant_scope(demo.tenant.pk):
        launch_campaign(campaign=campaign, version=campaign.version, actor=demo.user)
        campaign.refresh_from_db()
    ring_senders.delay(run_id=campaign.run_id)
    return campaign


def wait_for_receipts(demo: DemoTenant, campaign: Campaign, report: Report) -> SendRun:
    """Until the engine itself calls the run completed."""
    assert campaign.run_id is not None
    with tenant_scope(demo.tenant.pk):
        run: SendRun = SendRun.objects.get(pk=campaign.run_id)

    def look() -> tuple[int, int, bool]:
        run.refresh_from_db()
        totals = get_run_totals(run)
        return totals.total.messages - totals.open_count, run.message_count, run.state == SendRun.State.COMPLETED

    _wait(demo, "receipts", look, report)
    return run


def _wait(
    demo: DemoTenant, step: str, look: Callable[[], tuple[int, int, bool]], report: Report, *, patience: float = 120.0
) -> None:
    """Look until the step is over. Raises DemoStalled after `patience` seconds in which nothing moved."""
    last, moved_at = -1, time.monotonic()
    while True:
        try:
            with tenant_scope(demo.tenant.pk):
                done, total, is_over = look()
        except (OperationalError, InterfaceError):
            connection.close()  # the database restarts; the engine does not mind, and neither do we
            done, total, is_over = last, 0, False
        report(step, done, total)
        if is_over:
            return
        if done != last:
            last, moved_at = done, time.monotonic()
        elif time.monotonic() - moved_at > patience:
            raise DemoStalled(f"{step}: nothing moved for {patience:.0f} s at {done} of {total}")
        time.sleep(POLL_SECONDS)
