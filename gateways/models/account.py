import secrets
from datetime import datetime

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.tenancy import TenantOrPlatformOwned
from common.crypto import decrypt, encrypt
from common.ids import uuid7
from smscore.encoding import Encoding
from smscore.pacing import split_rate
from smscore.segmentation import count_encoded_parts


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

    def count_sent_parts(self, text: str, encoding: str) -> int:
        """Pieces in which a text goes over this connection, with an id and receipts each; what is billed may be more
        or less. UnicodeEncodeError if the encoding cannot write it."""
        return count_encoded_parts(text, Encoding(encoding), reference_bits=self.reference_bits)
