"""Who left because of a campaign: replies that opted out after its message and before any newer one of the tenant."""

from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Max, Min

from messaging.models import SendRun
from messaging.months import IdRange, ids_of_months
from optout.models import SuppressionEntry

ATTRIBUTION = timedelta(days=7)


def count_opt_outs(run: SendRun) -> int | None:
    """Replies within seven days of the start, counted for the newest run that wrote to the number before.

    Walks the tenant's replies of those days and looks each number up by the unique (run, msisdn): never the messages.
    None once the messages have gone by age: nobody can tell any more.
    """
    if run.messages_dropped_at is not None:
        return None
    if run.started_at is None:
        return 0
    until = run.started_at + ATTRIBUTION
    own, newer = ids_of_months(run.month, run.month), _ids_of_newer_runs(run, run.started_at, until)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FROM optout_suppressionentry s
            JOIN messaging_message m ON m.run_id = %(run)s AND m.msisdn = s.msisdn
                 AND m.id >= %(low)s AND m.id < %(high)s
                 AND m.state NOT IN ('queued', 'suppressed', 'cancelled', 'rejected', 'failed')
            WHERE s.tenant_id = %(tenant)s AND s.source = %(reply)s
              AND s.created_at >= %(since)s AND s.created_at < %(until)s
              AND NOT EXISTS (
                SELECT 1 FROM messaging_sendrun r JOIN messaging_message n ON n.run_id = r.id AND n.msisdn = s.msisdn
                     AND n.id >= %(newer_low)s AND n.id < %(newer_high)s
                WHERE r.tenant_id = %(tenant)s AND r.origin_type = 'campaign' AND r.id <> %(run)s
                  AND r.started_at > %(since)s AND r.started_at <= s.created_at
                  AND n.state NOT IN ('queued', 'suppressed', 'cancelled', 'rejected', 'failed'))
            """,
            {
                "run": run.pk,
                "tenant": run.tenant_id,
                "reply": SuppressionEntry.Source.REPLY.value,
                "since": run.started_at,
                "until": until,
                "low": own.low,
                "high": own.high,
                "newer_low": newer.low,
                "newer_high": newer.high,
            },
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def _ids_of_newer_runs(run: SendRun, since: datetime, until: datetime) -> IdRange:
    """Where messages of the tenant's campaigns that started in that time can be: without it, in any month."""
    months = SendRun.objects.filter(
        tenant_id=run.tenant_id, origin_type="campaign", started_at__gt=since, started_at__lt=until
    ).aggregate(first=Min("month"), last=Max("month"))
    return IdRange(0, 0) if months["first"] is None else ids_of_months(months["first"], months["last"])
