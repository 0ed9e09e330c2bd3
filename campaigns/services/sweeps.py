"""What has to go on although the nudge was lost or a worker died: found in the rows, never in the broker."""

from datetime import timedelta
from typing import Final, NamedTuple

from django.db import connection
from django.db.models import F
from django.utils import timezone

from messaging.selectors import find_doubt

from ..models import AudienceSnapshot, Campaign

S = Campaign.Status
SILENCE: Final = timedelta(seconds=30)
"""Without a heartbeat for so long, whoever prepared the audience is gone. A chunk takes well under a second."""
MOST_STALLS: Final = 10


class Due(NamedTuple):
    campaign_id: int
    tenant_id: int


def list_due_campaigns() -> list[Due]:
    """Scheduled campaigns whose time has come. Platform scope. None while nobody knows which have started before."""
    if find_doubt() is not None:
        return []
    due = Campaign.objects.filter(status=S.SCHEDULED, scheduled_at__lte=timezone.now()).order_by("scheduled_at")
    return [Due(*row) for row in due.values_list("pk", "tenant_id")[:500]]


def list_stale_audiences() -> list[Due]:
    """Drafts that still hold the audience of an older version, untouched for a minute. Platform scope."""
    stale = AudienceSnapshot.objects.exclude(campaign_version=F("campaign__version")).filter(
        campaign__status__in=[S.DRAFT, S.FAILED], campaign__updated_at__lt=timezone.now() - timedelta(minutes=1)
    )
    return [Due(*row) for row in stale.values_list("campaign_id", "tenant_id")[:100]]


def resume_stalled_audiences() -> list[Due]:
    """Preparing campaigns without a sign of life; each is counted, and failed when it has stalled too often.

    Platform scope. Returns those to walk again; two sweeps at once return each campaign to one of them.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE campaigns_campaign SET preparing_at = now(), prepare_stalls = prepare_stalls + 1,
                status = CASE WHEN prepare_stalls >= %(most)s THEN 'failed' ELSE status END,
                failure = CASE WHEN prepare_stalls >= %(most)s THEN 'preparing_failed' ELSE failure END
            WHERE id IN (
                SELECT c.id FROM campaigns_campaign c LEFT JOIN campaigns_audiencesnapshot s
                    ON s.campaign_id = c.id AND s.campaign_version = c.version
                WHERE c.status = 'preparing'
                AND greatest(c.preparing_at, s.heartbeat_at) < now() - make_interval(secs => %(silence)s)
                FOR UPDATE OF c SKIP LOCKED
            ) RETURNING id, tenant_id, status
            """,
            {"most": MOST_STALLS, "silence": SILENCE.total_seconds()},
        )
        return [Due(pk, tenant_id) for pk, tenant_id, status in cursor.fetchall() if status == S.PREPARING]
