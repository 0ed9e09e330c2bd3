"""The slot's own loop against a link that answers as told, in one thread."""

import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import OperationalError, ProgrammingError
from django.utils import timezone

from accounts.scope import platform_scope, tenant_scope
from billing.services import top_up_credits
from gateways.base import LinkState
from gateways.types import OutcomeKind, Reason, SubmitOutcome
from messaging.dispatch.slot import Slot
from messaging.models import MessageBatch, ProviderReference
from messaging.services import pause_send_run
from tests.engine_runs import count_states, make_rows, make_run

from .engine import HandSlot, accepted

pytestmark = pytest.mark.usefixtures("checked_books")


class Wire:
    """Takes messages and answers them when told; `submitted` is what would have been written."""

    def __init__(self):
        self.submitted = []
        self.is_answering = True
        self.kind = OutcomeKind.ACCEPTED

    def submit(self, slot, messages):
        self.submitted += messages
        if self.is_answering:
            self.answer(slot, messages)

    def answer(self, slot, messages):
        if self.kind is OutcomeKind.ACCEPTED:
            slot.on_outcomes([accepted(m) for m in messages])
        else:
            slot.on_outcomes([SubmitOutcome(m.token, self.kind, reason=Reason.LINK_LOST) for m in messages])


@pytest.fixture
def wire():
    return Wire()


@pytest.fixture
def slot(account, wire):
    slot = Slot(
        gateway_account_id=account.pk,
        number=0,
        session_id=HandSlot(account).open().session_id,
        gateway=None,
        stride=100,
        submit=wire.submit,
        store_events=lambda *_: None,
    )
    slot.on_state(LinkState.UP, "")
    return slot


def work(slot, seconds=5.0):
    return slot.work(seconds=seconds, linger_seconds=0.05, stopping=threading.Event())


def batch_states():
    with platform_scope(reason="test"):
        return sorted(MessageBatch.objects.values_list("state", flat=True))


def test_everything_is_sent_once(funded, account, slot, wire):
    run = make_run(funded, account, make_rows(2500))
    assert work(slot, 20) is False
    assert count_states(run) == {"accepted": 2500}
    assert len({m.token for m in wire.submitted}) == len(wire.submitted) == 2500
    assert batch_states() == ["done"] * 3


def test_no_more_than_a_stride_waits_for_answers(funded, account, slot, wire):
    make_run(funded, account, make_rows(1000))
    wire.is_answering = False
    work(slot, 0.5)
    assert len(wire.submitted) == 100
    wire.is_answering = True
    wire.answer(slot, list(wire.submitted))
    work(slot, 20)
    assert len(wire.submitted) == 1000


def test_nothing_leaves_while_the_link_is_down(funded, account, slot, wire):
    make_run(funded, account, make_rows(10))
    slot.on_state(LinkState.DOWN, "")
    work(slot, 0.5)
    assert wire.submitted == []
    assert batch_states() == ["ready"]


def test_a_lost_link_gives_the_unwritten_back(funded, account, slot, wire):
    run = make_run(funded, account, make_rows(50))
    wire.kind = OutcomeKind.NOT_SENT
    slot.wake.set()
    slot.step()
    slot.on_state(LinkState.DOWN, "")
    work(slot, 0.5)
    assert count_states(run) == {"queued": 50}
    wire.kind = OutcomeKind.ACCEPTED
    slot.on_state(LinkState.UP, "")
    work(slot)
    assert count_states(run) == {"accepted": 50}


def test_pause_stops_within_a_stride(funded, account, slot, wire):
    run = make_run(funded, account, make_rows(1000))
    slot.step()
    sent = len(wire.submitted)
    with tenant_scope(funded.pk):
        pause_send_run(run_id=run.pk, tenant_id=funded.pk)
    work(slot, 0.5)
    assert len(wire.submitted) == sent == 100
    assert batch_states() == ["ready"]


@pytest.mark.parametrize("place", ["claim_batches", "declare_intent", "record_outcomes", "finish_batches"])
@pytest.mark.parametrize("when", ["before", "after commit"])
def test_a_failing_database_loses_and_repeats_nothing(funded, account, slot, wire, monkeypatch, place, when):
    """Each statement of the loop fails once, before or after it took effect."""
    run = make_run(funded, account, make_rows(150))
    from messaging.dispatch import database
    from messaging.dispatch import slot as module

    real, failed = getattr(module, place), []
    real_run = database.in_one_transaction
    monkeypatch.setattr(database.connection, "close", lambda: None)  # the test's own transaction lives in it

    def failing(**values):
        if when == "before" and not failed:
            failed.append(1)
            raise OperationalError("the database went away")
        return real(**values)

    def run_then_fail(reason, work):
        result = real_run(reason, work)
        wanted = {"claim_batches": "claim batches", "declare_intent": "declare intent"}.get(
            place, "record outcomes" if place == "record_outcomes" else "return leases"
        )
        if when != "before" and reason == wanted and not failed:
            failed.append(1)
            raise OperationalError("the commit's answer was lost")
        return result

    monkeypatch.setattr(module, place, failing)
    for where in (database, module):
        monkeypatch.setattr(where, "in_one_transaction", run_then_fail)
    work(slot, 20)
    assert failed
    assert count_states(run) == {"accepted": 150}
    assert len({m.token for m in wire.submitted}) == len(wire.submitted) == 150
    assert batch_states() == ["done"] * len(batch_states())


def lose_commits(monkeypatch, reason, fates=("after",)):
    """What becomes of the next transactions of that name: they take effect and nobody hears of it, or fail before."""
    from messaging.dispatch import database
    from messaging.dispatch import slot as module

    real, left = database.in_one_transaction, list(fates)
    monkeypatch.setattr(database.connection, "close", lambda: None)  # the test's own transaction lives in it

    def run(name, work):
        fate = left.pop(0) if name == reason and left else ""
        if fate == "before":
            raise OperationalError("the database is starting up")
        result = real(name, work)
        if fate:
            raise OperationalError("the commit's answer was lost")
        return result

    for where in (database, module):
        monkeypatch.setattr(where, "in_one_transaction", run)


def make_due():
    with platform_scope(reason="test"):
        MessageBatch.objects.update(not_before=timezone.now() - timedelta(seconds=1))


@pytest.mark.parametrize("kind", [OutcomeKind.NOT_SENT, OutcomeKind.DEFERRED])
def test_an_answer_that_is_written_down_again_is_not_taken_for_the_next_try(
    funded, account, slot, wire, monkeypatch, kind
):
    """S1, S3: "not now" is stored, which is not heard; the next try is on the wire when it is stored again."""
    run = make_run(funded, account, make_rows(20))
    wire.kind = kind
    slot.step()
    lose_commits(monkeypatch, "record outcomes")
    assert slot.flush() == 0 and slot.answer_count == 20
    make_due()
    wire.is_answering = False
    slot.step()
    assert len(wire.submitted) == 40, "claimed and sent before the first answers are tried again"
    assert slot.flush() == 20
    make_due()
    for _ in range(3):
        slot._claimed_at = 0.0
        slot.step()
    assert len(wire.submitted) == 40, "it is on the wire"
    assert batch_states() == ["done", "leased"]
    wire.kind = OutcomeKind.ACCEPTED
    wire.answer(slot, wire.submitted[20:])
    assert work(slot) is False
    assert count_states(run) == {"accepted": 20} and batch_states() == ["done", "done"]


@pytest.mark.parametrize("second", [OutcomeKind.ACCEPTED, OutcomeKind.NOT_SENT, OutcomeKind.UNKNOWN])
def test_answers_to_two_tries_are_written_down_together(funded, account, slot, wire, monkeypatch, second):
    run = make_run(funded, account, make_rows(20))
    wire.kind = OutcomeKind.NOT_SENT
    slot.step()
    lose_commits(monkeypatch, "record outcomes")
    assert slot.flush() == 0
    wire.kind = second
    slot.step()
    assert len(wire.submitted) == slot.answer_count == 40
    assert slot.flush() == 40 and slot.count_in_air() == 0
    assert count_states(run) == {"queued" if second is OutcomeKind.NOT_SENT else str(second): 20}
    wire.kind = OutcomeKind.ACCEPTED
    work(slot)
    assert set(count_states(run)) == {"unknown" if second is OutcomeKind.UNKNOWN else "accepted"}
    assert set(batch_states()) == {"done"}


def test_a_batch_leased_again_is_not_given_back_by_its_first_lease(funded, account, slot, wire, monkeypatch):
    """S1: the return of a lease takes effect, which is not heard; the slot leases the batch again before it retries."""
    run = make_run(funded, account, make_rows(300))
    slot.step()
    slot.on_state(LinkState.DOWN, "")
    lose_commits(monkeypatch, "return leases", ("after", "before"))
    slot._flushed_at = 0.0
    slot.step()
    assert batch_states() == ["ready"] and slot._owes_leases
    slot.on_state(LinkState.UP, "")
    wire.is_answering = False
    slot._claimed_at = 0.0
    slot.step()
    assert len(wire.submitted) == 200
    assert batch_states() == ["leased"], "its second stride is on the wire"
    wire.is_answering = True
    wire.answer(slot, wire.submitted[100:])
    work(slot)
    assert len(wire.submitted) == 300 and count_states(run) == {"accepted": 300}


@pytest.mark.parametrize("code", ["4" * 41, "a\0b"], ids=["too long", "NUL"])
def test_one_answer_that_cannot_be_stored_holds_up_no_other(funded, account, slot, wire, code):
    run = make_run(funded, account, make_rows(60))
    wire.is_answering = False
    slot.step()
    refused = [SubmitOutcome(m.token, OutcomeKind.REJECTED, code="17", reason=Reason.REFUSED) for m in wire.submitted]
    refused[20] = refused[20]._replace(code=code)
    slot.on_outcomes(refused)
    assert slot.flush() == 60 and slot.answer_count == 0
    assert count_states(run) == {"rejected": 60}, "without the code it can be stored"
    assert batch_states() == ["done"]


def test_an_answer_that_fails_in_every_form_lets_the_others_pass(funded, account, slot, wire, monkeypatch):
    from messaging.dispatch import slot as module

    run = make_run(funded, account, make_rows(40))
    wire.is_answering = False
    slot.step()
    poison, real = wire.submitted[0].token, module.record_outcomes

    def fail_for_one(**values):
        if any(outcome.token == poison for outcome, _ in values["answers"]):
            raise ValueError("whatever is said of it")
        return real(**values)

    monkeypatch.setattr(module, "record_outcomes", fail_for_one)
    wire.answer(slot, list(wire.submitted))
    slot.flush()
    slot.flush()
    assert slot.answer_count == 1 and count_states(run)["accepted"] == 39
    monkeypatch.undo()
    assert slot.flush() == 1


@pytest.mark.parametrize("count", [1, 2, 40])
def test_what_hits_every_answer_takes_nothing_from_any(funded, account, slot, wire, monkeypatch, count):
    """A month's table is missing, say: bare answers would go another way and succeed."""
    from messaging.dispatch import slot as module

    run = make_run(funded, account, make_rows(count))
    wire.is_answering = False
    slot.step()
    real, tries = module.record_outcomes, []

    def fail_for_ids(**values):
        tries.append(1)
        if any(outcome.provider_message_id for outcome, _ in values["answers"]):
            raise ProgrammingError("no such table")
        return real(**values)

    monkeypatch.setattr(module, "record_outcomes", fail_for_ids)
    wire.answer(slot, list(wire.submitted))
    assert slot.flush() == 0 and slot.answer_count == count and len(tries) < 30
    assert not slot.patience.is_over, "the next try is not made at once"
    monkeypatch.undo()
    assert slot.flush() == count and slot.patience.is_over
    assert count_states(run) == {"accepted": count}
    with platform_scope(reason="test"):
        ids = set(ProviderReference.objects.values_list("provider_message_id", flat=True))
    assert ids == {f"id-{message.token}" for message in wire.submitted}


def test_an_id_that_cannot_be_stored_ends_as_unknown_once_others_can(funded, account, slot, wire):
    run = make_run(funded, account, make_rows(40))
    wire.is_answering = False
    slot.step()
    bad = [SubmitOutcome(m.token, OutcomeKind.ACCEPTED, "a\0b") for m in wire.submitted[:5]]
    slot.on_outcomes(bad)
    assert slot.flush() == 0, "nothing says yet that it is they"
    slot.on_outcomes([SubmitOutcome(m.token, OutcomeKind.ACCEPTED, "good") for m in wire.submitted[5:]])
    assert slot.flush() == 40
    assert count_states(run) == {"accepted": 35, "unknown": 5}


def test_a_slot_leases_of_a_tenant_about_what_its_next_stride_takes(funded, account, slot, wire):
    make_run(funded, account, make_rows(5000))
    slot.step()
    assert batch_states() == ["leased"] + ["ready"] * 4 and len(wire.submitted) == 100


def test_a_slot_leases_many_small_batches_for_one_stride(funded, account, slot, wire):
    for n in range(3):
        make_run(funded, account, make_rows(20, start=100 * n), origin_id=n)
    slot.step()
    assert batch_states() == ["leased"] * 3 and len(wire.submitted) == 60


def test_a_slot_that_is_full_makes_room_for_who_is_more_urgent(funded, cast, account, slot, wire, monkeypatch):
    monkeypatch.setattr("messaging.dispatch.slot.MOST_BATCHES", 2)
    monkeypatch.setattr("messaging.dispatch.slot.TURNOVER", 1)
    top_up_credits(tenant=cast.rakip, amount=Decimal(1000), reference="start", actor=None)
    runs = [make_run(tenant, account, make_rows(1000)) for tenant in (funded, cast.rakip)]
    slot.step()
    assert batch_states() == ["leased"] * 2
    test = make_run(funded, account, make_rows(1, start=5000), priority=2)
    for _ in range(4):
        slot._claimed_at = slot._flushed_at = 0.0
        slot.step()
    assert count_states(test) == {"accepted": 1}
    assert work(slot, 30) is False
    assert [count_states(run) for run in runs] == [{"accepted": 1000}] * 2
    assert len(wire.submitted) == len({message.token for message in wire.submitted}) == 2001
