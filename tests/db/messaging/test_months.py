"""Messages by month: where rows go, that old ones leave whole, and that nothing else does."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from unittest import mock

import pytest
from django.core.management import call_command
from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone

from accounts.scope import platform_scope, tenant_scope
from gateways.types import DeliveryEvent, DeliveryState, OutcomeKind, Reason, SubmitOutcome
from messaging import checks
from messaging.models import Message, MessageBatch, ProviderReference, ReceiptInbox, SendRun
from messaging.months import MONTH_ROOM, add_months, current_month, ids_beside, ids_of_months, month_of, start_of
from messaging.scope import engine_scope
from messaging.selectors import get_run_totals, list_recipients
from messaging.services import write_messages
from messaging.services.check import check_engine
from messaging.services.inbox import StoredEvent, store_events
from messaging.services.partitions import FAMILIES, MESSAGES, create_month, list_partitions, partition_name
from messaging.services.retention import list_tenures
from messaging.tasks import sweep_runs, turn_months
from tests.engine_runs import make_rows, make_run

State = SendRun.State
LONG_AGO = 202001


def query(statement, *params):
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall()


def list_months(table=MESSAGES):
    with platform_scope(reason="test"):
        return [p.month for p in list_partitions() if p.table == table]


def make_run_in(month, tenant, account, rows, **fields):
    """As if the run had been made in that month."""
    with mock.patch("messaging.services.runs.current_month", return_value=month):
        return make_run(tenant, account, rows, **fields)


def deliver(slot, account):
    """Everything that is due: sent, accepted, delivered by receipts."""
    messages = slot.send_all()
    slot.accept(messages)
    with engine_scope(reason="test"):
        events = [DeliveryEvent(f"id-{m.token}", m.msisdn, DeliveryState.DELIVERED) for m in messages]
        store_events([StoredEvent(account.pk, b"raw", event) for event in events])
        MessageBatch.objects.update(state="done", session=None)
    sweep_runs()
    return messages


def test_months_count_like_a_calendar():
    assert add_months(202611, 2) == 202701
    assert add_months(202601, -1) == 202512
    assert start_of(202612) == datetime(2026, 12, 1, tzinfo=UTC)
    assert month_of(datetime.fromisoformat("2026-12-01T02:30+03:00")) == 202611  # by UTC
    assert ids_beside([202612 * MONTH_ROOM + 5]) == ids_of_months(202612, 202612)
    assert ids_beside([]) == (0, 0)
    assert 999912 * MONTH_ROOM > 2**53 > 209912 * MONTH_ROOM


def test_this_month_and_the_next_two_are_ready(db):
    for table in FAMILIES:
        assert list_months(table) == [add_months(current_month(), n) for n in range(3)]


def test_a_missing_month_stops_no_run(funded, account):
    month = add_months(current_month(), 7)
    run = make_run_in(month, funded, account, make_rows(3))
    assert run.month == month
    assert all(month in list_months(table) for table in FAMILIES)
    assert create_month(month) == []
    with platform_scope(reason="test"):
        assert {pk // MONTH_ROOM for pk in Message.objects.values_list("pk", flat=True)} == {month}
        assert {pk // MONTH_ROOM for pk in MessageBatch.objects.values_list("pk", flat=True)} == {month}


def test_partitions_are_what_the_engine_needs(db):
    """Each has its unique keys and its room for HOT updates; policies: tests/guard."""
    name = partition_name(MESSAGES, current_month())
    assert query("SELECT reloptions FROM pg_class WHERE relname = %s", name) == [(["fillfactor=45"],)]
    keys = query("SELECT indexdef FROM pg_indexes WHERE tablename = %s AND indexdef LIKE 'CREATE UNIQUE%%'", name)
    columns = {key.partition(" USING btree ")[2].replace('"', "") for (key,) in keys}
    assert columns == {"(id)", "(run_id, msisdn)", "(batch_id, position)"}
    # What Django would make on the table is on its partitions.
    for model in (ProviderReference, ReceiptInbox):
        found = [row[0] for row in query("SELECT indexname FROM pg_indexes WHERE tablename = %s", model._meta.db_table)]
        assert {index.name for index in model._meta.indexes} < set(found)


def test_a_number_is_written_once_also_after_the_month_has_turned(funded, account):
    """S1: the month counts in which the run was made, not the day of writing."""
    month = add_months(current_month(), -1)
    run = make_run_in(month, funded, account, make_rows(2), start=False)
    with tenant_scope(funded.pk):
        SendRun.objects.update(state=State.PREPARING)
        written = write_messages(run_id=run.pk, tenant_id=funded.pk, gateway_account_id=account.pk, rows=make_rows(3))
        assert (written.count, len(written.repeats)) == (1, 2)
        assert {pk // MONTH_ROOM for pk in Message.objects.values_list("pk", flat=True)} == {month}


def test_no_message_without_a_month(funded, account):
    run = make_run(funded, account, make_rows(1))
    with platform_scope(reason="test"):
        (message,) = Message.objects.filter(run=run)
        message.pk, message.msisdn, message.position = None, "+905309999999", 9
        with pytest.raises(IntegrityError), transaction.atomic():
            message.save(force_insert=True)


def test_the_checker_sees_a_message_in_the_wrong_month(funded, account):
    run = make_run(funded, account, make_rows(1))
    with platform_scope(reason="test"):
        SendRun.objects.filter(pk=run.pk).update(month=add_months(run.month, 1))
        assert [v.invariant for v in check_engine()] == ["S1", "S1"]


def test_deferred_messages_stay_in_their_runs_month(funded, account, slot):
    month = add_months(current_month(), 5)
    run = make_run_in(month, funded, account, make_rows(2))
    messages = slot.send_all()
    slot.answer(*(SubmitOutcome(m.token, OutcomeKind.DEFERRED, reason=Reason.THROTTLED) for m in messages))
    with platform_scope(reason="test"):
        batches = set(Message.objects.filter(run=run).values_list("batch_id", flat=True))
        assert {pk // MONTH_ROOM for pk in batches} == {month}
        assert MessageBatch.objects.filter(run=run).count() == 2
        MessageBatch.objects.update(not_before=timezone.now() - timedelta(seconds=1))
        assert check_engine() == []


@pytest.fixture
def old_run(funded, account, slot):
    run = make_run_in(LONG_AGO, funded, account, make_rows(3))
    deliver(slot, account)
    with platform_scope(reason="test"):
        run.refresh_from_db()
        assert run.state == State.COMPLETED
        SendRun.objects.update(completed_at=start_of(LONG_AGO))
    return run


def test_old_months_leave_and_figures_stay(funded, account, old_run):
    young = make_run(funded, account, make_rows(2, start=50))
    turn_months()
    for table in FAMILIES:
        assert list_months(table) == [add_months(current_month(), n) for n in range(3)]
    with platform_scope(reason="test"):
        old_run.refresh_from_db()
        assert old_run.messages_dropped_at is not None
        assert set(Message.objects.values_list("run_id", flat=True)) == {young.pk}
        assert set(MessageBatch.objects.values_list("run_id", flat=True)) == {young.pk}
        assert get_run_totals(old_run).get("delivered").messages == 3
        assert list(list_recipients(old_run)) == []
        assert SendRun.objects.get(pk=young.pk).messages_dropped_at is None
        assert check_engine() == []


@pytest.mark.parametrize("state", [State.READY, State.PAUSED])
def test_a_month_with_an_unfinished_run_is_kept_and_named(funded, account, old_run, state, caplog):
    other = make_run_in(LONG_AGO, funded, account, make_rows(1, start=50), start=False)
    with platform_scope(reason="test"):
        SendRun.objects.filter(pk=other.pk).update(state=state)
    with caplog.at_level("WARNING", logger="messaging.tasks"):
        turn_months()
    assert LONG_AGO in list_months()
    kept = [record for record in caplog.records if record.message == "engine.month_kept"]
    assert [(r.partition, r.open_runs) for r in kept] == [(partition_name(MESSAGES, LONG_AGO), [other.pk])]
    with platform_scope(reason="test"):
        assert Message.objects.filter(run=old_run).count() == 3


def test_time_counts_from_the_last_run_that_was_over(funded, account, old_run, settings):
    with platform_scope(reason="test"):
        SendRun.objects.update(completed_at=timezone.now() - timedelta(days=settings.MESSAGE_RETENTION_MONTHS * 30))
    turn_months()
    assert LONG_AGO in list_months()


def test_receipts_go_by_days_and_messages_stay(funded, account, slot):
    make_run(funded, account, make_rows(3))
    deliver(slot, account)
    with platform_scope(reason="test"):
        assert ReceiptInbox.objects.count() == ProviderReference.objects.count() == 3
        later = start_of(add_months(current_month(), 1)) + timedelta(days=91)
        with mock.patch("messaging.services.retention.timezone.now", return_value=later):
            overs = {tenure.partition.name for tenure in list_tenures() if tenure.is_over}
    assert overs == {partition_name(table, current_month()) for table in FAMILIES if table != MESSAGES}


def test_somebody_at_the_table_delays_the_drop(funded, account, old_run, monkeypatch, caplog):
    def refuse(partition):
        raise OperationalError("canceling statement due to lock timeout")

    monkeypatch.setattr("messaging.tasks.drop_partition", refuse)
    turn_months()
    assert LONG_AGO in list_months()
    assert "engine.month_not_dropped" in [record.message for record in caplog.records]


def test_retention_shorter_than_the_engines_memory_is_refused(settings):
    assert checks.check_retention() == []
    settings.MESSAGE_RETENTION_MONTHS, settings.RECEIPT_RETENTION_DAYS = 0, 7
    assert [error.id for error in checks.check_retention()] == ["messaging.E002", "messaging.E003"]


def test_list_partitions(funded, account, old_run):
    out = StringIO()
    call_command("list_partitions", "--json", stdout=out)
    shown = json.loads(out.getvalue())
    old = next(row for row in shown if row["partition"] == partition_name(MESSAGES, LONG_AGO))
    assert old["month"] == LONG_AGO and old["drops_at"].startswith("2023-02-01") and old["size_bytes"] > 0
    call_command("list_partitions", stdout=out)
    assert str(LONG_AGO) in out.getvalue()
