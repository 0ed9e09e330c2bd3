"""Names of send runs for pages of apps below, which know the runs' numbers only."""

from collections.abc import Collection

from django.urls import reverse
from django.utils.translation import gettext as _

from billing.run_names import RunName
from campaigns.models import Campaign
from messaging.models import SendRun


def find_run_names(tenant_id: int, run_ids: Collection[int]) -> dict[int, RunName]:
    """A campaign's runs by its name, with its report once it was launched; test sends say that they are one."""
    runs = SendRun.objects.filter(tenant_id=tenant_id, pk__in=run_ids, origin_type__in=["campaign", "test"])
    origins = {pk: (kind, origin) for pk, kind, origin in runs.values_list("pk", "origin_type", "origin_id")}
    campaigns = Campaign.objects.filter(tenant_id=tenant_id, pk__in={origin for _kind, origin in origins.values()})
    known = {campaign.pk: campaign for campaign in campaigns.only("pk", "name", "public_id", "run_id", "tenant_id")}
    names = {}
    for run_id, (kind, origin) in origins.items():
        campaign = known.get(origin or 0)
        if kind == "test":
            text = _("Test send: %(name)s") % {"name": campaign.name} if campaign else _("Test send")
            names[run_id] = RunName(text)
        elif campaign:
            has_report = campaign.run_id == run_id
            url = reverse("reporting:campaign_report", args=[campaign.public_id]) if has_report else ""
            names[run_id] = RunName(campaign.name, url)
    return names
