import secrets
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import MD5
from django.utils.translation import gettext_lazy as _

from accounts.tenancy import TenantOrPlatformOwned, TenantOwned
from common.crypto import decrypt, encrypt
from common.ids import uuid7
from smscore.keywords import fold_words
from smscore.pacing import split_rate
from smscore.sender import fold_sender

from .health_models import ConnectionCheck, ConnectionFigures, ConnectionIncident, LinkStatus
from .routing_models import (
    AccountHealth,
    AccountMonth,
    BilledProfile,
    PortedNumber,
    ProviderCharge,
    RouteRule,
    RouteTarget,
)
from .sender_models import SenderApproval, SenderDocument


def make_push_token() -> str:
    return secrets.token_hex(32)


class GatewayAccount(TenantOrPlatformOwned):
    """Credentials and limits on one provider connection: the platform's (tenant NULL) or a tenant's own."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=80)
    adapter = models.SlugField(_("provider"), max_length=40)  # key of gateways.registry
    settings = models.JSONField(_("settings"), default=dict, blank=True)  # what is not secret: host, port, ton …
    secret = models.TextField(_("secret"), blank=True, editable=False)  # common.crypto, bound to public_id
    rate_per_second = models.PositiveIntegerField(
        _("messages per second"), default=100, validators=[MinValueValidator(1)]
    )
    window_size = models.PositiveSmallIntegerField(
        _("window"), default=10, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    slots = models.PositiveSmallIntegerField(_("sender slots"), default=1, validators=[MinValueValidator(1)])
    # Where the provider calls us, unguessable: /gateways/<token>/receipts and /gateways/<token>/inbound.
    push_token = models.CharField(max_length=64, unique=True, default=make_push_token, editable=False)
    # Off: no further message leaves, from the next intent on (messaging.services.claims).
    is_active = models.BooleanField(_("active"), default=True)
    switched_at = models.DateTimeField(null=True, editable=False)  # off or on, the last time
    # Between these, by the database's clock, nothing is sent and messages wait. An open end: until it is lifted.
    maintenance_from = models.DateTimeField(_("maintenance from"), null=True, blank=True)
    maintenance_until = models.DateTimeField(_("maintenance until"), null=True, blank=True)
    needs_sender_approval = models.BooleanField(
        _("sender IDs need approval here"),
        default=False,
        help_text=_("Only sender IDs that were approved for this connection may be used over it."),
    )
    # Sender IDs as the provider lists them for this account, letter for letter; null: it was not or cannot be asked.
    listed_senders = models.JSONField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantOrPlatformOwned.Meta):
        verbose_name = _("connection")
        verbose_name_plural = _("connections")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def set_secret(self, plaintext: str) -> None:
        self.secret = encrypt(plaintext, context=f"gateway:{self.public_id}")

    def get_secret(self) -> str:
        return decrypt(self.secret, context=f"gateway:{self.public_id}") if self.secret else ""

    def is_in_maintenance(self, now: datetime) -> bool:
        """For pages; what is sent goes by the database's clock (messaging.services.claims)."""
        if self.maintenance_from is None or self.maintenance_from > now:
            return False
        return self.maintenance_until is None or self.maintenance_until > now

    @property
    def slot_rates(self) -> list[int]:
        """Messages a second of each slot in use; slots beyond the rate are none."""
        return split_rate(self.rate_per_second, self.slots)

    @property
    def reference_bits(self) -> int:
        """Of the header that joins the parts of a long message, 8 or 16: parts are counted as they will travel."""
        return 16 if self.settings.get("long_mode") == "udh16" else 8


class SenderId(TenantOwned):
    """The name a handset shows. Stored exactly as approved: case and spaces count."""

    class Status(models.TextChoices):
        REQUESTED = "requested", _("Awaiting approval")
        APPROVED = "approved", _("Approved")
        REFUSED = "refused", _("Refused")

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    name = models.CharField(_("sender ID"), max_length=11)
    # How the name looks (smscore.sender.fold_sender): two accounts' names that look alike need the platform's word.
    look = models.CharField(max_length=22, editable=False, default="")
    status = models.CharField(_("status"), max_length=9, choices=Status.choices, default=Status.REQUESTED)
    note = models.CharField(_("note"), max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantOwned.Meta):
        verbose_name = _("sender ID")
        verbose_name_plural = _("sender IDs")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="sender_id_once")]
        indexes = [models.Index(fields=["look"], name="sender_id_look")]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.look = fold_sender(self.name)
        super().save(*args, **kwargs)


class InboundNumber(TenantOwned):
    """A number that handsets write to, and whose messages to it are: all of them, or those that begin with a keyword.

    Without a row a message belongs to whoever wrote to that handset last (`messaging.services.inbound`).
    """

    gateway_account = models.ForeignKey(GatewayAccount, on_delete=models.PROTECT, verbose_name=_("connection"))
    recipient = models.CharField(
        _("number"), max_length=20, help_text=_("As the operator delivers it: a short number, or digits without +.")
    )
    keyword = models.CharField(
        _("keyword"),
        max_length=20,
        blank=True,
        help_text=_("First word of the message; empty: every message to this number."),
    )
    folded_keyword = models.CharField(max_length=40, blank=True, editable=False)  # smscore.keywords.fold_words
    is_active = models.BooleanField(_("active"), default=True)

    class Meta(TenantOwned.Meta):
        verbose_name = _("incoming number")
        verbose_name_plural = _("incoming numbers")
        ordering = ["recipient", "keyword"]
        constraints = [
            models.UniqueConstraint(
                fields=["gateway_account", "recipient", "folded_keyword"],
                condition=models.Q(is_active=True),
                name="inbound_number_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.recipient} {self.keyword}".strip()

    def clean(self) -> None:
        self.fold()
        if self.keyword and len(fold_words(self.keyword)) != 1:
            raise ValidationError({"keyword": _("One word, of letters and digits.")})
        account = getattr(self, "gateway_account", None)
        if account is not None and account.tenant_id not in (None, self.tenant_id):
            text = _("%(name)s belongs to another account.") % {"name": account.name}
            raise ValidationError({"gateway_account": text})

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.fold()
        super().save(*args, **kwargs)

    def fold(self) -> None:
        """What `selectors.find_number_owner` compares: digits as they come, the keyword without case and accents."""
        self.recipient = self.recipient.strip().lstrip("+")
        self.keyword = self.keyword.strip()
        self.folded_keyword = "".join(fold_words(self.keyword))


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


__all__ = [
    "AccountHealth",
    "AccountMonth",
    "BilledProfile",
    "ConnectionCheck",
    "ConnectionFigures",
    "ConnectionIncident",
    "GatewayAccount",
    "InboundNumber",
    "LinkStatus",
    "PortedNumber",
    "ProviderCharge",
    "PullCursor",
    "ReceiptJob",
    "RouteRule",
    "RouteTarget",
    "SenderApproval",
    "SenderDocument",
    "SenderId",
]
