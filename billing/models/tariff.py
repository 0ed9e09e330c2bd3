from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.tenancy import TenantOrPlatformOwned


class Tariff(TenantOrPlatformOwned):
    """Credits per part for numbers that begin with `prefix`: a tenant's row before the platform's, longest first."""

    prefix = models.CharField(_("number prefix"), max_length=12)  # "+90", "+49"
    credits_per_part = models.DecimalField(_("credits per part"), max_digits=10, decimal_places=4)

    class Meta(TenantOrPlatformOwned.Meta):
        verbose_name = _("tariff")
        verbose_name_plural = _("tariffs")
        constraints = [
            models.UniqueConstraint(fields=["tenant", "prefix"], name="tariff_once", nulls_distinct=False),
            models.CheckConstraint(condition=Q(credits_per_part__gt=0), name="tariff_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.prefix}: {self.credits_per_part}"
