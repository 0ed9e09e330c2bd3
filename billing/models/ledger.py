from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.tenancy import TenantOrPlatformOwned
from common.ids import uuid7

CREDIT_FIELD: dict[str, Any] = {"max_digits": 18, "decimal_places": 4}


class CreditAccount(TenantOrPlatformOwned):
    """A purse of credits; `available` and `reserved` are sums of ledger entries (M1), kept for the conditional hold.

    Tenants have one; the platform has two: `issued` (goes negative as credits are handed out) and `used`.
    """

    class Kind(models.TextChoices):
        TENANT = "tenant", _("Account")
        ISSUED = "issued", _("Issued")
        USED = "used", _("Used")

    shared_rows_visible = False
    kind = models.CharField(_("kind"), max_length=6, choices=Kind.choices, default=Kind.TENANT)
    available = models.DecimalField(_("available"), default=0, **CREDIT_FIELD)
    reserved = models.DecimalField(_("on hold"), default=0, **CREDIT_FIELD)

    class Meta(TenantOrPlatformOwned.Meta):
        verbose_name = _("credit account")
        verbose_name_plural = _("credit accounts")
        constraints = [
            models.UniqueConstraint(fields=["tenant"], name="credit_account_once"),
            models.UniqueConstraint(fields=["kind"], condition=Q(tenant=None), name="platform_account_once"),
            # M2: nobody spends what is not there; only the issuing account runs below zero.
            models.CheckConstraint(condition=Q(kind="issued") | Q(available__gte=0), name="available_not_negative"),
            models.CheckConstraint(condition=Q(reserved__gte=0), name="reserved_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.tenant_id or ''}".strip()


class LedgerTransaction(TenantOrPlatformOwned):
    """One movement of credits: two or more entries that add up to zero (M3)."""

    class Kind(models.TextChoices):
        TOP_UP = "top_up", _("Top-up")
        HOLD = "hold", _("Hold")
        CAPTURE = "capture", _("Usage")
        RELEASE = "release", _("Released")
        TRANSFER = "transfer", _("Transfer")

    shared_rows_visible = False
    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    # Says what the movement is for and makes repeats harmless: "run:42:hold".
    reference = models.CharField(_("reference"), max_length=120)
    run_id = models.BigIntegerField(null=True, blank=True)  # the send run that holds and uses; no key upward
    note = models.CharField(_("note"), max_length=200, blank=True)
    message_count = models.PositiveIntegerField(default=0)
    actor = models.ForeignKey("accounts.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantOrPlatformOwned.Meta):
        verbose_name = _("credit movement")
        verbose_name_plural = _("credit movements")
        constraints = [models.UniqueConstraint(fields=["tenant", "reference"], name="ledger_reference_once")]
        indexes = [
            models.Index(fields=["tenant", "-created_at"], name="ledger_tenant_created"),
            models.Index(fields=["run_id"], name="ledger_run"),
        ]


class LedgerEntry(TenantOrPlatformOwned):
    """One line of a movement on one account. Append-only (M5)."""

    shared_rows_visible = False
    transaction = models.ForeignKey(LedgerTransaction, on_delete=models.PROTECT, related_name="entries")
    account = models.ForeignKey(CreditAccount, on_delete=models.PROTECT, related_name="entries")
    available_delta = models.DecimalField(default=0, **CREDIT_FIELD)
    reserved_delta = models.DecimalField(default=0, **CREDIT_FIELD)

    class Meta(TenantOrPlatformOwned.Meta):
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
