"""What time does to runs."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from accounts.scope import platform_scope, tenant_scope
from billing.selectors import get_balance
from gateways.models import GatewayAccount
from gateways.types import OutcomeKind, Reason, SubmitOutcome
from messaging import tasks
from messaging.models import Message, MessageBatch, RunTally, SendRun
from messaging.scope import alone, engine_scope
from messaging.selectors import Stall, find_stall, get_run_totals
from messaging.selectors.stalls import list_stalled_runs
from messaging.services import cancel_send_run, pause_send_run
from messaging.services.intents import Stride
from messaging.services.sessions import record_link
from messaging.tasks import ring_senders, sweep_runs, sweep_sessions, sweep_timers
from tests.engine_runs import make_rows, make_run

from .engine import HandSlot

pytestmark = pytest.mark.usefixtures("checked_books")

State = SendRun.State


@pytest.fixture(autouse=True)
def bells(monkeypatch):
    """Doorbells that were rung: (account, slot, queue)."""
    rung = []
    monkeypatch.setattr(
        "messaging.tasks.drain.apply_async", lambda args, queue, **_: rung.append((args[0], args[1], queue))
    )
    monkeypatch.setattr("messaging.tasks.ring_all_senders.delay", lambda: rung.append("all"))
    for name in ("offer_slot", "hand_over_slot"):
        monkeypatch.setattr(
            f"messaging.tasks.{name}.apply_async", lambda args, queue, name=name, **_: rung.append((name, *args, queue))
        )
    return rung


def refresh(run):
    with tenant_scope(run.tenant_id):
        totals = {state: c.messages for state, c in get_run_totals(run).by_state.items()}
        return SendRun.objects.get(pk=run.pk).state, totals


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


def test_dead_sessions_ring(funded, account, slot, bells):
    make_run(funded, account, make_rows(3))
    slot.claim()
    with platform_scope(reason="test"):
        from messaging.models import DispatcherSession

        DispatcherSession.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    sweep_sessions()
    assert bells == ["all"]
    bells.clear()
    ring_senders()
    assert bells == [(account.pk, 0, "senders")]


def test_bells_go_to_who_holds_the_slot(funded, account, slot, bells):
    run = make_run(funded, account, make_rows(3))
    ring_senders(run_id=run.pk)
    ring_senders(run_id=run.pk + 1)
    assert bells == [(account.pk, 0, "test")]


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


def age_run(seconds):
    """The run, its batches and its roll-ups are this much older."""
    with platform_scope(reason="test"):
        earlier = timezone.now() - timedelta(seconds=seconds)
        SendRun.objects.update(state_changed_at=earlier)
        MessageBatch.objects.update(not_before=earlier)
        RunTally.objects.update(minute=earlier)


def stalled():
    with engine_scope(reason="test"):
        return [(run_id, stall.reason) for run_id, _, stall in list_stalled_runs()]


def test_a_stalled_run_is_seen_and_named(funded, account, bells, caplog):
    """W3: nobody holds the slot; then somebody does and nothing moves; then it moves."""
    run = make_run(funded, account, make_rows(3))
    assert stalled() == []
    age_run(150)
    assert stalled() == [(run.pk, "no_worker")]
    slot = HandSlot(account).open()
    assert stalled() == [(run.pk, "no_answers")]
    sweep_runs()
    assert bells == ["all"]
    assert [record.cause for record in caplog.records if record.msg == "engine.run_stalled"] == ["no_answers"]
    (batch,) = slot.claim()
    slot.accept(slot.intend(Stride(batch.batch_id, 0, 1)))
    assert stalled() == []


def test_who_waits_for_others_or_for_the_clock_is_not_stalled(funded, account, slot):
    late = make_run(funded, account, make_rows(3), origin_id=2)
    age_run(150)
    make_run(funded, account, make_rows(3))
    slot.accept(slot.send_all()[:1])
    assert stalled() == []
    with platform_scope(reason="test"):
        RunTally.objects.update(minute=timezone.now() - timedelta(seconds=150))
        SendRun.objects.filter(pk=late.pk).update(not_before=timezone.now() + timedelta(hours=1))
    assert stalled() == []


def why(run):
    """As a page of the tenant asks."""
    with tenant_scope(run.tenant_id):
        found = find_stall(SendRun.objects.get(pk=run.pk))
        assert SendRun.objects.filter(pk=run.pk).exists()  # the page's own scope is as it was
    return found


def test_who_asks_is_told_why_a_run_stands_still(funded, account):
    run = make_run(funded, account, make_rows(3))
    assert why(run) is None
    age_run(150)
    assert why(run) == Stall("no_worker")
    slot = HandSlot(account).open()
    assert why(run) == Stall("no_answers")
    for state, code in [
        ("held", "throttled"),
        ("down", "ConnectionRefusedError"),
        ("refused", "0x0000000e"),
        ("stopped", "0x0000000e"),
    ]:
        with engine_scope(reason="test"):
            record_link(slot.session_id, state, code)
        assert why(run) == Stall(f"link_{state}", code)
    with platform_scope(reason="test"):
        GatewayAccount.objects.update(maintenance_from=timezone.now() - timedelta(minutes=1))
    assert why(run) == Stall("maintenance")
    with platform_scope(reason="test"):
        GatewayAccount.objects.update(is_active=False)
    assert why(run) == Stall("account_off")


def test_a_closed_account_is_named_although_its_connection_is_busy(funded, account, slot):
    run = make_run(funded, account, make_rows(3), origin_id=2)
    age_run(150)
    other = make_run(funded, account, make_rows(3))
    leased = {batch.run_id: batch.batch_id for batch in slot.claim()}
    slot.accept(slot.intend(Stride(leased[other.pk], 0, 3)))
    assert why(run) is None
    with platform_scope(reason="test"):
        type(funded).objects.filter(pk=funded.pk).update(is_active=False)
    assert why(run) == Stall("tenant_closed")


def test_the_best_link_of_a_connection_speaks_for_it(funded, account):
    run = make_run(funded, account, make_rows(3))
    age_run(150)
    with engine_scope(reason="test"):
        record_link(HandSlot(account, number=0).open().session_id, "stopped", "0x0000000e")
        record_link(HandSlot(account, number=1).open().session_id, "up", "")
    assert why(run) == Stall("no_answers")


@pytest.mark.parametrize(("reason", "expected"), [("user", None), ("refusals", Stall("paused", "refusals"))])
def test_a_pause_by_the_system_is_told_and_one_by_the_user_is_known(funded, account, reason, expected):
    run = make_run(funded, account, make_rows(3))
    with tenant_scope(funded.pk):
        pause_send_run(run_id=run.pk, tenant_id=funded.pk, reason=reason)
    age_run(150)
    assert why(run) == expected


class HandRuntime:
    """What the tasks ask of a worker's runtime."""

    def __init__(self, worker, *slots):
        self.worker, self.slots = worker, set(slots)

    def has_slot_of(self, account_id):
        return bool(self.slots)

    def hand_over(self, account_id, slot):
        return slot in self.slots and len(self.slots) > 1


def test_who_has_two_slots_offers_one_and_who_has_none_takes_it(funded, account, bells, monkeypatch):
    with platform_scope(reason="test"):
        GatewayAccount.objects.update(slots=2)
    HandSlot(account, number=0).open()
    HandSlot(account, number=1).open()
    tasks.ring_all_senders()
    offer = ("offer_slot", account.pk, 1, "test", "senders")
    assert [bell for bell in bells if "slot" in str(bell[0])] == [offer]
    bells.clear()
    for hears, expected in [
        (HandRuntime("test", 0, 1), []),
        (HandRuntime("third", 5), []),
        (HandRuntime("second"), [("hand_over_slot", account.pk, 1, "second", "test")]),
    ]:
        monkeypatch.setattr(tasks, "find_runtime", lambda hears=hears: hears)
        tasks.offer_slot(account.pk, 1, "test")
        assert bells == expected
    bells.clear()
    for holds, expected in [(HandRuntime("test", 1), []), (HandRuntime("test", 0, 1), [(account.pk, 1, "second")])]:
        monkeypatch.setattr(tasks, "find_runtime", lambda holds=holds: holds)
        tasks.hand_over_slot(account.pk, 1, "second")
        assert bells == expected


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


def test_a_connection_that_moves_is_not_stalled_beside_one_that_does(funded, account):
    moving = make_run(funded, account, make_rows(3))
    with platform_scope(reason="test"):
        other = GatewayAccount.objects.create(name="Other", adapter="smpp", rate_per_second=1000)
    standing = [make_run(funded, other, make_rows(1, start=10 * n), origin_id=n) for n in (1, 2)]
    age_run(150)
    (batch,) = (slot := HandSlot(account).open()).claim()
    slot.accept(slot.intend(Stride(batch.batch_id, 0, 1)))
    assert stalled() == [(run.pk, "no_worker") for run in standing]
    assert moving.pk not in dict(stalled())


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
