"""Claim, intent, answers: the fence and what it lets through."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.scope import platform_scope, tenant_scope
from billing.selectors import get_balance
from billing.services import top_up_credits
from gateways.types import OutcomeKind, Reason, SubmitOutcome
from messaging.models import DispatcherSession, Message, MessageBatch, ProviderReference, SendRun
from messaging.scope import engine_scope
from messaging.services import cancel_send_run, pause_send_run, resume_send_run
from messaging.services.intents import Stride
from messaging.services.sessions import (
    close_session,
    end_dead_sessions,
    end_session_of_dead_worker,
    find_session_worker,
    open_session,
    renew_sessions,
)
from optout.services import record_opt_out
from tests.engine_runs import count_states, make_rows, make_run

from .engine import HandSlot, accepted

pytestmark = pytest.mark.usefixtures("checked_books")


def balance(tenant):
    with tenant_scope(tenant.pk):
        return get_balance(tenant.pk)


def expire_lease(slot):
    with platform_scope(reason="test"):
        DispatcherSession.objects.filter(pk=slot.session_id).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_a_message_is_sent_and_paid(funded, account, slot):
    run = make_run(funded, account, make_rows(3))
    messages = slot.send_all()
    assert [(m.msisdn, m.sender, m.text) for m in messages] == [
        (f"+90530000000{n}", "BUTIK", f"Merhaba {n}") for n in range(3)
    ]
    assert slot.accept(messages) == 3
    assert count_states(run) == {"accepted": 3}
    assert balance(funded) == (99_997, 0)
    assert slot.accept(messages) == 0
    with tenant_scope(funded.pk):
        assert ProviderReference.objects.count() == 3


def test_a_mark_rises_once(funded, account, slot):
    make_run(funded, account, make_rows(10))
    (batch,) = slot.claim()
    assert len(slot.intend(Stride(batch.batch_id, 0, 4))) == 4
    assert slot.intend(Stride(batch.batch_id, 0, 4)) == []
    assert len(slot.intend(Stride(batch.batch_id, 4, 10))) == 6


def test_a_batch_is_leased_once(funded, account, slot):
    make_run(funded, account, make_rows(10))
    assert len(slot.claim()) == 1
    assert HandSlot(account, number=1).open().claim() == []


@pytest.mark.parametrize(
    "reason", ["paused", "cancelled", "closed hours", "overdue", "too early", "lease over", "dead"]
)
def test_intent_is_refused(funded, account, slot, reason):
    run = make_run(funded, account, make_rows(10))
    (batch,) = slot.claim()
    key = {"run_id": run.pk, "tenant_id": funded.pk}
    with platform_scope(reason="test"):
        row = SendRun.objects.filter(pk=run.pk)
        now = timezone.now()
        local = now.astimezone(timezone.get_default_timezone())
        if reason == "paused":
            pause_send_run(**key)
        elif reason == "cancelled":
            cancel_send_run(**key)
        elif reason == "closed hours":
            opens, closes = local + timedelta(hours=2), local + timedelta(hours=3)
            row.update(window_opens=opens.time(), window_closes=closes.time())
        elif reason == "overdue":
            row.update(deadline_at=now - timedelta(seconds=1))
        elif reason == "too early":
            row.update(not_before=now + timedelta(minutes=1))
    if reason in ("lease over", "dead"):
        expire_lease(slot)
    if reason == "dead":
        with engine_scope(reason="test"):
            assert end_dead_sessions() == 1
    assert slot.intend(Stride(batch.batch_id, 0, 10)) == []
    assert slot.claim() == []
    with platform_scope(reason="test"):
        assert MessageBatch.objects.get().intent_upto == 0


@pytest.mark.parametrize("offsets", [(-2, 2), (-2, -3), (1, 1)])
def test_open_hours_let_through(funded, account, slot, offsets):
    run = make_run(funded, account, make_rows(1))
    local = timezone.now().astimezone(timezone.get_default_timezone())
    opens, closes = (local + timedelta(hours=n) for n in offsets)
    with platform_scope(reason="test"):
        SendRun.objects.filter(pk=run.pk).update(window_opens=opens.time(), window_closes=closes.time())
    assert len(slot.send_all()) == 1


def test_resumed_run_goes_on(funded, account, slot):
    run = make_run(funded, account, make_rows(2))
    key = {"run_id": run.pk, "tenant_id": funded.pk}
    with tenant_scope(funded.pk):
        pause_send_run(**key)
    assert slot.claim() == []
    with tenant_scope(funded.pk):
        resume_send_run(**key)
    assert len(slot.send_all()) == 2


def test_suppression_before_the_intent_blocks(funded, cast, account, slot):
    run = make_run(funded, account, make_rows(4))
    (batch,) = slot.claim()
    with tenant_scope(funded.pk):
        record_opt_out(tenant_id=funded.pk, msisdn="+905300000001", source="manual", reason="")
    with tenant_scope(cast.rakip.pk):
        record_opt_out(tenant_id=cast.rakip.pk, msisdn="+905300000002", source="manual", reason="")
    with platform_scope(reason="test"):
        record_opt_out(tenant_id=None, msisdn="+905300000003", source="platform", reason="")
    messages = slot.intend(Stride(batch.batch_id, 0, 4))
    assert [m.msisdn[-1] for m in messages] == ["0", "2"]
    assert count_states(run) == {"queued": 2, "suppressed": 2}
    assert balance(funded) == (99_998, 2)


@pytest.mark.parametrize(
    ("kind", "state", "left"),
    [(OutcomeKind.REJECTED, "rejected", (100_000, 0)), (OutcomeKind.UNKNOWN, "unknown", (99_999, 1))],
)
def test_refusals_and_doubts(funded, account, slot, kind, state, left):
    run = make_run(funded, account, make_rows(1))
    (message,) = slot.send_all()
    slot.answer(SubmitOutcome(message.token, kind, code="0x0b", reason=Reason.BAD_ADDRESS))
    assert count_states(run) == {state: 1}
    assert balance(funded) == left
    with platform_scope(reason="test"):
        assert Message.objects.values_list("reason", "provider_code").get() == ("bad_address", "0x0b")


def test_a_late_answer_heals(funded, account, slot):
    run = make_run(funded, account, make_rows(2))
    first, second = slot.send_all()
    slot.answer(*(SubmitOutcome(m.token, OutcomeKind.UNKNOWN, reason=Reason.TIMEOUT) for m in (first, second)))
    slot.batches.clear()
    slot.answer(accepted(first)._replace(late=True))
    slot.answer(SubmitOutcome(second.token, OutcomeKind.REJECTED, reason=Reason.BAD_CONTENT, late=True))
    assert count_states(run) == {"accepted": 1, "rejected": 1}
    assert balance(funded) == (99_999, 0)


def test_accounts_are_locked_when_nothing_else_is_left_to_lock(funded, account, slot):
    """docs/engine.md, Locks: whatever the answers of one flush are."""
    make_run(funded, account, make_rows(5))
    first, *others = slot.send_all()
    slot.answer(SubmitOutcome(first.token, OutcomeKind.UNKNOWN, reason=Reason.TIMEOUT))
    late, unsent, refused, doubtful, taken = (m.token for m in (first, *others))
    with CaptureQueriesContext(connection) as captured:
        slot.answer(
            SubmitOutcome(taken, OutcomeKind.ACCEPTED, "id"),
            SubmitOutcome(refused, OutcomeKind.REJECTED, reason=Reason.BAD_CONTENT),
            SubmitOutcome(doubtful, OutcomeKind.UNKNOWN, reason=Reason.TIMEOUT),
            SubmitOutcome(unsent, OutcomeKind.NOT_SENT, reason=Reason.LINK_LOST),
            SubmitOutcome(late, OutcomeKind.DEFERRED, reason=Reason.THROTTLED, late=True),
        )
    tables = [re.findall("messaging_message|messaging_sendrun|messaging_runtally|billing", q["sql"]) for q in captured]
    order = [found[0] for found in tables if found]
    assert order.count("messaging_runtally") == 1 and "messaging_message" in order
    assert set(order[order.index("messaging_runtally") + 1 :]) == {"billing"}


def test_deferred_messages_come_again_in_a_new_batch(funded, account, slot):
    run = make_run(funded, account, make_rows(3))
    messages = slot.send_all()
    throttled = SubmitOutcome(messages[0].token, OutcomeKind.DEFERRED, reason=Reason.THROTTLED, retry_after_seconds=1)
    busy = SubmitOutcome(messages[1].token, OutcomeKind.DEFERRED, reason=Reason.SYSTEM, retry_after_seconds=30)
    unsent = SubmitOutcome(messages[2].token, OutcomeKind.NOT_SENT, reason=Reason.LINK_LOST)
    for _ in range(2):  # a flush whose commit seemed to fail is repeated
        slot.answer(throttled, busy, unsent)
    assert count_states(run) == {"queued": 3}
    with platform_scope(reason="test"):
        batches = MessageBatch.objects.filter(state="ready").order_by("not_before")
        waits = [round((b.not_before - timezone.now()).total_seconds()) for b in batches]
        assert (waits, [b.attempt for b in batches]) == ([0, 1, 30], [0, 0, 1])
    assert [m.token for m in slot.send_all()] == [messages[2].token]


@pytest.mark.parametrize(("wait", "expected"), [(5, 30), (300, 300)], ids=["the ladder's step", "the provider's wait"])
def test_what_is_refused_for_now_waits_as_long_as_both_say(funded, account, slot, wait, expected):
    make_run(funded, account, make_rows(1))
    (message,) = slot.send_all()
    slot.answer(SubmitOutcome(message.token, OutcomeKind.DEFERRED, reason=Reason.NO_BALANCE, retry_after_seconds=wait))
    with platform_scope(reason="test"):
        batch = MessageBatch.objects.get(state="ready")
    assert (batch.not_before - timezone.now()).total_seconds() == pytest.approx(expected, abs=2)
    assert batch.attempt == 1


def test_a_message_sent_again_is_not_taken_back_by_an_old_answer(funded, account, slot):
    make_run(funded, account, make_rows(1))
    (message,) = slot.send_all()
    old = dict(slot.batches)
    unsent = SubmitOutcome(message.token, OutcomeKind.NOT_SENT, reason=Reason.LINK_LOST)
    slot.answer(unsent)
    assert len(slot.send_all()) == 1
    slot.batches = old
    assert slot.answer(unsent) == 0
    slot.batches = {}
    assert slot.answer(unsent._replace(late=True)) == 0


def test_a_late_refusal_for_now_queues_again(funded, account, slot):
    run = make_run(funded, account, make_rows(1))
    (message,) = slot.send_all()
    slot.answer(SubmitOutcome(message.token, OutcomeKind.UNKNOWN, reason=Reason.TIMEOUT))
    slot.batches.clear()
    slot.answer(SubmitOutcome(message.token, OutcomeKind.DEFERRED, reason=Reason.THROTTLED, late=True))
    assert count_states(run) == {"queued": 1}


def test_a_second_doubt_counts_from_the_second_try(funded, account, slot):
    make_run(funded, account, make_rows(1))
    (message,) = slot.send_all()
    doubt = SubmitOutcome(message.token, OutcomeKind.UNKNOWN, reason=Reason.TIMEOUT)
    slot.answer(doubt)
    with platform_scope(reason="test"):
        Message.objects.update(submitted_at=timezone.now() - timedelta(hours=20))
    slot.answer(SubmitOutcome(message.token, OutcomeKind.DEFERRED, reason=Reason.THROTTLED, late=True))
    with platform_scope(reason="test"):
        assert Message.objects.get().submitted_at is None
        MessageBatch.objects.update(not_before=timezone.now() - timedelta(seconds=1))
    assert slot.send_all() == [message]
    slot.answer(doubt)
    with platform_scope(reason="test"):
        assert timezone.now() - Message.objects.get(state="unknown").submitted_at < timedelta(hours=1)


def test_a_dead_session_leaves_doubt_below_the_mark_only(funded, account, slot):
    run = make_run(funded, account, make_rows(10))
    (batch,) = slot.claim()
    messages = slot.intend(Stride(batch.batch_id, 0, 6))
    slot.accept(messages[:2])
    expire_lease(slot)
    with engine_scope(reason="test"):
        assert renew_sessions([slot.session_id]) == (set(), {slot.session_id})
        assert end_dead_sessions() == 1
        assert end_dead_sessions() == 0
    assert count_states(run) == {"accepted": 2, "unknown": 4, "queued": 4}
    rest = HandSlot(account).open().send_all()
    assert len(rest) == 4 and not {m.token for m in rest} & {m.token for m in messages}
    # The dead one was only stalled, and its answers come after all.
    slot.answer(accepted(messages[2]), SubmitOutcome(messages[3].token, OutcomeKind.NOT_SENT))
    assert count_states(run) == {"accepted": 3, "unknown": 2, "queued": 5}


def test_a_closed_session_gives_its_batches_back(funded, account, slot):
    run = make_run(funded, account, make_rows(10))
    (batch,) = slot.claim()
    slot.accept(slot.intend(Stride(batch.batch_id, 0, 5)))
    with engine_scope(reason="test"):
        assert close_session(slot.session_id)
        assert not close_session(slot.session_id)
    assert count_states(run) == {"accepted": 5, "queued": 5}
    assert len(HandSlot(account).open().send_all()) == 5


def test_an_intent_whose_commit_was_not_seen_sends_nothing_and_loses_nothing(funded, account, slot):
    run = make_run(funded, account, make_rows(10))
    (batch,) = slot.claim()
    slot.accept(slot.intend(Stride(batch.batch_id, 0, 4)))
    slot.intend(Stride(batch.batch_id, 4, 10))  # committed, and the caller saw an error
    slot.finish(**{str(batch.batch_id): 4})
    assert count_states(run) == {"accepted": 4, "queued": 6}
    assert len(slot.send_all()) == 6


def test_a_slot_has_one_live_session(account, slot):
    with engine_scope(reason="test"):
        assert open_session(gateway_account_id=account.pk, slot=0, worker="other") is None
    expire_lease(slot)
    with engine_scope(reason="test"):
        assert open_session(gateway_account_id=account.pk, slot=0, worker="other") is not None


def test_proof_that_one_worker_is_dead_ends_no_session_of_another(account, slot):
    """The slot changed hands between the look at its holder and the word that it is dead."""
    ask = {"gateway_account_id": account.pk, "slot": 0}
    with engine_scope(reason="test"):
        assert not end_session_of_dead_worker(**ask, worker="who had it before")
        assert find_session_worker(account.pk, 0) == "test"
        assert end_session_of_dead_worker(**ask, worker="test")
        assert find_session_worker(account.pk, 0) == ""


def test_urgent_first_and_tenants_in_turn(funded, cast, account, slot):
    top_up_credits(tenant=cast.rakip, amount=Decimal(1000), reference="start", actor=None)
    million = make_run(funded, account, make_rows(5000))
    small = make_run(cast.rakip, account, make_rows(50))
    test = make_run(funded, account, make_rows(1), priority=SendRun.Priority.TEST, origin_type="test")
    claimed = slot.claim(per_tenant=1, limit=3)
    assert {b.run_id for b in claimed} == {million.pk, small.pk, test.pk}
    assert {b.run_id for b in slot.claim(per_tenant=1, limit=1, held=[(5, funded.pk)])} == set()


def test_no_session_no_claim(funded, account, slot):
    make_run(funded, account, make_rows(1))
    expire_lease(slot)
    assert slot.claim() == []


def test_row_security_hides_the_engine_from_other_tenants(funded, cast, account, slot):
    make_run(funded, account, make_rows(2))
    slot.accept(slot.send_all())
    with tenant_scope(cast.rakip.pk), connection.cursor() as cursor:
        for table in ("message", "messagebatch", "sendrun", "runtally", "providerreference"):
            cursor.execute(f"SELECT count(*) FROM messaging_{table}")
            assert cursor.fetchone() == (0,)
