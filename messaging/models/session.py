from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.tenancy import TenantOrPlatformOwned


class DispatcherSession(TenantOrPlatformOwned):
    """The lease of one sender slot on one connection, by the database's clock.

    Dead or closed sessions stay as history; a slot that comes back makes a new row.
    """

    shared_rows_visible = False

    class State(models.TextChoices):
        LIVE = "live"
        CLOSED = "closed"
        DEAD = "dead"

    gateway_account = models.ForeignKey(
        "gateways.GatewayAccount", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    slot = models.PositiveSmallIntegerField()
    worker = models.CharField(max_length=120)
    state = models.CharField(max_length=6, choices=State.choices, default=State.LIVE)
    lease_until = models.DateTimeField()
    # What the slot last said of its link, for whoever asks why nothing moves; "" until it said anything.
    link_state = models.CharField(max_length=10, blank=True, default="", db_default="")
    link_code = models.CharField(max_length=40, blank=True, default="", db_default="")
    started_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta(TenantOrPlatformOwned.Meta):
        verbose_name = _("sender session")
        verbose_name_plural = _("sender sessions")
        constraints = [
            models.UniqueConstraint(
                fields=["gateway_account", "slot"],
                condition=models.Q(state="live"),
                name="one_live_session_per_slot",
            )
        ]
