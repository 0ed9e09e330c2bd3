"""Tables of routing: rules with their connections, health of connections, how providers count, what they bill."""

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.tenancy import TenantOrPlatformOwned
from common.ids import uuid7
from smscore.billing_profile import BillingProfile


class RouteRule(TenantOrPlatformOwned):
    """Which traffic goes over which connections. Order: a tenant's own rules, then `position`, then the more particular
    (longer prefix, sender, operator, purpose). The first rule that fits and has a usable connection decides.

    A rule that was in force is turned off, never deleted: waiting messages still find their fallbacks in it.
    """

    class State(models.TextChoices):
        ACTIVE = "active", _("In force")
        DRAFT = "draft", _("Draft")
        OFF = "off", _("Off")

    class Purpose(models.TextChoices):
        COMMERCIAL = "commercial", _("Commercial")
        INFORMATIONAL = "informational", _("Informational")
        OTP = "otp", _("One-time passwords")

    class Operator(models.TextChoices):
        TURKCELL = "turkcell", "Turkcell"
        VODAFONE = "vodafone", "Vodafone"
        TURK_TELEKOM = "turktelekom", "Türk Telekom"
        OTHER = "other", pgettext_lazy("operator", "Other")

    class Balance(models.TextChoices):
        COST = "cost", _("Least cost")
        SHARE = "share", _("Share by weight")

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=80)
    position = models.PositiveSmallIntegerField(_("position"), default=100)
    purpose = models.CharField(_("purpose"), max_length=13, choices=Purpose.choices, blank=True)
    operator = models.CharField(_("operator"), max_length=12, choices=Operator.choices, blank=True)
    prefix = models.CharField(
        _("number prefix"), max_length=12, default="+", validators=[RegexValidator(r"^\+\d*$", _("+ and digits."))]
    )
    sender = models.CharField(_("sender ID"), max_length=16, blank=True)
    balance = models.CharField(_("among equals"), max_length=5, choices=Balance.choices, default=Balance.COST)
    state = models.CharField(_("status"), max_length=6, choices=State.choices, default=State.ACTIVE)
    replaces = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="drafts", verbose_name=_("replaces")
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantOrPlatformOwned.Meta):
        verbose_name = _("routing rule")
        verbose_name_plural = _("routing rules")
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.name


class RouteTarget(TenantOrPlatformOwned):
    """A connection of a rule. The lowest tier carries; within it the cheapest, or each its share by weight. All the
    others are fallbacks in the order of tier and cost."""

    rule = models.ForeignKey(
        RouteRule, on_delete=models.CASCADE, related_name="targets", verbose_name=_("routing rule")
    )
    gateway_account = models.ForeignKey(
        "gateways.GatewayAccount", on_delete=models.PROTECT, related_name="+", verbose_name=_("connection")
    )
    tier = models.PositiveSmallIntegerField(_("tier"), default=1, validators=[MinValueValidator(1)])
    weight = models.PositiveSmallIntegerField(_("weight"), default=1, validators=[MaxValueValidator(1000)])
    cost_per_part = models.DecimalField(_("cost per part"), max_digits=10, decimal_places=5, default=0)
    national_tables = models.BooleanField(_("Turkish tables"), default=True)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta(TenantOrPlatformOwned.Meta):
        verbose_name = _("connection of a rule")
        verbose_name_plural = _("connections of a rule")
        ordering = ["tier", "cost_per_part", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["rule", "gateway_account"], name="route_target_once"),
            models.CheckConstraint(condition=Q(cost_per_part__gte=0), name="route_target_cost"),
        ]

    def __str__(self) -> str:
        return str(self.gateway_account)


class AccountHealth(TenantOrPlatformOwned):
    """The circuit breaker of a connection (`gateways.routing.breaker`): one row, written by whoever sees answers.

    closed → open (nothing is sent) → half_open (a few, then 5 %, doubling) → closed
    """

    class State(models.TextChoices):
        CLOSED = "closed", _("Well")
        OPEN = "open", _("Resting")
        HALF_OPEN = "half_open", _("Returning")

    gateway_account = models.OneToOneField(
        "gateways.GatewayAccount", on_delete=models.CASCADE, related_name="health", verbose_name=_("connection")
    )
    state = models.CharField(_("status"), max_length=9, choices=State.choices, default=State.CLOSED)
    cause = models.CharField(_("cause"), max_length=20, blank=True)  # breaker.Cause, of the last opening
    share = models.PositiveSmallIntegerField(_("share"), default=100)  # percent of its rate that it may have now
    changed_at = models.DateTimeField(_("since"), auto_now_add=True)
    opened_at = models.DateTimeField(_("opened"), null=True)
    memory = models.JSONField(default=dict)  # the rest of gateways.routing.breaker.Breaker
    updated_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantOrPlatformOwned.Meta):
        verbose_name = _("health of a connection")
        verbose_name_plural = _("health of connections")

    def __str__(self) -> str:
        return str(self.gateway_account)


class BilledProfile(TenantOrPlatformOwned):
    """How a provider counts what it bills (`smscore.billing_profile`), where it is neither as the standard nor as its
    adapter says: this row counts instead of both."""

    gateway_account = models.OneToOneField(
        "gateways.GatewayAccount", on_delete=models.CASCADE, related_name="billed_profile", verbose_name=_("connection")
    )
    national = models.BooleanField(_("has a Turkish mode"), default=True)
    widens_turkish = models.BooleanField(
        _("Turkish mode also for ö, ü, Ö, Ü, Ç"), default=False, help_text=_("VatanSMS counts so.")
    )
    turkish_letter_cost = models.PositiveSmallIntegerField(
        _("a Turkish letter counts"), default=2, validators=[MinValueValidator(1), MaxValueValidator(2)]
    )
    extension_cost = models.PositiveSmallIntegerField(
        _("an extended character counts"), default=2, validators=[MinValueValidator(1), MaxValueValidator(2)]
    )
    suffix_units = models.PositiveSmallIntegerField(
        _("room for the operator's code"), default=0, validators=[MaxValueValidator(50)]
    )
    most_parts = models.PositiveSmallIntegerField(_("most parts"), default=255)

    class Meta(TenantOrPlatformOwned.Meta):
        verbose_name = _("way of counting")
        verbose_name_plural = _("ways of counting")

    def __str__(self) -> str:
        return str(self.gateway_account)

    @property
    def value(self) -> BillingProfile:
        return BillingProfile(
            national=self.national,
            widens_turkish=self.widens_turkish,
            turkish_letter_cost=self.turkish_letter_cost,
            extension_cost=self.extension_cost,
            suffix_units=self.suffix_units,
            most_parts=self.most_parts,
        )


class ProviderCharge(models.Model):
    """What a provider says a message (or a part with an id of its own) cost: as it came, once. Compared with ours by
    `messaging.services.charges`. The platform's: row-level security opens it in platform scope only."""

    gateway_account_id = models.BigIntegerField()
    provider_message_id = models.CharField(max_length=80)
    msisdn = models.CharField(max_length=16, blank=True)
    parts = models.PositiveSmallIntegerField(null=True)  # NULL: it did not say
    price = models.DecimalField(max_digits=12, decimal_places=5, null=True)
    message_id = models.BigIntegerField(null=True)  # once it is found and added to the month
    due_at = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("provider's charge")
        verbose_name_plural = _("providers' charges")
        constraints = [
            models.UniqueConstraint(fields=["gateway_account_id", "provider_message_id", "msisdn"], name="charge_once")
        ]
        indexes = [models.Index(fields=["due_at"], name="charge_due", condition=Q(message_id=None))]


class AccountMonth(TenantOrPlatformOwned):
    """Ours against theirs: messages of a connection whose parts or price the provider reported, by month (UTC)."""

    shared_rows_visible = False  # what the platform pays is nobody else's business
    gateway_account = models.ForeignKey(
        "gateways.GatewayAccount", on_delete=models.PROTECT, related_name="+", verbose_name=_("connection")
    )
    month = models.DateField(_("month"))  # its first day
    messages = models.PositiveIntegerField(_("messages"), default=0)
    our_parts = models.PositiveIntegerField(_("parts, ours"), default=0)
    their_parts = models.PositiveIntegerField(_("parts, theirs"), default=0)
    our_cost = models.DecimalField(_("cost, ours"), max_digits=18, decimal_places=5, default=0)
    their_cost = models.DecimalField(_("cost, theirs"), max_digits=18, decimal_places=5, default=0)

    class Meta(TenantOrPlatformOwned.Meta):
        verbose_name = _("statement of a connection")
        verbose_name_plural = _("statements of connections")
        ordering = ["-month", "gateway_account"]
        constraints = [models.UniqueConstraint(fields=["gateway_account", "month"], name="account_month_once")]


class PortedNumber(models.Model):
    """A Turkish number that is not with the operator of its block any more, as far as we are told. The platform's list,
    loaded by `manage.py load_ported_numbers`; everybody's audience is looked up in it."""

    msisdn = models.CharField(_("number"), max_length=16, primary_key=True)
    operator = models.CharField(_("operator"), max_length=12, choices=RouteRule.Operator.choices)

    class Meta:
        verbose_name = _("ported number")
        verbose_name_plural = _("ported numbers")
