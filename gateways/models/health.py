"""How connections are doing: figures by five minutes, the state of each link, what was wrong from when to when.

Written in bulk by sender processes and a sweep (messaging.services.health), never per message.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.tenancy import TenantOrPlatformOwned

SWEEP_SLOT = -1


class ConnectionFigures(TenantOrPlatformOwned):
    """What went over a connection in five minutes, per sender slot; slot -1 is what the sweep saw of the whole.

    answer_ms_*       from the submit to the answer, of a sample
    receipt_seconds   from the acceptance to the delivery report, of a sample (`receipt_samples`)
    waiting_count     messages that wait for this connection, when the sweep last looked
    """

    shared_rows_visible = False
    gateway_account = models.ForeignKey(
        "gateways.GatewayAccount", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    bucket = models.DateTimeField()
    slot = models.SmallIntegerField()
    accepted_count = models.IntegerField(default=0)
    rejected_count = models.IntegerField(default=0)
    deferred_count = models.IntegerField(default=0)
    not_sent_count = models.IntegerField(default=0)
    unknown_count = models.IntegerField(default=0)
    answer_ms_sum = models.BigIntegerField(default=0)
    answer_ms_most = models.IntegerField(default=0)
    answer_samples = models.IntegerField(default=0)
    receipt_seconds_sum = models.BigIntegerField(default=0)
    receipt_samples = models.IntegerField(default=0)
    last_receipt_at = models.DateTimeField(null=True)
    waiting_count = models.IntegerField(default=0)

    class Meta(TenantOrPlatformOwned.Meta):
        verbose_name = _("connection figures")
        verbose_name_plural = _("connection figures")
        constraints = [
            models.UniqueConstraint(fields=["gateway_account", "bucket", "slot"], name="connection_figures_once")
        ]


class LinkStatus(TenantOrPlatformOwned):
    """The last word of each slot's link; stale once its process is gone (`seen_at`)."""

    shared_rows_visible = False
    gateway_account = models.ForeignKey(
        "gateways.GatewayAccount", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    slot = models.SmallIntegerField()
    state = models.CharField(max_length=10)  # gateways.base.LinkState
    code = models.CharField(max_length=80, blank=True)
    since_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta(TenantOrPlatformOwned.Meta):
        verbose_name = _("link status")
        verbose_name_plural = _("link statuses")
        constraints = [models.UniqueConstraint(fields=["gateway_account", "slot"], name="link_status_once")]


class ConnectionIncident(TenantOrPlatformOwned):
    """Something is wrong with a connection, from when to when. People hear of its beginning and its end, once each.

    open → closed; `told_at` and `end_told_at` are set by whoever sends the mail, before it is sent.
    """

    class Kind(models.TextChoices):
        LOGIN = "login", _("Login refused")
        REFUSALS = "refusals", _("Few messages are accepted")
        RECEIPTS = "receipts", _("No delivery reports")

    shared_rows_visible = False
    gateway_account = models.ForeignKey(
        "gateways.GatewayAccount", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    code = models.CharField(_("code"), max_length=80, blank=True)
    opened_at = models.DateTimeField(_("from"), auto_now_add=True)
    closed_at = models.DateTimeField(_("until"), null=True, blank=True)
    told_at = models.DateTimeField(null=True)
    end_told_at = models.DateTimeField(null=True)

    class Meta(TenantOrPlatformOwned.Meta):
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        ordering = ["-opened_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["gateway_account", "kind"], condition=models.Q(closed_at=None), name="incident_open_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.gateway_account} · {self.get_kind_display()}"


class ConnectionCheck(TenantOrPlatformOwned):
    """The last connection test of an account and what the provider told: one row each.

    asked → (a worker takes it) → done; an old `asked` without an answer means that no worker runs.
    """

    class State(models.TextChoices):
        ASKED = "asked"
        DONE = "done"

    shared_rows_visible = False
    gateway_account = models.OneToOneField("gateways.GatewayAccount", on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=5, choices=State.choices, default=State.ASKED)
    asked_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    is_ok = models.BooleanField(default=False)
    finding = models.CharField(max_length=20, blank=True)  # gateways.findings.Finding
    code = models.CharField(max_length=80, blank=True)
    diagnosis = models.CharField(max_length=300, blank=True)  # the provider's own words
    balance = models.CharField(max_length=40, blank=True)
    facts_at = models.DateTimeField(null=True)

    class Meta(TenantOrPlatformOwned.Meta):
        verbose_name = _("connection test")
        verbose_name_plural = _("connection tests")
