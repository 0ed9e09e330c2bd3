from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.tenancy import TenantOwned

from .run import SendRun


class RunTally(TenantOwned):
    """Roll-up: how many messages of a run entered and left a state, by minute. Reports read this, never the messages.

    Now in a state = Σ (entered − left) over all minutes; "delivered at 10:04" = `entered` of that minute. Written by
    every bulk move in the same transaction. `shard` keeps writers of different sender slots off each other's row.
    """

    run = models.ForeignKey(SendRun, on_delete=models.CASCADE, related_name="tallies", db_index=False)
    minute = models.DateTimeField()
    state = models.CharField(max_length=12)
    reason = models.CharField(max_length=40, blank=True)
    operator = models.CharField(max_length=12, blank=True)
    shard = models.SmallIntegerField(default=0)
    entered = models.IntegerField(default=0)
    left = models.IntegerField(default=0)
    entered_parts = models.IntegerField(default=0)
    left_parts = models.IntegerField(default=0)
    entered_credits = models.DecimalField(max_digits=18, decimal_places=4, default=0)
    left_credits = models.DecimalField(max_digits=18, decimal_places=4, default=0)

    class Meta(TenantOwned.Meta):
        verbose_name = _("run tally")
        verbose_name_plural = _("run tallies")
        constraints = [
            models.UniqueConstraint(fields=["run", "minute", "state", "reason", "operator", "shard"], name="tally_once")
        ]
