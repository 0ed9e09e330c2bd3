"""One-time passwords have a lane of their own: other messages never enter it, and it does not wait for them."""

import select
import threading
from datetime import timedelta
from unittest.mock import Mock

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from accounts.scope import platform_scope, tenant_scope
from billing.selectors import get_balance
from gateways.base import LinkState
from gateways.routing.health import Health
from gateways.types import OutcomeKind, Reason, SubmitOutcome
from messaging.dispatch import express_slot
from messaging.dispatch.database import in_one_transaction
from messaging.dispatch.express import ExpressLane
from messaging.dispatch.express_slot import ExpressSlot
from messaging.dispatch.slot import Slot
from messaging.dispatch.valve import Valve
from messaging.models import DispatcherSession, MessageBatch, SendRun
from messaging.services import pause_send_run
from messaging.services.claims import EXPRESS_SIZE, Lane
from messaging.services.runs import EXPRESS_CHANNEL
from optout.services import record_opt_out
from tests.engine_runs import count_states, make_rows, make_run

from .engine import HandSlot, accepted

pytestmark = pytest.mark.usefixtures("checked_books")

OTP = SendRun.Priority.OTP


class Lanes:
    """One slot with both halves, and what each of them would have written."""

    def __init__(self, account):
        session_id = HandSlot(account).open().session_id
        common = {"gateway_account_id": account.pk, "number": 0, "session_id": session_id}
        self.usual, self.urgent = [], []
        self.bulk = Slot(
            **common,
            gateway=None,
            stride=100,
            submit=lambda _, messages: self.usual.extend(messages),
            store_events=lambda *_: None,
            lane=Lane.BULK,
        )
        self.express = self.bulk.express = ExpressSlot(**common, window=100, submit=self.urgent.extend)
        self.bulk.on_state(LinkState.UP, "")


@pytest.fixture
def lanes(account):
    return Lanes(account)


def batch_states(run):
    with tenant_scope(run.tenant_id):
        return sorted(MessageBatch.objects.filter(run=run).values_list("state", flat=True))


def lose_commit(reason, work):
    in_one_transaction(reason, work)
    raise OperationalError("the commit's answer was lost")


def make_due():
    with platform_scope(reason="test"):
        MessageBatch.objects.update(not_before=timezone.now() - timedelta(seconds=1))


def test_each_lane_takes_its_own(lanes, account, funded):
    make_run(funded, account, make_rows(5))
    make_run(funded, account, make_rows(2, start=100), priority=OTP)
    make_run(funded, account, make_rows(EXPRESS_SIZE + 1, start=200), priority=OTP)
    assert lanes.express.intend()
    assert [m.msisdn[-3:] for m in lanes.urgent] == ["100", "101"]
    assert not lanes.express.intend()
    lanes.bulk.step()
    assert {int(m.msisdn[-3:]) for m in lanes.usual} == {*range(5), *range(200, 201 + EXPRESS_SIZE)}


def test_answers_find_their_lane(lanes, account, funded):
    bulk, express = lanes.bulk, lanes.express
    make_run(funded, account, make_rows(5))
    otp = make_run(funded, account, make_rows(1, start=100), priority=OTP)
    bulk.step()
    express.intend()
    assert batch_states(otp) == ["leased"]
    bulk.on_outcomes([accepted(m) for m in [*lanes.usual, *lanes.urgent]])
    assert bulk.answer_count == 5
    assert express.is_owing and express.record() == 1
    assert not express.is_owing and len(express.in_air) == 0
    assert count_states(otp) == {"accepted": 1} and batch_states(otp) == ["done"]


def test_tenants_in_turn_and_no_more_than_fit(lanes, account, funded, monkeypatch):
    monkeypatch.setattr(express_slot, "MOST_BATCHES", 3)
    runs = [make_run(funded, account, make_rows(1, start=n), priority=OTP) for n in range(4)]
    lanes.express._most = 4
    assert lanes.express.intend() and len(lanes.urgent) == 3
    assert lanes.express.intend() and len(lanes.urgent) == 4
    assert lanes.express.is_full and not lanes.express.intend()
    assert [batch_states(run) for run in runs] == [["leased"]] * 4


def test_a_blocked_number_is_never_written(lanes, account, funded):
    """S7: the list as it is when the statement begins; the credits come back."""
    run = make_run(funded, account, make_rows(3), priority=OTP)
    with tenant_scope(funded.pk):
        record_opt_out(tenant_id=funded.pk, msisdn="+905300000001", source="manual", reason="")
    lanes.express.intend()
    assert [m.msisdn[-1] for m in lanes.urgent] == ["0", "2"]
    assert lanes.express.is_owing and lanes.express.record() == 0
    lanes.bulk.on_outcomes([accepted(m) for m in lanes.urgent])
    assert lanes.express.record() == 2
    assert count_states(run) == {"accepted": 2, "suppressed": 1} and batch_states(run) == ["done"]
    with tenant_scope(funded.pk):
        assert get_balance(funded.pk) == (99_998, 0)


def forbid(run, account, how):
    with platform_scope(reason="test"):
        earlier = timezone.now() - timedelta(seconds=1)
        if how == "lease over":
            DispatcherSession.objects.update(lease_until=earlier)
        elif how == "session dead":
            DispatcherSession.objects.update(state="dead")
        elif how == "past the deadline":
            SendRun.objects.filter(pk=run.pk).update(deadline_at=earlier)
        elif how == "not due":
            MessageBatch.objects.filter(run=run).update(not_before=timezone.now() + timedelta(hours=1))
        else:
            pause_send_run(run_id=run.pk, tenant_id=run.tenant_id)


@pytest.mark.parametrize("how", ["lease over", "session dead", "past the deadline", "not due", "paused"])
def test_the_fence_holds(lanes, account, funded, how):
    run = make_run(funded, account, make_rows(1), priority=OTP)
    forbid(run, account, how)
    assert not lanes.express.intend()
    assert lanes.urgent == [] and batch_states(run) == ["ready"]


def test_nothing_is_leased_while_the_link_is_down(lanes, account, funded):
    run = make_run(funded, account, make_rows(1), priority=OTP)
    lanes.bulk.on_state(LinkState.DOWN, "")
    assert not lanes.express.intend()
    assert batch_states(run) == ["ready"]


def test_what_was_not_sent_goes_again(lanes, account, funded):
    run = make_run(funded, account, make_rows(2), priority=OTP)
    lanes.express.intend()
    first, second = lanes.urgent
    lanes.bulk.on_outcomes([SubmitOutcome(first.token, OutcomeKind.NOT_SENT, reason=Reason.LINK_LOST)])
    lanes.bulk.on_outcomes([accepted(second)])
    lanes.express.record()
    lanes.express.intend()
    assert [m.token for m in lanes.urgent] == [first.token, second.token, first.token]
    lanes.bulk.on_outcomes([accepted(first)])
    lanes.express.record()
    assert count_states(run) == {"accepted": 2} and batch_states(run) == ["done", "done"]


@pytest.mark.parametrize("when", ["before", "after commit"])
def test_a_lost_commit_is_neither_written_nor_forgotten(lanes, account, funded, monkeypatch, when):
    run = make_run(funded, account, make_rows(2), priority=OTP)
    real = express_slot.declare_express

    def fail(**values):
        if when == "after commit":
            real(**values)
        raise OperationalError("the commit's answer was lost")

    monkeypatch.setattr(express_slot, "declare_express", fail)
    monkeypatch.setattr(express_slot.connection, "close", lambda: None)  # the test's own transaction lives in it
    assert not lanes.express.intend()
    monkeypatch.setattr(express_slot, "declare_express", real)
    assert lanes.urgent == []
    assert lanes.express.intend()
    assert len(lanes.urgent) == 2
    lanes.bulk.on_outcomes([accepted(m) for m in lanes.urgent])
    lanes.express.record()
    assert count_states(run) == {"accepted": 2}


def test_answers_wait_for_the_database(lanes, account, funded, monkeypatch):
    run = make_run(funded, account, make_rows(1), priority=OTP)
    lanes.express.intend()
    lanes.bulk.on_outcomes([accepted(m) for m in lanes.urgent])
    with monkeypatch.context() as patched:
        patched.setattr(express_slot, "in_one_transaction", Mock(side_effect=OperationalError("away")))
        assert lanes.express.record() == 0
    assert lanes.express.is_owing and lanes.express.record() == 1
    assert count_states(run) == {"accepted": 1}


def test_one_answer_that_cannot_be_stored_holds_up_no_other(lanes, account, funded):
    runs = [make_run(funded, account, make_rows(1, start=n), priority=OTP) for n in range(3)]
    lanes.express.intend()
    first, second, third = lanes.urgent
    poison = SubmitOutcome(second.token, OutcomeKind.REJECTED, code="4" * 41, reason=Reason.REFUSED)
    lanes.bulk.on_outcomes([accepted(first), poison, accepted(third)])
    assert lanes.express.record() == 3 and not lanes.express.is_owing
    assert [count_states(run) for run in runs] == [{"accepted": 1}, {"rejected": 1}, {"accepted": 1}]
    assert [batch_states(run) for run in runs] == [["done"]] * 3


def test_both_lanes_share_what_may_be_tried(lanes, account, funded):
    """A connection that comes back: three messages under way in all, however they are batched."""
    make_run(funded, account, make_rows(9))
    for n in range(4):
        make_run(funded, account, make_rows(1, start=100 + n), priority=OTP)
    valve = lanes.bulk.valve = lanes.express.valve = Valve(1000, count_in_air=lanes.bulk.count_in_air)
    valve.set(Health("half_open", 50, True, 3))
    valve._tokens = 100
    assert lanes.express.intend() and len(lanes.urgent) == 1
    lanes.bulk.step()
    assert len(lanes.usual) == 2
    assert not lanes.express.intend()
    valve.set(Health("closed", 100, False, 3))
    assert lanes.express.intend() and len(lanes.urgent) == 4


def test_a_large_batch_is_tried_alone(lanes, account, funded):
    valve = lanes.bulk.valve = lanes.express.valve = Valve(1000, count_in_air=lanes.bulk.count_in_air)
    valve.set(Health("half_open", 50, True, 3))
    valve._tokens = 100
    make_run(funded, account, make_rows(EXPRESS_SIZE), priority=OTP)
    make_run(funded, account, make_rows(EXPRESS_SIZE, start=100), priority=OTP)
    assert lanes.express.intend() and len(lanes.urgent) == EXPRESS_SIZE
    assert not lanes.express.intend()


def test_unsure_lanes_leave_each_other_their_leases(lanes, account, funded):
    run = make_run(funded, account, make_rows(5))
    otp = make_run(funded, account, make_rows(1, start=100), priority=OTP)
    lanes.bulk.step()
    lanes.express.intend()
    lanes.bulk._is_unsure = lanes.express._is_unsure = True
    lanes.express.intend()
    lanes.bulk.step()
    assert batch_states(run) == batch_states(otp) == ["leased"]
    lanes.bulk.on_outcomes([SubmitOutcome(m.token, OutcomeKind.UNKNOWN) for m in [*lanes.usual, *lanes.urgent]])
    lanes.bulk.work(seconds=1, linger_seconds=0, stopping=threading.Event())
    lanes.express.leave()
    assert batch_states(run) == batch_states(otp) == ["done"]


def test_a_lost_lease_stops_both(lanes, account, funded):
    make_run(funded, account, make_rows(1), priority=OTP)
    lanes.bulk.lose()
    assert lanes.bulk.is_lost and not lanes.express.intend()


@pytest.mark.django_db(transaction=True)
def test_start_of_a_one_time_password_rings_at_the_commit(account, funded):
    from messaging.dispatch.express import _open_listener

    listener = _open_listener()
    try:
        make_run(funded, account, make_rows(1))
        make_run(funded, account, make_rows(1, start=50), priority=OTP)
        assert select.select([listener.connection], [], [], 5)[0]
        listener.connection.poll()
        rung = [(n.channel, n.payload) for n in listener.connection.notifies]
        assert rung == [("peyk_express", str(account.pk))]
    finally:
        listener.close()
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_the_statement_is_a_transaction_of_its_own(account, funded):
    """S2: committed when it returns, seen from another connection; its settings do not outlive it."""
    run = make_run(funded, account, make_rows(1), priority=OTP)
    lanes = Lanes(account)
    seen = []

    def look(messages):
        thread = threading.Thread(target=lambda: (seen.append(batch_states(run)), connection.close()))
        thread.start()
        thread.join()

    lanes.express._submit = look
    assert lanes.express.intend()
    assert seen == [["leased"]]
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.platform', true), current_setting('enable_seqscan')")
        assert cursor.fetchone() == ("", "on")


def test_a_second_try_that_is_in_the_air_at_once_is_not_forgotten_with_the_first(lanes, account, funded, monkeypatch):
    """Between the commit of the first answer and the slot's word that it is written down, the other thread goes on."""
    express = lanes.express
    run = make_run(funded, account, make_rows(1), priority=OTP)
    assert express.intend()
    (message,) = lanes.urgent
    first_batch = express.in_air.find_batch(message.token)
    real = express_slot.in_one_transaction

    def go_on_after(reason, work):
        real(reason, work)
        monkeypatch.undo()
        make_due()
        assert express.intend()

    monkeypatch.setattr(express_slot, "in_one_transaction", go_on_after)
    lanes.bulk.on_outcomes([SubmitOutcome(message.token, OutcomeKind.DEFERRED, reason=Reason.THROTTLED)])
    express.record()
    assert express.in_air.find_batch(message.token) not in (0, first_batch)
    lanes.bulk.on_outcomes([accepted(message)])
    assert lanes.bulk.answer_count == 0 and express.record() == 1
    assert len(express.in_air) == 0 and not express.is_owing
    assert count_states(run) == {"accepted": 1} and set(batch_states(run)) == {"done"}


@pytest.mark.parametrize("kind", [OutcomeKind.NOT_SENT, OutcomeKind.DEFERRED])
def test_an_answer_that_is_written_down_again_is_not_taken_for_the_next_try(lanes, account, funded, monkeypatch, kind):
    """S1, S3: "not now" is stored, which is not heard; the next try is on the wire when it is stored again."""
    express = lanes.express
    run = make_run(funded, account, make_rows(2), priority=OTP)
    assert express.intend()
    first, second = lanes.urgent

    with monkeypatch.context() as patched:
        patched.setattr(express_slot, "in_one_transaction", lose_commit)
        lanes.bulk.on_outcomes([SubmitOutcome(first.token, kind), accepted(second)])
        assert express.record() == 0
    make_due()
    assert express.intend() and [m.token for m in lanes.urgent] == [first.token, second.token, first.token]
    assert express.record() == 2 and express.in_air.find_batch(first.token)
    make_due()
    assert not express.intend(), "it is on the wire"
    assert batch_states(run) == ["done", "leased"]
    lanes.bulk.on_outcomes([accepted(first)])
    assert express.record() == 1 and not express.is_owing
    assert count_states(run) == {"accepted": 2} and batch_states(run) == ["done", "done"]


def test_a_message_that_changes_lanes_unheard_is_answered_in_the_later_one(lanes, account, funded, monkeypatch):
    express = lanes.express
    run = make_run(funded, account, make_rows(EXPRESS_SIZE), priority=OTP)
    assert express.intend()

    with monkeypatch.context() as patched:
        patched.setattr(express_slot, "in_one_transaction", lose_commit)
        lanes.bulk.on_outcomes([SubmitOutcome(m.token, OutcomeKind.NOT_SENT) for m in lanes.urgent])
        assert express.record() == 0
    lanes.bulk.lane = Lane.ALL  # as if they were too many for the express lane now
    lanes.bulk.step()
    assert len(lanes.usual) == EXPRESS_SIZE
    lanes.bulk.on_outcomes([accepted(m) for m in lanes.usual])
    assert lanes.bulk.answer_count == EXPRESS_SIZE
    assert express.record() == EXPRESS_SIZE and lanes.bulk.flush() == EXPRESS_SIZE
    assert lanes.bulk.count_in_air() == 0 and not express.is_owing
    assert count_states(run) == {"accepted": EXPRESS_SIZE}


@pytest.mark.django_db(transaction=True)
def test_a_database_that_crashes_does_not_end_the_lane():
    """The driver says so in its own words when it is asked for notifications."""
    lane = ExpressLane(list, threading.Event())
    assert lane._listen(0.0) == set()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [lane._listener.connection.get_backend_pid()])
        deaf = [lane._listener is None for _ in range(5) if lane._listen(1.0) == set()]
        assert deaf[-1] is False and True in deaf, "it heard of it, and listens anew"
        cursor.execute("SELECT pg_notify(%s, '7')", [EXPRESS_CHANNEL])
    assert lane._listen(5.0) == {"7"}
    lane._hang_up()
