from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.tenancy import TenantOwned

from .campaign import Campaign

UNCHECKED: dict[str, Any] = {"db_index": False, "db_constraint": False}


class AudienceSnapshot(TenantOwned):
    """The recipients of a campaign frozen for one send run, and how they came to be: the funnel.

    Contacts up to `upper_contact_id` are walked, in stretches (`AudienceStretch`) that several workers may share; the
    figures rise in the transaction of the rows they count.
    """

    campaign = models.OneToOneField(Campaign, on_delete=models.CASCADE, related_name="snapshot")
    campaign_version = models.PositiveIntegerField()
    upper_contact_id = models.BigIntegerField(default=0)
    estimated_count = models.PositiveIntegerField(default=0)
    listed_count = models.PositiveIntegerField(default=0)  # entries of all lists, repeats included
    excluded_counts = models.JSONField(default=dict)  # reason → recipients
    message_count = models.PositiveIntegerField(default=0)
    part_count = models.PositiveIntegerField(default=0)
    part_counts = models.JSONField(default=dict)  # parts of a message (as text) → messages
    credits = models.DecimalField(max_digits=18, decimal_places=4, default=0)
    is_complete = models.BooleanField(default=False)
    basis = models.JSONField(default=dict)  # what it was made from; see campaigns.selectors.freshness
    started_at = models.DateTimeField(auto_now_add=True)
    heartbeat_at = models.DateTimeField(auto_now_add=True)
    completed_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantOwned.Meta):
        verbose_name = _("audience")
        verbose_name_plural = _("audiences")


class AudienceStretch(TenantOwned):
    """A part of the address book still to be walked for a snapshot: contacts after `cursor`, up to `upper_contact_id`.

    All are made when the snapshot begins. Whoever holds the row's lock walks it; it is deleted with the commit of its
    last rows, so a snapshot without stretches is complete.
    """

    snapshot = models.ForeignKey(AudienceSnapshot, on_delete=models.CASCADE, related_name="stretches")
    cursor = models.BigIntegerField()
    upper_contact_id = models.BigIntegerField()

    class Meta(TenantOwned.Meta):
        verbose_name = _("stretch of an audience")
        verbose_name_plural = _("stretches of an audience")


class AudienceExclusion(TenantOwned):
    """A recipient left out, with the reason (style.md: suppressed, duplicate, missing_value …).

    Written by the hundred thousand with keys just read: no foreign key constraints.
    """

    tenant = models.ForeignKey("accounts.Tenant", on_delete=models.PROTECT, related_name="+", **UNCHECKED)
    snapshot = models.ForeignKey(AudienceSnapshot, on_delete=models.CASCADE, related_name="exclusions", **UNCHECKED)
    contact_id = models.BigIntegerField()
    msisdn = models.CharField(max_length=16)
    reason = models.CharField(max_length=20)
    detail = models.CharField(max_length=120, blank=True)  # the field that has no value

    class Meta(TenantOwned.Meta):
        indexes = [models.Index(fields=["snapshot", "reason", "contact_id"], name="exclusion_snapshot_reason")]
