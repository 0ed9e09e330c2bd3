"""Who left because of a campaign: replies that opted out after its message and before any newer one of the tenant."""

from datetime import timedelta

from django.db import connection

from messaging.models import SendRun
from optout.models import SuppressionEntry

ATTRIBUTION = timedelta(days=7)


def count_opt_outs(run: SendRun) -> int:
    """Replies within seven days of the start, counted for the newest run that wrote to the number before.

    Walks the tenant's replies of those days and looks each number up by the unique (run, msisdn): never the messages.
    """
    if run.started_at is None:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FROM optout_suppressionentry s
            JOIN messaging_message m ON m.run_id = %(run)s AND m.msisdn = s.msisdn
                 AND m.state NOT IN ('queued', 'suppressed', 'cancelled', 'rejected', 'failed')
            WHERE s.tenant_id = %(tenant)s AND s.source = %(reply)s
              AND s.created_at >= %(since)s AND s.created_at < %(until)s
              AND NOT EXISTS (
                SELECT 1 FROM messaging_sendrun r JOIN messaging_message n ON n.run_id = r.id AND n.msisdn = s.msisdn
                WHERE r.tenant_id = %(tenant)s AND r.origin_type = 'campaign' AND r.id <> %(run)s
                  AND r.started_at > %(since)s AND r.started_at <= s.created_at
                  AND n.state NOT IN ('queued', 'suppressed', 'cancelled', 'rejected', 'failed'))
            """,
            {
                "run": run.pk,
                "tenant": run.tenant_id,
                "reply": SuppressionEntry.Source.REPLY.value,
                "since": run.started_at,
                "until": run.started_at + ATTRIBUTION,
            },
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0
