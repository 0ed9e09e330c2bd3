from django.db import models
from django.utils.translation import gettext_lazy as _


class DatabaseIdentity(models.Model):
    """The one database that senders may go by: which cluster, and which timeline of it (W4). One row, of the platform.

    confirmed → in doubt (the cluster is another one, or is said to be: `doubted_at`) → confirmed

    After a restore or a fail-over the messages of the last minutes are queued again although they were sent. The
    database cannot know; whoever restored it does, and confirms it (`messaging.services.restore`).
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    system_identifier = models.BigIntegerField(_("system identifier"))
    timeline = models.IntegerField(_("timeline"))
    confirmed_at = models.DateTimeField(_("confirmed at"))
    doubted_at = models.DateTimeField(_("in doubt since"), null=True)
    doubted_cluster = models.CharField(_("cluster found then"), max_length=40, blank=True, default="", db_default="")
    # The last span of which the history may be missing, as whoever confirmed it said.
    lost_from = models.DateTimeField(_("history missing from"), null=True)
    lost_until = models.DateTimeField(_("history missing until"), null=True)

    class Meta:
        verbose_name = _("database identity")
        verbose_name_plural = _("database identity")
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_database_identity")]

    def __str__(self) -> str:
        """As messaging.selectors.doubt.Cluster has it."""
        return f"{self.system_identifier}/{self.timeline}"
