from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.tenancy import TenantOwned

from .run import SendRun

# The busiest tables go without foreign key constraints: the engine writes them in bulk with keys that it has just read
# or made, and three look-ups per row at commit were a third of the cost of writing.
UNCHECKED: dict[str, Any] = {"db_index": False, "db_constraint": False}


class MessageBatch(TenantOwned):
    """Up to 1,000 messages of one run for one connection; the unit that a sender slot leases.

    `intent_upto` is the high-water mark: positions below it may have been written to the wire, positions at or above it
    have certainly not. It only rises. Message states `claimed` and `submitting` are read from here, not stored.
    """

    class State(models.TextChoices):
        READY = "ready"
        LEASED = "leased"
        DONE = "done"

    run = models.ForeignKey(SendRun, on_delete=models.PROTECT, related_name="batches")
    gateway_account = models.ForeignKey(
        "gateways.GatewayAccount", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    state = models.CharField(max_length=6, choices=State.choices, default=State.READY)
    priority = models.SmallIntegerField()
    not_before = models.DateTimeField()
    message_count = models.PositiveIntegerField()
    intent_upto = models.PositiveIntegerField(default=0)
    session = models.ForeignKey(
        "messaging.DispatcherSession", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    attempt = models.PositiveSmallIntegerField(default=0)  # how often its messages were deferred before
    encoding = models.CharField(max_length=16, db_default="")  # of all its messages: what its connection must carry
    route_step = models.ForeignKey(  # why it is at this connection
        "messaging.RouteStep", on_delete=models.PROTECT, null=True, related_name="+", **UNCHECKED
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantOwned.Meta):
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        indexes = [
            # The claim looks at the next few batches of each running run.
            models.Index(
                fields=["run", "gateway_account", "id"], name="batch_next_of_run", condition=models.Q(state="ready")
            ),
            models.Index(fields=["session"], name="batch_leased", condition=models.Q(state="leased")),
            # The express lane must not look at all open runs for the one that is new.
            models.Index(
                fields=["gateway_account", "id"],
                name="batch_express",
                condition=models.Q(state="ready", priority__lte=SendRun.Priority.OTP),
            ),
        ]


class Message(TenantOwned):
    """One recipient of one run. States, moves and labels: reliability.md section 3 (`smscore.status`).

    No index on `state` and room on the page, so that both updates of a message's life stay on its page (HOT).
    """

    tenant = models.ForeignKey("accounts.Tenant", on_delete=models.PROTECT, related_name="+", **UNCHECKED)
    run = models.ForeignKey(SendRun, on_delete=models.PROTECT, related_name="messages", **UNCHECKED)
    batch = models.ForeignKey(MessageBatch, on_delete=models.PROTECT, related_name="messages", **UNCHECKED)
    position = models.PositiveIntegerField()
    contact_id = models.BigIntegerField(null=True)
    msisdn = models.CharField(_("number"), max_length=16)
    text = models.TextField(_("text"))
    encoding = models.CharField(max_length=16)  # smscore.Encoding value
    parts = models.PositiveSmallIntegerField(_("parts"))
    price = models.DecimalField(_("credits"), max_digits=12, decimal_places=4)
    operator = models.CharField(max_length=12, blank=True)  # hint by prefix, smscore.operator_of
    state = models.CharField(max_length=12, default="queued")
    reason = models.CharField(max_length=40, blank=True)  # reason class of a failure
    provider_code = models.CharField(max_length=40, blank=True)
    submitted_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    class Meta(TenantOwned.Meta):
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.UniqueConstraint(fields=["run", "msisdn"], name="message_once"),  # S1
            models.UniqueConstraint(fields=["batch", "position"], name="message_position_once"),
        ]


class ProviderReference(TenantOwned):
    """What the provider called a part of a message; receipts are matched here. Insert-only, so messages stay HOT.

    Providers reuse ids: the newest within seven days with the same number counts (reliability.md section 5).
    """

    tenant = models.ForeignKey("accounts.Tenant", on_delete=models.PROTECT, related_name="+", **UNCHECKED)
    gateway_account_id = models.BigIntegerField()
    provider_message_id = models.CharField(max_length=80)
    message_id = models.BigIntegerField()
    part = models.PositiveSmallIntegerField(default=1)
    of_parts = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=12, blank=True)  # last final receipt, kept for long messages only
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantOwned.Meta):
        verbose_name = _("provider reference")
        verbose_name_plural = _("provider references")
        indexes = [
            models.Index(fields=["gateway_account_id", "provider_message_id"], name="provider_reference_lookup"),
            # A long message is delivered when all its parts are.
            models.Index(fields=["message_id"], name="provider_reference_parts", condition=models.Q(of_parts__gt=1)),
        ]
