from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.tenancy import TenantOrPlatformOwned
from common.ids import uuid7


class SuppressionEntry(TenantOrPlatformOwned):
    """A number never sent to: on a tenant's list, or the platform's (tenant NULL). Removed rows stay as history.

    The platform's rows hold everybody's customers: no tenant reads them, only the checks before sending do.
    """

    shared_rows_visible = False

    class Source(models.TextChoices):
        REPLY = "reply", _("Reply by SMS")
        MANUAL = "manual", _("Added by hand")
        IMPORT = "import", _("File import")
        API = "api", _("API")
        PLATFORM = "platform", _("Platform")

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    msisdn = models.CharField(_("number"), max_length=16)
    source = models.CharField(_("source"), max_length=8, choices=Source.choices)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    added_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    removed_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    removal_reason = models.CharField(_("reason for removal"), max_length=200, blank=True)

    class Meta(TenantOrPlatformOwned.Meta):
        verbose_name = _("blocked number")
        verbose_name_plural = _("suppression list")
        constraints = [
            # The intent transaction looks numbers up here (S7): the index is the check.
            models.UniqueConstraint(
                fields=["tenant", "msisdn"],
                condition=Q(is_active=True),
                name="suppressed_once",
                nulls_distinct=False,
            )
        ]
        indexes = [
            # Pages continue by id: a bulk import gives thousands of rows one created_at.
            models.Index(fields=["tenant", "-id"], name="suppression_tenant_newest"),
            models.Index(fields=["tenant", "created_at"], name="suppression_replies", condition=Q(source="reply")),
        ]


class OptOutKeyword(TenantOrPlatformOwned):
    """A reply word that means opt-out; the platform's words hold for every tenant."""

    keyword = models.CharField(_("keyword"), max_length=20)

    class Meta(TenantOrPlatformOwned.Meta):
        verbose_name = _("opt-out keyword")
        verbose_name_plural = _("opt-out keywords")
        constraints = [models.UniqueConstraint(fields=["tenant", "keyword"], name="keyword_once", nulls_distinct=False)]

    def __str__(self) -> str:
        return self.keyword
