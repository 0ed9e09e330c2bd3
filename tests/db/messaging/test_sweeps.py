"""What time does to runs."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from accounts.scope import platform_scope, tenant_scope
from billing.selectors import get_balance
from gateways.types import OutcomeKind, Reason, SubmitOutcome
from messaging import tasks
from messaging.models import Message, MessageBatch, SendRun
from messaging.scope import alone
from messaging.services import cancel_send_run
from messaging.services.intents import Stride
from messaging.tasks import sweep_runs, sweep_timers
from tests.engine_runs import count_states, make_rows, make_run

pytestmark = pytest.mark.usefixtures("checked_books", "bells")

State = SendRun.State


def refresh(run):
    with tenant_scope(run.tenant_id):
        return SendRun.objects.get(pk=run.pk).state, count_states(run)


def age(**fields):
    with platform_scope(reason="test"):
        Message.objects.update(**{name: timezone.now() - delta for name, delta in fields.items()})
        SendRun.objects.update(started_at=timezone.now() - timedelta(days=5))


def test_cancelled_rest(funded, account, slot):
    run = make_run(funded, account, make_rows(10))
    (batch,) = slot.claim()
    sent = slot.intend(Stride(batch.batch_id, 0, 4))
    with tenant_scope(funded.pk):
        cancel_send_run(run_id=run.pk, tenant_id=funded.pk)
    sweep_runs()
    assert refresh(run) == (State.CANCELLING, {"queued": 10})  # the slot answers for its batch
    slot.accept(sent)
    slot.finish(**{str(batch.batch_id): 4})
    sweep_runs()
    assert refresh(run) == (State.CANCELLING, {"accepted": 4, "cancelled": 6})
    with tenant_scope(funded.pk):
        assert get_balance(funded.pk) == (99_996, 0)


def test_a_run_cancelled_before_anything_left_is_completed(funded, account):
    run = make_run(funded, account, make_rows(10))
    with tenant_scope(funded.pk):
        cancel_send_run(run_id=run.pk, tenant_id=funded.pk)
    sweep_runs()
    assert refresh(run) == (State.COMPLETED, {"cancelled": 10})
    with tenant_scope(funded.pk):
        run = SendRun.objects.get(pk=run.pk)
        assert run.was_cancelled and run.completed_at is not None
        assert get_balance(funded.pk) == (100_000, 0)


def test_past_the_deadline(funded, account):
    run = make_run(funded, account, make_rows(10))
    with platform_scope(reason="test"):
        SendRun.objects.update(deadline_at=timezone.now() - timedelta(seconds=1))
    sweep_runs()
    assert refresh(run) == (State.COMPLETED, {"failed": 10})
    with platform_scope(reason="test"):
        assert set(Message.objects.values_list("reason", flat=True)) == {"deadline"}


@pytest.mark.parametrize(
    ("accepted_hours", "expected"),
    [(71, (State.RUNNING, {"accepted": 1})), (73, (State.COMPLETED, {"expired": 1}))],
)
def test_no_receipt_after_validity_and_a_day(funded, account, slot, accepted_hours, expected):
    run = make_run(funded, account, make_rows(1))
    slot.accept(slot.send_all())
    with platform_scope(reason="test"):
        MessageBatch.objects.update(state="done", session=None)
    age(accepted_at=timedelta(hours=accepted_hours))
    sweep_timers()
    sweep_runs()
    assert refresh(run) == expected


@pytest.mark.parametrize(
    ("hours", "expected"),
    [(71, (State.RUNNING, {"unknown": 1})), (73, (State.COMPLETED, {"unconfirmed": 1}))],
)
def test_doubt_ends_after_three_days(funded, account, slot, hours, expected):
    run = make_run(funded, account, make_rows(1))
    (message,) = slot.send_all()
    slot.answer(SubmitOutcome(message.token, OutcomeKind.UNKNOWN, reason=Reason.TIMEOUT))
    with platform_scope(reason="test"):
        MessageBatch.objects.update(state="done", session=None)
    age(submitted_at=timedelta(hours=hours))
    sweep_timers()
    sweep_runs()
    assert refresh(run) == expected


def test_many_refusals_pause_once(funded, account, slot):
    run = make_run(funded, account, make_rows(300))
    (batch,) = slot.claim()
    messages = slot.intend(Stride(batch.batch_id, 0, 200))
    slot.accept(messages[:160])
    slot.answer(*(SubmitOutcome(m.token, OutcomeKind.REJECTED, reason=Reason.BAD_SENDER) for m in messages[160:199]))
    sweep_runs()
    assert refresh(run)[0] == State.RUNNING
    slot.answer(SubmitOutcome(messages[199].token, OutcomeKind.REJECTED, reason=Reason.BAD_SENDER))
    sweep_runs()
    assert refresh(run)[0] == State.PAUSED
    with platform_scope(reason="test"):
        assert SendRun.objects.values_list("pause_reason", flat=True).get() == "refusals"
        SendRun.objects.update(state=State.RUNNING)
    sweep_runs()
    assert refresh(run)[0] == State.RUNNING  # whoever resumed it knows


def test_messages_that_everybody_forgot_are_healed(funded, account, slot):
    run = make_run(funded, account, make_rows(3))
    slot.accept(slot.send_all()[:1])
    with platform_scope(reason="test"):
        MessageBatch.objects.update(state="done", session=None)
    sweep_runs()
    assert refresh(run) == (State.RUNNING, {"accepted": 1, "unknown": 2})


def test_one_broken_run_does_not_hold_up_the_others(funded, account, monkeypatch):
    first = make_run(funded, account, make_rows(1))
    second = make_run(funded, account, make_rows(1, start=10))
    swept, real = [], tasks._sweep_run

    def sweep(run):
        if run.run_id == first.pk:
            raise RuntimeError("broken")
        swept.append(run.run_id)
        real(run)

    monkeypatch.setattr(tasks, "_sweep_run", sweep)
    sweep_runs()
    assert swept == [second.pk]


def test_a_look_for_stalled_runs_that_fails_stops_no_sweep(funded, account, monkeypatch):
    run = make_run(funded, account, make_rows(3))
    with tenant_scope(funded.pk):
        cancel_send_run(run_id=run.pk, tenant_id=funded.pk)

    def fail():
        raise OperationalError("canceling statement due to statement timeout")

    monkeypatch.setattr(tasks, "list_stalled_runs", fail)
    with pytest.raises(OperationalError):
        sweep_runs()
    assert refresh(run) == (State.COMPLETED, {"cancelled": 3})


def test_runs_of_which_nothing_is_to_do_take_one_query_together(funded, account, slot, django_assert_max_num_queries):
    """Small ones too: they have too few messages to be judged by their refusals, ever."""
    runs = [make_run(funded, account, make_rows(3, start=10 * n), origin_id=n) for n in range(10)]
    slot.accept(slot.send_all())
    with platform_scope(reason="test"):
        MessageBatch.objects.update(state="done", session=None)
    with django_assert_max_num_queries(25):
        sweep_runs()
    assert [refresh(run) for run in runs] == [(State.RUNNING, {"accepted": 3})] * 10


@pytest.mark.django_db(transaction=True)
def test_sweeps_do_not_overlap(funded, account):
    run = make_run(funded, account, make_rows(3))
    with tenant_scope(funded.pk):
        cancel_send_run(run_id=run.pk, tenant_id=funded.pk)
    with ThreadPoolExecutor(1) as other, alone("sweep runs") as is_alone:
        assert is_alone
        other.submit(in_own_connection, sweep_runs).result(30)
        assert refresh(run)[0] == State.CANCELLING
    with ThreadPoolExecutor(1) as other:
        other.submit(in_own_connection, sweep_runs).result(30)
    assert refresh(run) == (State.COMPLETED, {"cancelled": 3})


def in_own_connection(work):
    try:
        work()
    finally:
        connection.close()


def test_claims_pass_by_runs_without_a_batch_until_one_is_made(funded, account, slot):
    run = make_run(funded, account, make_rows(3))
    messages = slot.send_all()
    sweep_runs()
    assert not is_sent_out(run)
    slot.accept(messages[1:])
    slot.finish(**{str(batch): 3 for batch in set(slot.batches.values())})
    sweep_runs()
    assert is_sent_out(run) and slot.claim() == []
    slot.answer(SubmitOutcome(messages[0].token, OutcomeKind.DEFERRED, reason=Reason.THROTTLED))  # late
    assert not is_sent_out(run)
    with platform_scope(reason="test"):
        MessageBatch.objects.update(not_before=timezone.now() - timedelta(seconds=1))
        SendRun.objects.update(is_sent_out=True)  # a sweep that did not see that batch yet
    sweep_runs()
    assert [batch.message_count for batch in slot.claim()] == [1]


def is_sent_out(run):
    with tenant_scope(run.tenant_id):
        return SendRun.objects.get(pk=run.pk).is_sent_out
