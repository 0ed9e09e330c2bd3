from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.ids import uuid7

from ..tenancy import TenantOwned
from ..tenant_rules import check_mersis_number, check_opt_out_code, check_opt_out_number, check_zone


class Tenant(models.Model):
    """A customer account; owner of all its data. An agency is a tenant with tenants below it."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=120)
    slug = models.SlugField(_("slug"), max_length=60, unique=True)
    parent = models.ForeignKey(
        "self",
        verbose_name=_("agency"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
    )
    time_zone = models.CharField(_("time zone"), max_length=64, default="Europe/Istanbul", validators=[check_zone])
    # What a reply must name so that the opt-out reaches this tenant and no other: "RET AYSEBUTIK".
    opt_out_code = models.CharField(_("opt-out code"), max_length=20, blank=True, validators=[check_opt_out_code])
    opt_out_number = models.CharField(_("opt-out number"), max_length=20, blank=True, validators=[check_opt_out_number])
    mersis_number = models.CharField(_("MERSIS number"), max_length=16, blank=True, validators=[check_mersis_number])
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        ordering = ["name"]
        constraints = [
            # A code that two accounts have is nobody's: their recipients' refusals would go astray.
            models.UniqueConstraint(
                fields=["opt_out_code"],
                condition=~models.Q(opt_out_code=""),
                name="opt_out_code_once",
                violation_error_message=_("Another account has this opt-out code. Choose another one."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        passed, above = {self.pk}, self.parent
        while above is not None:
            if above.pk in passed:
                raise ValidationError(gettext("An account cannot stand below itself: choose another agency."))
            passed.add(above.pk)
            above = above.parent

    @property
    def zone(self) -> ZoneInfo:
        """The account's time zone; the platform's where what is stored is none, so that its pages open all the same."""
        try:
            return ZoneInfo(self.time_zone)
        except (LookupError, ValueError, OSError):  # no such zone, no name of one, a folder of zones
            return ZoneInfo(settings.TIME_ZONE)


class Role(models.TextChoices):
    OWNER = "owner", _("Owner")
    ADMIN = "admin", _("Administrator")
    EDITOR = "editor", _("Editor")
    APPROVER = "approver", _("Approver")
    VIEWER = "viewer", _("Viewer")


class Membership(TenantOwned):
    """A user's role in a tenant. Somebody who has an account elsewhere is invited: no role until they accept."""

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=10, choices=Role.choices)
    is_pending = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantOwned.Meta):
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints = [models.UniqueConstraint(fields=["tenant", "user"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user} · {self.get_role_display()}"

    @property
    def shown_name(self) -> str:
        """Who they are for the others in the account; of who has not accepted, what the account knew itself."""
        return self.user.email if self.is_pending else str(self.user)
