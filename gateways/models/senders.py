"""Sender IDs, their papers, and where each of them is approved."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.tenancy import TenantOwned
from common.ids import uuid7
from smscore.sender import fold_sender


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


class SenderDocument(TenantOwned):
    """A paper that proves the right to a sender ID. Only platform staff can read it (admin)."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    sender = models.ForeignKey("gateways.SenderId", on_delete=models.CASCADE, related_name="documents")
    file_name = models.CharField(_("file"), max_length=120)
    kind = models.CharField(max_length=4)  # pdf, jpg, png: from the content
    size_bytes = models.PositiveIntegerField()
    stored_path = models.CharField(max_length=200)  # in the private storage
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta(TenantOwned.Meta):
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        ordering = ["created_at"]

    def __str__(self) -> str:
        return self.file_name


class SenderApproval(TenantOwned):
    """Whether a sender ID may be used over a connection. Operators approve each on their own.

    requested ⇄ approved ⇄ refused; staff decide, or the provider's own list of approved sender IDs does.
    """

    class State(models.TextChoices):
        REQUESTED = "requested", _("Awaiting approval")
        APPROVED = "approved", _("Approved")
        REFUSED = "refused", _("Refused")

    sender = models.ForeignKey("gateways.SenderId", on_delete=models.CASCADE, related_name="approvals")
    gateway_account = models.ForeignKey(
        "gateways.GatewayAccount", on_delete=models.CASCADE, related_name="+", verbose_name=_("connection")
    )
    state = models.CharField(_("status"), max_length=9, choices=State.choices, default=State.REQUESTED)
    provider_name = models.CharField(
        _("name at the provider"),
        max_length=20,
        blank=True,
        help_text=_("As the provider lists it, if it differs. Sending needs the same letters."),
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True, editable=False)
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    class Meta(TenantOwned.Meta):
        verbose_name = _("approval at a connection")
        verbose_name_plural = _("approvals at connections")
        constraints = [models.UniqueConstraint(fields=["sender", "gateway_account"], name="sender_approval_once")]

    def __str__(self) -> str:
        return f"{self.sender} · {self.gateway_account}"
