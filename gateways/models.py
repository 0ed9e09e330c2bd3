from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.tenancy import TenantOrPlatformOwned, TenantOwned
from common.crypto import decrypt, encrypt
from common.ids import uuid7
from smscore.pacing import split_rate


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
    is_active = models.BooleanField(_("active"), default=True)
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
    status = models.CharField(_("status"), max_length=9, choices=Status.choices, default=Status.REQUESTED)
    note = models.CharField(_("note"), max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantOwned.Meta):
        verbose_name = _("sender ID")
        verbose_name_plural = _("sender IDs")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="sender_id_once")]

    def __str__(self) -> str:
        return self.name


class Route(TenantOrPlatformOwned):
    """Which connection carries which traffic: tenant's rows first, then the longest prefix, then the lowest order."""

    prefix = models.CharField(_("number prefix"), max_length=12, default="+")
    gateway_account = models.ForeignKey(GatewayAccount, on_delete=models.PROTECT, verbose_name=_("connection"))
    order = models.PositiveSmallIntegerField(_("order"), default=100)
    national_tables = models.BooleanField(_("Turkish tables"), default=True)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta(TenantOrPlatformOwned.Meta):
        verbose_name = _("route")
        verbose_name_plural = _("routes")
        ordering = ["order"]
