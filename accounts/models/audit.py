from django.db import models
from django.utils.translation import gettext_lazy as _

from ..tenancy import TenantOrPlatformOwned


class AuditEntry(TenantOrPlatformOwned):
    """Who did what, when. Append-only: the database refuses changes."""

    shared_rows_visible = False
    actor = models.ForeignKey("accounts.User", on_delete=models.PROTECT, null=True, related_name="+")
    action = models.CharField(_("action"), max_length=60)  # "campaign.launched", "tenant.switched"
    target = models.CharField(_("target"), max_length=200, blank=True)
    data = models.JSONField(default=dict, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantOrPlatformOwned.Meta):
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        indexes = [models.Index(fields=["tenant", "-at"], name="audit_tenant_at")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.action}"
