from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.tenancy import TenantOrPlatformOwned


class ReceiptInbox(models.Model):
    """A delivery receipt as it came, stored before it is acknowledged (R1), matched later and again (R3, R4).

    Belongs to the platform until it is matched: row-level security opens it in platform scope only.
    """

    gateway_account_id = models.BigIntegerField()
    provider_message_id = models.CharField(max_length=80)
    msisdn = models.CharField(max_length=16, blank=True)
    state = models.CharField(max_length=12)  # smscore.status state, or "" when the word moves nothing
    reason = models.CharField(max_length=40, blank=True)
    provider_code = models.CharField(max_length=40, blank=True)
    occurred_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField(auto_now_add=True)
    raw = models.BinaryField()
    matched_message_id = models.BigIntegerField(null=True)
    is_inferred = models.BooleanField(default=False)
    sender = models.CharField(max_length=20, blank=True)
    token = models.BigIntegerField(null=True)  # the message, where the provider tells our own name of it
    tries = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(db_default=Now())  # when to match it (again)
    settled_at = models.DateTimeField(null=True)  # applied, found to move nothing, or given up after seven days

    class Meta:
        verbose_name = _("delivery receipt")
        verbose_name_plural = _("delivery receipts")
        indexes = [models.Index(fields=["due_at", "id"], name="receipt_due", condition=models.Q(settled_at=None))]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"


class InboundMessage(TenantOrPlatformOwned):
    """A message from a handset to us (MO). Tenant NULL: nobody could be found to whom it belongs."""

    shared_rows_visible = False
    gateway_account = models.ForeignKey(
        "gateways.GatewayAccount", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    msisdn = models.CharField(_("number"), max_length=16)
    recipient = models.CharField(_("to"), max_length=20)  # our short number
    text = models.TextField(_("text"))
    # A long message comes in pieces: its reference, how many there are, and those that came so far by number
    # (`messaging.services.inbound`).
    reference = models.IntegerField(default=0)
    part_count = models.PositiveSmallIntegerField(default=1)
    pieces = models.JSONField(default=dict, blank=True)
    provider_message_id = models.CharField(max_length=80, blank=True)  # the same message told twice is stored once
    keyword = models.CharField(_("keyword"), max_length=20, blank=True)  # the opt-out keyword it carried
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantOrPlatformOwned.Meta):
        verbose_name = _("incoming message")
        verbose_name_plural = _("incoming messages")
        indexes = [
            models.Index(fields=["tenant", "-received_at"], name="inbound_tenant_received"),
            models.Index(
                fields=["provider_message_id"],
                name="inbound_provider_id",
                condition=~models.Q(provider_message_id=""),
            ),
        ]

    @property
    def is_whole(self) -> bool:
        """Every piece of it has come."""
        return self.part_count <= 1 or len(self.pieces) >= self.part_count
