"""What was asked of providers and what they charged is forgotten in time: their ids come again, numbers do not stay."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.scope import platform_scope
from gateways.models import ProviderCharge, ReceiptJob
from gateways.types import DeliveryEvent, DeliveryState, JobsWanted, OutcomeKind, SubmitOutcome
from messaging.scope import engine_scope
from messaging.services.inbox import StoredEvent, store_events
from messaging.services.pulling import add_jobs, list_due_jobs
from messaging.services.retention import forget_spent
from messaging.tasks import turn_months
from tests.engine_runs import make_rows, make_run

from .engine import HandSlot


@pytest.fixture
def message(funded, account):
    make_run(funded, account, make_rows(1))
    [message] = HandSlot(account).open().send_all()
    return message


def add_job(account, message, name="job"):
    with engine_scope(reason="test"):
        add_jobs(account.pk, [SubmitOutcome(message.token, OutcomeKind.ACCEPTED, job=name)])


def list_open(account):
    with engine_scope(reason="test"):
        due = list_due_jobs(gateway_account_id=account.pk, wanted=JobsWanted(1000, 100, 0), served={})
    return [job.job for job in due.jobs]


def change(model, **days_ago):
    """As if this had been then."""
    with platform_scope(reason="test"):
        times = {name: timezone.now() - timedelta(days=days) for name, days in days_ago.items()}
        assert model.objects.update(**times)


def count(model):
    with platform_scope(reason="test"):
        return model.objects.count()


@pytest.mark.parametrize(("closed_days", "is_new"), [(6, False), (9, True)])
def test_a_job_whose_name_comes_again_is_asked_about(account, message, closed_days, is_new):
    add_job(account, message)
    change(ReceiptJob, created_at=10, due_at=10, closed_at=closed_days)
    turn_months()
    add_job(account, message)
    assert list_open(account) == (["job"] if is_new else [])


@pytest.mark.parametrize(("age", "is_kept"), [(9, True), (89, True), (91, False)])
def test_a_question_that_nobody_asks_waits_as_long_as_receipts_are_kept(account, message, age, is_kept):
    add_job(account, message)
    change(ReceiptJob, created_at=age, due_at=age)
    turn_months()
    assert count(ReceiptJob) == is_kept


def charge(account, message, price):
    event = DeliveryEvent("again", message.msisdn, DeliveryState.DELIVERED, billed_parts=1, price=price)
    with engine_scope(reason="test"):
        store_events([StoredEvent(account.pk, b"raw", event)])


@pytest.mark.parametrize(("age", "kept"), [(7, "0.10"), (9, "0.20")])
def test_a_charge_under_an_id_that_comes_again_counts(account, message, age, kept):
    charge(account, message, "0.1")
    change(ProviderCharge, created_at=age)
    turn_months()
    charge(account, message, "0.2")
    with platform_scope(reason="test"):
        assert [f"{found.price:.2f}" for found in ProviderCharge.objects.all()] == [kept]


def test_little_is_deleted_at_once_and_all_in_the_end(account, message):
    for n in range(5):
        add_job(account, message, f"job-{n}")
        charge(account, message._replace(msisdn=f"+90530000000{n}"), "0.1")
    change(ReceiptJob, created_at=20, closed_at=15)
    change(ProviderCharge, created_at=20)
    with platform_scope(reason="test"):
        youngest = ReceiptJob.objects.latest("pk")
        ReceiptJob.objects.filter(pk=youngest.pk).update(created_at=timezone.now(), closed_at=timezone.now())
    with engine_scope(reason="test"):
        assert [forget_spent(limit=2) for _ in range(4)] == [4, 4, 1, 0]
    with platform_scope(reason="test"):
        assert [(job.pk, job.job) for job in ReceiptJob.objects.all()] == [(youngest.pk, "job-4")]
    assert count(ProviderCharge) == 0
