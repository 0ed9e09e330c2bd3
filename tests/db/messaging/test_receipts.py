"""Receipts: any order, any number of times, one result."""

import threading
from contextlib import contextmanager
from datetime import timedelta
from itertools import permutations

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.scope import platform_scope, tenant_scope
from billing.selectors import get_balance
from gateways.models import GatewayAccount
from gateways.types import DeliveryEvent, DeliveryState, OutcomeKind, Reason, SubmitOutcome, UnreadableEvent
from messaging.models import Message, ProviderReference, ReceiptInbox
from messaging.scope import engine_scope
from messaging.selectors import get_run_totals
from messaging.services import receipts
from messaging.services.check import check_engine
from messaging.services.inbox import StoredEvent, store_events
from messaging.services.receipts import match_receipts
from tests.engine_runs import make_rows, make_run

from .engine import accepted

pytestmark = pytest.mark.usefixtures("checked_books")

DELIVERED, UNDELIVERED = DeliveryState.DELIVERED, DeliveryState.UNDELIVERED


def receipt(provider_id, state, number="+905300000000", reason=Reason.NONE, sender="BUTIK"):
    return DeliveryEvent(provider_id, number, state, reason, code=f"{state}:000", sender=sender)


def arrive(account, *events):
    with engine_scope(reason="test"):
        assert store_events([StoredEvent(account.pk, b"\x00raw", event) for event in events]) == len(events)


def match(times=1):
    """Look at everything that waits, as if its time had come."""
    for _ in range(times):
        with engine_scope(reason="test"):
            ReceiptInbox.objects.filter(settled_at=None).update(due_at=timezone.now() - timedelta(hours=1))
            match_receipts()


def state_of(message):
    with platform_scope(reason="test"):
        return Message.objects.values_list("state", flat=True).get(pk=message.token)


def test_delivered(funded, account, slot):
    run = make_run(funded, account, make_rows(2))
    one, two = slot.send_all()
    slot.accept([one, two])
    arrive(
        account,
        receipt(f"id-{one.token}", DELIVERED),
        receipt(f"id-{two.token}", UNDELIVERED, two.msisdn, Reason.ABSENT_SUBSCRIBER),
    )
    match()
    with tenant_scope(funded.pk):
        totals = get_run_totals(run)
        assert {s: c.messages for s, c in totals.by_state.items()} == {"delivered": 1, "undelivered": 1}
        assert get_balance(funded.pk) == (99_998, 0)
    with platform_scope(reason="test"):
        assert Message.objects.get(pk=two.token).reason == "absent_subscriber"
        assert set(ReceiptInbox.objects.values_list("matched_message_id", flat=True)) == {one.token, two.token}


def test_before_the_answer(funded, account, slot):
    make_run(funded, account, make_rows(1))
    (message,) = slot.send_all()
    arrive(account, receipt(f"id-{message.token}", DELIVERED))
    match()
    assert state_of(message) == "queued"
    slot.accept([message])
    match()
    assert state_of(message) == "delivered"


@pytest.mark.parametrize("wrong", ["number", "connection", "id", "age"])
def test_only_its_own_message(funded, account, slot, wrong):
    make_run(funded, account, make_rows(1))
    (message,) = slot.send_all()
    slot.accept([message])
    event = receipt(f"id-{message.token}", DELIVERED)
    with platform_scope(reason="test"):
        other = GatewayAccount(name="Other", adapter="smpp")
        other.save()
    if wrong == "number":
        event = event._replace(msisdn="+905399999999")
    elif wrong == "id":
        event = event._replace(provider_message_id=f"ID-{message.token}")
    elif wrong == "age":
        with platform_scope(reason="test"):
            ProviderReference.objects.update(created_at=timezone.now() - timedelta(days=8))
    arrive(other if wrong == "connection" else account, event)
    match(4)
    assert state_of(message) == "accepted"
    with platform_scope(reason="test"):
        assert ReceiptInbox.objects.filter(settled_at=None, tries__gte=4).count() == 1


def test_reused_ids_belong_to_the_newest(funded, account, slot):
    make_run(funded, account, make_rows(1))
    (old,) = slot.send_all()
    slot.answer(accepted(old, "same"))
    make_run(funded, account, make_rows(1))
    (new,) = slot.send_all()
    slot.answer(accepted(new, "same"))
    arrive(account, receipt("same", DELIVERED))
    match()
    assert (state_of(old), state_of(new)) == ("accepted", "delivered")


def test_words_that_are_no_news_move_nothing(funded, account, slot):
    make_run(funded, account, make_rows(1))
    (message,) = slot.send_all()
    slot.accept([message])
    for state in (DeliveryState.ACCEPTED, DeliveryState.UNKNOWN):
        arrive(account, receipt(f"id-{message.token}", state))
    arrive(account, UnreadableEvent("no id"))
    match()
    assert state_of(message) == "accepted"
    with platform_scope(reason="test"):
        assert ReceiptInbox.objects.filter(settled_at=None).count() == 0


def test_a_receipt_that_waits_seven_days_is_given_up(funded, account):
    arrive(account, receipt("nobody", DELIVERED))
    with platform_scope(reason="test"):
        ReceiptInbox.objects.update(received_at=timezone.now() - timedelta(days=8))
    match()
    with platform_scope(reason="test"):
        row = ReceiptInbox.objects.get()
        assert row.settled_at is not None and row.matched_message_id is None


EVENTS = st.lists(
    st.sampled_from(["answer", "delivered", "undelivered", "accepted", "unknown", "match"]), min_size=1, max_size=9
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=EVENTS)
def test_any_order_and_repetition_gives_one_result(funded, account, slot, order):
    """R2: once the answer and everything else is in, only what was said counts, not when or how often."""
    sid = transaction.savepoint()
    make_run(funded, account, make_rows(1))
    (message,) = slot.send_all()
    for event in [*order, "answer"]:
        if event == "answer":
            slot.accept([message])
        elif event == "match":
            match()
        else:
            arrive(account, receipt(f"id-{message.token}", DeliveryState(event)))
    match(2)
    expected = "delivered" if "delivered" in order else "undelivered" if "undelivered" in order else "accepted"
    assert state_of(message) == expected
    with platform_scope(reason="test"):
        assert check_engine() == []
    with tenant_scope(funded.pk):
        assert get_balance(funded.pk) == (99_999, 0)
    transaction.savepoint_rollback(sid)


@pytest.mark.parametrize("order", list(permutations(["p1", "p2", "p3"])))
def test_a_long_message_is_delivered_when_all_parts_are(funded, account, slot, order):
    make_run(funded, account, make_rows(1, parts=3))
    (message,) = slot.send_all()
    slot.answer(accepted(message, "p1", "p2", "p3"))
    for number, part in enumerate(order):
        assert state_of(message) == "accepted"
        arrive(account, receipt(part, DELIVERED), receipt(part, DELIVERED))
        match()
        assert (state_of(message) == "delivered") == (number == 2)


def test_a_long_message_fails_with_one_part_and_may_heal(funded, account, slot):
    make_run(funded, account, make_rows(1, parts=2))
    (message,) = slot.send_all()
    slot.answer(accepted(message, "p1", "p2"))
    arrive(account, receipt("p1", DELIVERED), receipt("p2", UNDELIVERED))
    match()
    assert state_of(message) == "undelivered"
    arrive(account, receipt("p2", DELIVERED))
    match()
    assert state_of(message) == "delivered"


def test_two_answers_in_one_flush_the_certain_one_counts(funded, account, slot):
    """A timer gave the message up, and its answer came before that was written down."""
    make_run(funded, account, make_rows(2))
    one, two = slot.send_all()
    gone = [SubmitOutcome(m.token, OutcomeKind.UNKNOWN, reason=Reason.TIMEOUT) for m in (one, two)]
    late = SubmitOutcome(two.token, OutcomeKind.DEFERRED, reason=Reason.SYSTEM, retry_after_seconds=30.0, late=True)
    slot.answer(*gone, accepted(one), late)
    assert (state_of(one), state_of(two)) == ("accepted", "queued")


@pytest.mark.django_db(transaction=True)
def test_parts_matched_side_by_side_make_a_whole(funded, account, slot):
    """Two matchers at once, each with the receipt of one part: the second must see what the first wrote."""
    make_run(funded, account, make_rows(1, parts=2))
    (message,) = slot.send_all()
    slot.answer(accepted(message, "a", "b"))
    arrive(account, receipt("a", DELIVERED))
    with platform_scope(reason="test"):
        ReceiptInbox.objects.update(due_at=timezone.now() - timedelta(hours=1))
    with matching_elsewhere():
        arrive(account, receipt("b", DELIVERED))
        with platform_scope(reason="test"):
            ReceiptInbox.objects.filter(provider_message_id="b").update(due_at=timezone.now() - timedelta(hours=1))
        with engine_scope(reason="test"):
            match_receipts()
    assert state_of(message) == "delivered"


@contextmanager
def matching_elsewhere():
    """Another matcher that took what is due now and has not committed yet; it does at the end, or after a second."""
    has_matched, may_end = threading.Event(), threading.Event()

    def match_and_wait():
        try:
            with engine_scope(reason="test"):
                match_receipts()
                has_matched.set()
                may_end.wait(1.0)
        finally:
            connection.close()

    matcher = threading.Thread(target=match_and_wait)
    matcher.start()
    assert has_matched.wait(5)
    yield
    may_end.set()
    matcher.join()


def test_what_is_matched_stands_however_long_adoption_takes(funded, account, slot, monkeypatch):
    monkeypatch.setattr(receipts, "ADOPT_TIMEOUT", "200ms")

    def adopt(receipt_ids):
        if receipt_ids:
            asked.append(receipt_ids)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(20)")
        return set()

    asked = []
    monkeypatch.setattr(receipts, "adopt_receipts", adopt)
    make_run(funded, account, make_rows(1))
    (message,) = slot.send_all()
    arrive(account, receipt("astray", DELIVERED), receipt(f"id-{message.token}", DELIVERED))
    match(2)
    assert not asked
    slot.accept([message])
    match()
    assert len(asked) == 1 and state_of(message) == "delivered"
    match(2)
    assert len(asked) == 2


def test_adoption_is_tried_more_rarely_than_matching_but_within_minutes():
    waits, age, since = {}, 0, 0
    for tries in range(200):
        if receipts._may_adopt(tries):
            waits[tries] = age - since
            since = age
        age += 1 if tries < 2 else 2 if age < 120 else 60 if age < 3600 else 3600
    assert list(waits)[:8] == [2, 4, 8, 16, 24, 32, 40, 48]
    assert sum(tries < 112 for tries in waits) <= 20, "it looks through all open runs"
    assert max(wait for tries, wait in waits.items() if tries < 118) <= 8 * 60
    assert max(waits.values()) <= 3600
