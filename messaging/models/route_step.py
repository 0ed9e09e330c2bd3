from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.tenancy import TenantOwned

from .run import SendRun


class RouteStep(TenantOwned):
    """Why messages of a run wait at, or went over, a connection: the decision when they were written, and each move.

    Batches name their last step; `parent` leads back to the decision. One row for all messages of which the same is
    true, so that explaining a message costs nothing while it is sent.
    """

    class Cause(models.TextChoices):
        DECIDED = "decided", _("Decided")
        RESTING = "resting", _("The connection rests")
        INACTIVE = "inactive", _("The connection was turned off")
        REFUSED = "refused", _("Refused again and again")
        RETURNED = "returned", _("The connection is back")

    run = models.ForeignKey(SendRun, on_delete=models.CASCADE, related_name="route_steps", db_index=False)
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    cause = models.CharField(max_length=8, choices=Cause.choices, default=Cause.DECIDED)
    detail = models.CharField(max_length=20, blank=True)  # gateways.routing.breaker.Cause of a connection that rests
    rule_id = models.BigIntegerField(null=True)
    rule_name = models.CharField(max_length=80, blank=True)
    gateway_account_id = models.BigIntegerField()
    home_account_id = models.BigIntegerField()  # of the decision: where messages go back to when it is well again
    reference_bits = models.PositiveSmallIntegerField(default=8)  # with which the parts were counted
    candidates = models.JSONField(default=list)  # [connection, its name, gateways.routing.rules.Why]
    passed = models.JSONField(default=list)  # names of rules that fitted but had no usable connection
    tried = models.JSONField(default=list)  # connections that refused these very messages
    digest = models.CharField(max_length=32, blank=True)  # of a decision: walkers share it
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantOwned.Meta):
        verbose_name = _("routing step")
        verbose_name_plural = _("routing steps")
        constraints = [
            models.UniqueConstraint(
                fields=["run", "digest"], name="route_decision_once", condition=models.Q(parent=None)
            ),
        ]
        indexes = [
            models.Index(fields=["run"], name="route_step_moved", condition=models.Q(parent__isnull=False)),
        ]
