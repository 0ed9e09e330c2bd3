from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.tenancy import TenantOwned
from common.ids import uuid7
from messaging.models import SendRun


class Campaign(TenantOwned):
    """One text, one audience, one schedule.

    draft → preparing → ready → [scheduled] → launched      (from here the send run's state is the truth)
              └→ failed      ↖_______/  taken back, not enough credit, missed by more than 30 minutes
    draft | preparing | ready | scheduled | failed → cancelled
    ready → preparing, on request; scheduled → preparing → scheduled, at its time: lists or prices have changed since.
    Both raise `version` as an edit does.

    preparing, ready, failed → draft by any edit: it raises `version`, and a snapshot of an older version is stale,
    never launched, and discarded by whoever comes first (the next preparation, a cancel, the sweep).
    ready → launched is one transaction: credits held, run running, this row.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PREPARING = "preparing", _("Preparing")
        READY = "ready", _("Ready")
        SCHEDULED = "scheduled", _("Scheduled")
        LAUNCHED = "launched", _("Launched")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=120)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.DRAFT)
    # Rises with every save of the draft; a save that names an older version is refused (two people, one draft).
    version = models.PositiveIntegerField(default=1)
    groups = models.ManyToManyField(
        "contacts.ContactGroup",
        through="campaigns.CampaignGroup",
        through_fields=("campaign", "group"),
        related_name="+",
    )
    sender = models.ForeignKey(
        "gateways.SenderId", on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("sender ID")
    )
    content_class = models.CharField(  # no default: the user chooses, and answers for it
        _("message type"), max_length=13, choices=SendRun.ContentClass.choices, blank=True
    )
    text = models.TextField(_("message"), blank=True)
    append_opt_out = models.BooleanField(_("add opt-out text"), default=True)
    transliterate = models.BooleanField(_("without Turkish letters"), default=False)
    scheduled_at = models.DateTimeField(_("send at"), null=True, blank=True)  # empty: at launch
    respect_sending_hours = models.BooleanField(_("keep to sending hours"), default=True)
    # Why an informational campaign with promotional words is informational all the same (turkish-rules section 2).
    class_reason = models.CharField(_("reason"), max_length=200, blank=True)
    failure = models.CharField(max_length=300, blank=True)  # a code of campaigns.selectors.checks
    preparing_at = models.DateTimeField(null=True, blank=True)
    prepare_stalls = models.PositiveSmallIntegerField(default=0)  # sweeps in a row that found preparing at a stop
    starts_when_prepared = models.BooleanField(default=False)  # preparing, and scheduled again afterwards
    run = models.OneToOneField(SendRun, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, null=True, related_name="+")
    updated_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, null=True, related_name="+")
    launched_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    launched_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantOwned.Meta):
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        indexes = [
            models.Index(fields=["tenant", "-created_at"], name="campaign_tenant_created"),
            models.Index(
                fields=["scheduled_at"],
                name="campaign_due",
                condition=models.Q(status__in=["scheduled", "preparing"]),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CampaignGroup(TenantOwned):
    """A list of a campaign's audience, to send to or to leave out."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="group_links")
    group = models.ForeignKey("contacts.ContactGroup", on_delete=models.CASCADE, related_name="+")
    is_excluded = models.BooleanField(default=False)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint(fields=["campaign", "group"], name="campaign_group_once")]
