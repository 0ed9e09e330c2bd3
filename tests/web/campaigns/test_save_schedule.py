"""When: in the account's zone, never in the past, never in an hour that a clock change swallows."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.urls import reverse

from accounts.models import Tenant

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


@pytest.fixture
def save(shop):
    draft = shop.draft()

    def post(**data):
        with time_machine.travel(NOW, tick=False):
            client = shop.cast.client(shop.cast.ayse)
            url = reverse("campaigns:save_schedule", args=[draft.public_id])
            answer = client.post(url, {"version": 1, "when": "later", "respect_sending_hours": "on", **data})
        assert answer.status_code == 200
        return shop.reload(draft), answer.content.decode()

    return post


def test_local_time_of_the_account(save):
    stored, page = save(on="2026-11-23", at="10:00")
    assert stored.scheduled_at == datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
    assert "10:00" in page


def test_outside_sending_hours_the_page_says_when_it_begins(save):
    stored, page = save(on="2026-11-23", at="22:30")
    assert stored.scheduled_at == datetime(2026, 11, 23, 19, 30, tzinfo=UTC)
    assert "24" in page and "09:00" in page and "alert-info" in page


WRONG = [("2026-11-22", "12:59"), ("2020-01-01", "10:00"), ("2029-01-01", "10:00"), ("2026-11-23", "")]
NEVER = [("0001-01-01", "00:00"), ("9999-12-31", "23:59")]


@pytest.mark.parametrize(("on", "at"), [*WRONG, *NEVER])
def test_past_too_far_or_incomplete_is_refused_and_nothing_changes(save, on, at):
    stored, page = save(on=on, at=at)
    assert (stored.scheduled_at, stored.version) == (None, 1)
    assert "alert-danger" in page


def test_an_hour_that_does_not_exist_is_refused(save, shop):
    Tenant.objects.filter(pk=shop.pk).update(time_zone="Europe/Berlin")
    stored, page = save(on="2027-03-28", at="02:30")
    assert stored.scheduled_at is None and "alert-danger" in page
    stored, _ = save(on="2027-03-28", at="03:30")
    assert stored.scheduled_at == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)


def test_now_takes_the_time_back(save):
    save(on="2026-11-23", at="10:00")
    stored, _ = save(when="now", version=2)
    assert stored.scheduled_at is None


def test_an_error_goes_when_the_time_is_right(save):
    _, page = save(on="2026-11-22", at="12:59")
    assert '<div id="schedule-errors" hx-swap-oob="true"><div class="alert' in page
    _, page = save(on="2026-11-23", at="10:00")
    assert '<div id="schedule-errors" hx-swap-oob="true"></div>' in page
