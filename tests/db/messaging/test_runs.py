from datetime import datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.scope import tenant_scope
from billing.selectors import get_balance
from billing.services import NoCreditAccount, NotEnoughCredits
from messaging.models import Message, MessageBatch, RunTally, SendRun
from messaging.rows import WrittenMessages
from messaging.selectors import get_run_totals, list_operators, list_recipients, list_run_minutes
from messaging.services import (
    RunClosed,
    RunNotReady,
    RunTerms,
    cancel_send_run,
    create_send_run,
    discard_send_run,
    mark_run_ready,
    pause_send_run,
    resume_send_run,
    start_send_run,
    write_messages,
)
from tests.engine_runs import make_rows, make_run

State = SendRun.State


@pytest.fixture
def scoped(funded):
    with tenant_scope(funded.pk):
        yield funded


def new_run(tenant, **changes):
    values = {"sender": "BUTIK", "content_class": "commercial", "time_zone": "Europe/Istanbul", **changes}
    return create_send_run(tenant_id=tenant.pk, origin_type="campaign", origin_id=1, terms=RunTerms(**values))


def write(run, account, rows):
    return write_messages(run_id=run.pk, tenant_id=run.tenant_id, gateway_account_id=account.pk, rows=rows)


def test_written_messages_lie_densely_in_batches_of_one_encoding(scoped, account):
    run = new_run(scoped)
    rows = make_rows(1500) + make_rows(600, start=5000, encoding="ucs2", parts=2, price=Decimal(2))
    assert write(run, account, rows) == WrittenMessages(2100, 2700, Decimal(2700))
    batches = MessageBatch.objects.filter(run=run).order_by("pk")
    assert [b.message_count for b in batches] == [1000, 500, 600]
    for batch in batches:
        messages = Message.objects.filter(batch=batch).order_by("position")
        assert [m.position for m in messages] == list(range(batch.message_count))
        assert len({m.encoding for m in messages}) == 1


@pytest.mark.parametrize(
    ("wanted", "kept"), [("Asia/Tokyo", "Asia/Tokyo"), ("Mars/Olympus", "Europe/Istanbul"), ("", "Europe/Istanbul")]
)
def test_a_zone_that_the_database_does_not_know_stops_nobody(scoped, account, wanted, kept):
    assert new_run(scoped, time_zone=wanted).time_zone == kept


def test_a_zone_is_asked_about_once_while_it_is_known(scoped):
    def count_questions(name):
        with CaptureQueriesContext(connection) as queries:
            new_run(scoped, time_zone=name)
        return sum("AT TIME ZONE" in query["sql"] for query in queries)

    assert count_questions("Asia/Tokyo") <= 1
    assert count_questions("Asia/Tokyo") == 0
    assert [count_questions("Mars/Olympus") for _ in range(2)] == [1, 1], "it may be known after an upgrade"


def test_a_number_is_written_once(scoped, account):
    run = new_run(scoped)
    assert write(run, account, make_rows(10) + make_rows(5)).count == 10
    assert write(run, account, make_rows(12)).count == 2
    assert write(run, account, make_rows(12)) == WrittenMessages(0, 0, Decimal(0))
    run = mark_run_ready(run.pk)
    assert (run.state, run.message_count, run.part_count, run.credits) == (State.READY, 12, 12, 12)


def test_texts_arrive_as_they_are(scoped, account):
    run = new_run(scoped)
    texts = ["çok\tgüzel\n\\N iki\r\nsatır \\t", "\\.", "emoji 😀 'tırnak' \"çift\"", "\\N", ""]
    rows = [row._replace(text=text) for row, text in zip(make_rows(len(texts)), texts, strict=True)]
    write(run, account, rows)
    assert [m.text for m in list_recipients(run)] == texts


def test_nothing_is_written_past_preparing(scoped, account):
    run = new_run(scoped)
    mark_run_ready(run.pk)
    with pytest.raises(RunClosed):
        write(run, account, make_rows(1))


def test_start_holds_the_whole_cost_once(funded, account):
    run = make_run(funded, account, make_rows(50))
    assert run.state == State.RUNNING
    assert run.deadline_at - run.started_at == timedelta(days=1)
    with tenant_scope(funded.pk):
        start_send_run(run_id=run.pk, tenant_id=funded.pk)
        assert get_balance(funded.pk) == (99_950, 50)


def test_start_without_credits_changes_nothing(cast, account):
    run = make_run(cast.ajans, account, make_rows(3), start=False)
    with tenant_scope(cast.ajans.pk), pytest.raises(NoCreditAccount):
        start_send_run(run_id=run.pk, tenant_id=cast.ajans.pk)
    with tenant_scope(cast.ajans.pk):
        assert SendRun.objects.get(pk=run.pk).state == State.READY


def test_start_with_too_few_credits_changes_nothing(funded, account):
    run = make_run(funded, account, make_rows(2, price=Decimal(60_000)), start=False)
    with tenant_scope(funded.pk):
        with pytest.raises(NotEnoughCredits) as raised:
            start_send_run(run_id=run.pk, tenant_id=funded.pk)
        assert raised.value.needed == 120_000
        assert SendRun.objects.get(pk=run.pk).state == State.READY
        assert get_balance(funded.pk) == (100_000, 0)


def test_a_run_that_is_being_prepared_cannot_start(scoped):
    run = new_run(scoped)
    with pytest.raises(RunNotReady):
        start_send_run(run_id=run.pk, tenant_id=scoped.pk)


def test_an_empty_run_is_over_at_once(funded, account):
    assert make_run(funded, account, []).state == State.COMPLETED


def test_pause_resume_cancel_are_conditional(funded, account):
    run = make_run(funded, account, make_rows(5))
    key = {"run_id": run.pk, "tenant_id": funded.pk}
    with tenant_scope(funded.pk):
        assert pause_send_run(**key)
        assert not pause_send_run(**key)
        SendRun.objects.filter(pk=run.pk).update(state_changed_at=timezone.now() - timedelta(hours=2))
        assert resume_send_run(**key)
        assert not resume_send_run(**key)
        paused = SendRun.objects.get(pk=run.pk).deadline_at - run.deadline_at
        assert timedelta(hours=2) <= paused < timedelta(hours=2, minutes=1)
        assert cancel_send_run(**key)
        assert not cancel_send_run(**key)
        assert not resume_send_run(**key)
        assert not discard_send_run(**key)


def test_discard_deletes_what_was_never_started(funded, account):
    run = make_run(funded, account, make_rows(5), start=False)
    with tenant_scope(funded.pk):
        assert discard_send_run(run_id=run.pk, tenant_id=funded.pk)
        assert not discard_send_run(run_id=run.pk, tenant_id=funded.pk)
        for model in (Message, MessageBatch, RunTally):
            assert not model.objects.filter(run_id=run.pk).exists()
        assert SendRun.objects.get(pk=run.pk).state == State.DISCARDED


def test_another_tenant_moves_nothing(funded, cast, account):
    run = make_run(funded, account, make_rows(5))
    with tenant_scope(cast.rakip.pk):
        assert not pause_send_run(run_id=run.pk, tenant_id=cast.rakip.pk)
        assert not cancel_send_run(run_id=run.pk, tenant_id=funded.pk)


def test_totals_come_from_roll_ups(funded, account):
    run = make_run(funded, account, make_rows(7) + make_rows(3, start=100, operator="vodafone", parts=2))
    with tenant_scope(funded.pk):
        totals = get_run_totals(run)
        assert totals.by_state == {"queued": (10, 13, 10)}
        assert (totals.open_count, totals.submitting_count, totals.sent.messages) == (10, 0, 0)
        assert [(o.operator, o.messages) for o in list_operators(run)] == [("turkcell", 7), ("vodafone", 3)]
        assert [(m.state, m.messages) for m in list_run_minutes(run)] == [("queued", 10)]


def test_recipients_page_by_number(funded, account):
    run = make_run(funded, account, make_rows(30))
    with tenant_scope(funded.pk):
        first = [m.msisdn for m in list_recipients(run)[:10]]
        second = [m.msisdn for m in list_recipients(run, after=first[-1])[:10]]
        assert first == sorted(first) and second[0] > first[-1]
        assert [m.msisdn for m in list_recipients(run, query="0530 000 00 07")] == ["+905300000007"]
        assert len(list_recipients(run, query="00029")) == 1
        assert not list_recipients(run, states=["delivered"])


def test_a_window_needs_both_ends(scoped):
    with pytest.raises(ValueError, match="window"):
        new_run(scoped, window_opens=time(9))


def test_a_start_that_comes_days_late_has_its_whole_day(funded, account):
    """A schedule that was missed and is launched by hand afterwards: its deadline must not be over already."""
    due = timezone.now() - timedelta(days=3)
    run = make_run(funded, account, make_rows(1), not_before=due)
    assert run.deadline_at > timezone.now() + timedelta(hours=23)


def test_a_start_for_later_counts_from_then(funded, account):
    due = timezone.now() + timedelta(days=3)
    run = make_run(funded, account, make_rows(1), not_before=due)
    assert run.deadline_at - due == timedelta(days=1)


ISTANBUL = ZoneInfo("Europe/Istanbul")
HOURS = {"window_opens": time(9), "window_closes": time(20)}


def ask_at(monkeypatch, hour: int, day: int = 23) -> datetime:
    """The database's clock for deadlines; 23 is a Monday."""
    moment = datetime(2026, 11, day, hour, tzinfo=ISTANBUL)
    monkeypatch.setattr("messaging.services.runs.read_clock", lambda: moment)
    return moment


def test_closed_hours_do_not_count_against_the_deadline(funded, account, monkeypatch):
    ask_at(monkeypatch, 10)
    run = make_run(funded, account, make_rows(1), **HOURS)
    # 10 hours on Monday, 11 on Tuesday, 3 on Wednesday
    assert run.deadline_at == datetime(2026, 11, 25, 12, tzinfo=ISTANBUL)


@pytest.mark.parametrize(
    ("paused", "resumed", "deadline"),
    [
        ((19, 23), (10, 24), (14, 25)),  # one hour of sending missed on Monday, one on Tuesday
        ((21, 23), (8, 24), (12, 25)),  # the night: nothing missed
        ((10, 23), (19, 25), (10, 28)),  # all of it is left: 1 hour, 11, 11 and 1
    ],
)
def test_a_pause_leaves_as_much_time_to_send_as_there_was(funded, account, monkeypatch, paused, resumed, deadline):
    ask_at(monkeypatch, 10)
    run = make_run(funded, account, make_rows(1), **HOURS)
    key = {"run_id": run.pk, "tenant_id": funded.pk}
    with tenant_scope(funded.pk):
        pause_send_run(**key)
        SendRun.objects.filter(pk=run.pk).update(state_changed_at=ask_at(monkeypatch, *paused))
        ask_at(monkeypatch, *resumed)
        assert resume_send_run(**key)
        assert SendRun.objects.get(pk=run.pk).deadline_at == datetime(
            2026, 11, deadline[1], deadline[0], tzinfo=ISTANBUL
        )
