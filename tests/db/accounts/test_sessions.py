"""Sessions that are over leave no rows behind."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.tasks import clear_sessions
from smsplatform.beat import SCHEDULE
from smsplatform.celery import app

pytestmark = pytest.mark.django_db


def test_only_those_that_are_over_go(cast):
    cast.client(cast.ayse)
    cast.client(cast.can)
    over = Session.objects.order_by("session_key").first()
    over.expire_date = timezone.now() - timedelta(seconds=1)
    over.save()
    clear_sessions()
    left = list(Session.objects.values_list("session_key", flat=True))
    assert len(left) == 1 and over.session_key not in left


def test_every_tick_is_a_task():
    app.autodiscover_tasks(force=True)
    assert clear_sessions.name in SCHEDULE
    assert set(SCHEDULE) - set(app.tasks) == set()
