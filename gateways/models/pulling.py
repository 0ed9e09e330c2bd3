"""What a provider has to be asked for, and how far that was done."""

from django.db import models
from django.db.models.functions import MD5

from accounts.tenancy import TenantOwned


class ReceiptJob(TenantOwned):
    """Something to ask a provider about that does not bring its receipts by itself: what its answer to a call named,
    or the time of a call that got no answer. Written with the answers, worked off by the connection's first slot.
    """

    tenant = models.ForeignKey(
        "accounts.Tenant", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    gateway_account_id = models.BigIntegerField()
    job = models.TextField()  # in the adapter's words
    message_count = models.PositiveIntegerField()  # 0: not known
    tries = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()  # a new one is due later by the account's first wait
    closed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantOwned.Meta):
        constraints = [models.UniqueConstraint("gateway_account_id", MD5("job"), name="receipt_job_once")]
        indexes = [
            # The first of each tenant; new ones apart, because they are due later (messaging.services.pulling).
            models.Index(
                fields=["gateway_account_id", "tenant_id", "due_at"],
                name="receipt_job_new",
                condition=models.Q(closed_at=None, tries=0),
            ),
            models.Index(
                fields=["gateway_account_id", "tenant_id", "due_at"],
                name="receipt_job_again",
                condition=models.Q(closed_at=None, tries__gt=0),
            ),
        ]


class PullCursor(models.Model):
    """How far a connection's stream of events has been read; written in the transaction that stores them (R1).

    The platform's: row-level security opens it in platform scope only.
    """

    gateway_account_id = models.BigIntegerField()
    stream = models.CharField(max_length=20)
    cursor = models.TextField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["gateway_account_id", "stream"], name="pull_cursor_once")]
