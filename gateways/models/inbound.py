"""Numbers that handsets write to."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.tenancy import TenantOwned
from smscore.keywords import fold_words

from .account import GatewayAccount


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
