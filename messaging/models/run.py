from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.tenancy import TenantOwned
from common.ids import uuid7
from messaging.months import current_month


class SendRun(TenantOwned):
    """The engine's unit of intent: a campaign's run, a test send, an API call. Pause and cancel change this one row.

    preparing → ready → running ⇄ paused → completed
        │         │        └───────┴→ cancelling → completed
        └─────────┴→ discarded (nothing was ever held or sent)
    """

    class State(models.TextChoices):
        PREPARING = "preparing", _("Preparing")
        READY = "ready", _("Ready")
        RUNNING = "running", _("Sending")
        PAUSED = "paused", _("Paused")
        CANCELLING = "cancelling", _("Cancelling")
        COMPLETED = "completed", _("Completed")
        DISCARDED = "discarded", _("Discarded")

    class ContentClass(models.TextChoices):
        COMMERCIAL = "commercial", _("Commercial")
        INFORMATIONAL = "informational", _("Informational")

    class Priority(models.IntegerChoices):
        OTP = 0, _("OTP")
        TEST = 2, _("Test")
        NORMAL = 5, _("Normal")

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    origin_type = models.CharField(max_length=20)  # "campaign", "test", "api"
    origin_id = models.BigIntegerField(null=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PREPARING)
    refusals_checked = models.BooleanField(default=False)  # its first answers were looked at (automatic pause)
    # Every batch is done, as of nearly all open runs: claims pass them by. Set by the sweep, taken back by a deferral.
    is_sent_out = models.BooleanField(default=False, db_default=False, editable=False)
    # "user", "refusals", "gateway", "window", "abuse" (platform staff hold it), "checked" (they did)
    pause_reason = models.CharField(max_length=40, blank=True)
    was_cancelled = models.BooleanField(default=False)
    priority = models.SmallIntegerField(choices=Priority.choices, default=Priority.NORMAL)
    content_class = models.CharField(max_length=13, choices=ContentClass.choices)
    sender = models.CharField(max_length=16)
    # Hours in which intent may be declared, in `time_zone` (S8); empty: any hour.
    window_opens = models.TimeField(null=True, blank=True)
    window_closes = models.TimeField(null=True, blank=True)
    time_zone = models.CharField(max_length=64, default="Europe/Istanbul")
    not_before = models.DateTimeField(null=True, blank=True)
    deadline_at = models.DateTimeField(null=True, blank=True)
    validity_seconds = models.PositiveIntegerField(default=48 * 3600)
    # Frozen when the run becomes ready (S4): messages written, their parts, their price.
    message_count = models.PositiveIntegerField(default=0)
    part_count = models.PositiveIntegerField(default=0)
    credits = models.DecimalField(max_digits=18, decimal_places=4, default=0)
    # YYYYMM: in whose partition its messages are, for good (see `messaging.months`). 0: from before there were months.
    month = models.PositiveIntegerField(default=current_month, editable=False)
    messages_dropped_at = models.DateTimeField(null=True, blank=True)  # its month went by age; its figures stay
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    state_changed_at = models.DateTimeField(auto_now_add=True)
    completed_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantOwned.Meta):
        verbose_name = _("send run")
        verbose_name_plural = _("send runs")
        indexes = [
            # Figures over a tenant's runs read those that were at work lately.
            models.Index(
                fields=["tenant", "completed_at"],
                name="run_tenant_completed",
                condition=models.Q(started_at__isnull=False),
            ),
            models.Index(
                fields=["state"],
                name="run_open",
                condition=models.Q(state__in=["preparing", "running", "paused", "cancelling"]),
            ),
            models.Index(fields=["month"], name="run_month"),
        ]
