"""Until when a run may try (S5). Hours in which it may not send are a pause, and a pause does not count."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

from messaging.models import SendRun
from smscore.sending_hours import SendingWindow


def find_deadline(run: SendRun, now: datetime) -> datetime:
    """Counted from when it can begin: a run for tomorrow has its whole day, and so has one that is started by hand
    days after the time it was meant for."""
    begins = max(run.not_before or now, now)
    return _add_open(run, begins, timedelta(seconds=settings.ENGINE_DEADLINE_SECONDS))


def move_deadline(run: SendRun, deadline_at: datetime, paused_at: datetime, now: datetime) -> datetime:
    """The deadline of a run that goes on now: as much time to send as it had left when it was paused."""
    window = _find_window(run)
    left = window.count_open(paused_at, deadline_at) if window else deadline_at - paused_at
    return _add_open(run, now, left)


def read_clock() -> datetime:
    """The database's, by which deadlines are watched."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


def _add_open(run: SendRun, start: datetime, span: timedelta) -> datetime:
    window = _find_window(run)
    return window.add_open(start, span) if window else start + span


def _find_window(run: SendRun) -> SendingWindow | None:
    if run.window_opens is None or run.window_closes is None:
        return None
    return SendingWindow(run.window_opens, run.window_closes, zone=ZoneInfo(run.time_zone))
