"""Receipts whose answer was lost: the one message that each can be about, or none."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.scope import platform_scope, tenant_scope
from billing.selectors import get_balance
from gateways.models import GatewayAccount
from gateways.types import DeliveryState, OutcomeKind, Reason, SubmitOutcome
from messaging.models import ProviderReference, ReceiptInbox
from messaging.scope import engine_scope
from messaging.services import moves
from messaging.services.completion import complete_run
from messaging.services.moves import Move, move_messages
from messaging.services.receipts import ADOPT_AFTER_TRIES, match_receipts
from smscore.status import MessageState
from tests.engine_runs import make_rows, make_run

from .engine import accepted
from .test_receipts import DELIVERED, arrive, match, matching_elsewhere, receipt, state_of

pytestmark = pytest.mark.usefixtures("checked_books")


def make_long_rows(parts, **changes):
    return make_rows(1, **{"parts": parts, "text": "a" * 153 * parts, **changes})


def lose_answer(slot):
    (message,) = slot.send_all()
    slot.answer(SubmitOutcome(message.token, OutcomeKind.UNKNOWN, reason=Reason.TIMEOUT))
    return message


def test_a_receipt_whose_answer_was_lost_finds_the_one_message_in_doubt(funded, account, slot):
    make_run(funded, account, make_rows(1))
    message = lose_answer(slot)
    arrive(account, receipt("never-seen", DELIVERED))
    match(4)
    assert state_of(message) == "delivered"
    with platform_scope(reason="test"):
        assert ReceiptInbox.objects.get().is_inferred
    with tenant_scope(funded.pk):
        assert get_balance(funded.pk) == (99_999, 0)


def test_one_receipt_is_all_of_a_long_message_in_doubt_where_the_provider_sends_no_more(funded, account, slot):
    with platform_scope(reason="test"):
        GatewayAccount.objects.filter(pk=account.pk).update(adapter="netgsm")
    make_run(funded, account, make_long_rows(3))
    message = lose_answer(slot)
    arrive(account, receipt("job:905300000000", DELIVERED, sender=""))
    match(5)
    assert state_of(message) == "delivered"


def test_a_message_accepted_without_an_id_is_found_by_its_number(funded, account, slot):
    make_run(funded, account, make_rows(2))
    nameless, known = slot.send_all()
    slot.answer(accepted(nameless)._replace(provider_message_id="", part_ids=()), accepted(known))
    arrive(account, receipt("new", DELIVERED), receipt("strange", DELIVERED, number="+905300000001"))
    match(5)
    assert (state_of(nameless), state_of(known)) == ("delivered", "accepted")


@pytest.mark.parametrize("is_late", [False, True])
def test_a_long_message_accepted_without_ids_is_found_by_its_number(funded, account, slot, is_late):
    make_run(funded, account, make_long_rows(2))
    message = lose_answer(slot) if is_late else slot.send_all()[0]
    slot.answer(accepted(message)._replace(provider_message_id="", part_ids=("", ""), late=is_late))
    arrive(account, receipt("a", DELIVERED), receipt("b", DELIVERED))
    match(5)
    assert state_of(message) == "delivered"


def test_all_parts_of_a_long_message_in_doubt_are_needed(funded, account, slot):
    make_run(funded, account, make_long_rows(2))
    message = lose_answer(slot)
    arrive(account, receipt("a", DELIVERED))
    match(4)
    assert state_of(message) == "unknown"
    arrive(account, receipt("b", DELIVERED))
    match(5)
    assert state_of(message) == "delivered"


@pytest.mark.parametrize(
    ("sent", "billed", "fields"),
    [
        (1, 2, {"text": "a" * 158}),  # with the operator's code
        (2, 1, {"text": "ş" * 10 + "a" * 140, "encoding": "gsm7-tr-single"}),  # a Turkish letter counted once
    ],
)
def test_pieces_are_those_that_travel_not_those_that_are_billed(funded, account, slot, sent, billed, fields):
    make_run(funded, account, make_long_rows(billed, **fields))
    message = lose_answer(slot)
    for number in range(sent):
        assert state_of(message) == "unknown"
        arrive(account, receipt(f"p{number}", DELIVERED))
        match(4 + number)
    assert state_of(message) == "delivered"


def test_a_part_that_is_known_twice_counts_once(funded, account, slot):
    """Adopted by its receipt, then named by an answer that came late."""
    make_run(funded, account, make_long_rows(2))
    message = lose_answer(slot)
    arrive(account, receipt("p1", DELIVERED))
    match(4)
    slot.answer(accepted(message, "p1", "p2")._replace(late=True))
    arrive(account, receipt("p1", DELIVERED))
    match()
    assert state_of(message) == "accepted"
    arrive(account, receipt("p2", DELIVERED))
    match()
    assert state_of(message) == "delivered"


def test_several_receipts_of_one_part_in_doubt_stand_for_one_part(funded, account, slot):
    make_run(funded, account, make_long_rows(2))
    message = lose_answer(slot)
    arrive(account, receipt("a", DeliveryState.ACCEPTED), receipt("a", DELIVERED), receipt("a", DELIVERED))
    match(5)
    assert state_of(message) == "unknown", "nothing is known of the other part (S13)"
    arrive(account, receipt("b", DeliveryState.ACCEPTED))
    arrive(account, receipt("b", DELIVERED))
    match(5)
    assert state_of(message) == "delivered"
    arrive(account, receipt("c", DELIVERED))
    match(5)
    with platform_scope(reason="test"):
        assert ReceiptInbox.objects.filter(settled_at=None).count() == 1, "there is no third part"


@pytest.mark.parametrize("case", ["two in doubt", "one still waits", "other sender"])
def test_no_guess_where_it_could_be_another(funded, account, slot, case):
    make_run(funded, account, make_rows(1))
    message = lose_answer(slot)
    if case != "other sender":
        make_run(funded, account, make_rows(1))
        (second,) = slot.send_all()
        if case == "two in doubt":
            slot.answer(SubmitOutcome(second.token, OutcomeKind.UNKNOWN, reason=Reason.TIMEOUT))
        else:
            slot.accept([second])
    arrive(account, receipt("never-seen", DELIVERED, sender="X" if case == "other sender" else "BUTIK"))
    match(5)
    assert state_of(message) == "unknown"


def test_a_receipt_may_be_of_a_message_that_is_still_in_the_air(funded, account, slot):
    """Its answer takes longer than the looks that a receipt gets before the one in doubt would have it."""
    make_run(funded, account, make_rows(1))
    message = lose_answer(slot)
    make_run(funded, account, make_rows(1))
    (second,) = slot.send_all()
    arrive(account, receipt(f"id-{second.token}", DELIVERED))
    match(5)
    assert (state_of(message), state_of(second)) == ("unknown", "queued")
    slot.accept([second])
    match(2)
    assert (state_of(message), state_of(second)) == ("unknown", "delivered")


def test_what_has_not_left_yet_stands_in_no_receipts_way(funded, account, slot):
    make_run(funded, account, make_rows(1))
    message = lose_answer(slot)
    make_run(funded, account, make_rows(1))
    (claimed,) = slot.claim()
    arrive(account, receipt("never-seen", DELIVERED))
    match(4)
    assert claimed.mark == 0 and state_of(message) == "delivered"


def test_a_receipt_that_names_its_message_needs_no_guess(funded, account, slot):
    """Another message to that number waits, too; the provider tells the name that we gave this one."""
    make_run(funded, account, make_rows(1))
    message = lose_answer(slot)
    make_run(funded, account, make_rows(1))
    (waiting,) = slot.send_all()
    slot.accept([waiting])
    arrive(account, receipt("never-seen", DELIVERED)._replace(client_reference=str(message.token)))
    match(4)
    assert (state_of(message), state_of(waiting)) == ("delivered", "accepted")
    with platform_scope(reason="test"):
        assert ReceiptInbox.objects.get().is_inferred


@pytest.mark.parametrize("case", ["other number", "other connection", "nobody's"])
def test_a_receipt_that_names_another_message_is_not_guessed_at(funded, account, slot, case):
    make_run(funded, account, make_rows(2))
    message, other = slot.send_all()
    slot.answer(*(SubmitOutcome(m.token, OutcomeKind.UNKNOWN, reason=Reason.TIMEOUT) for m in (message, other)))
    named = {"other number": other.token, "other connection": message.token, "nobody's": 10**17}[case]
    with platform_scope(reason="test"):
        through = GatewayAccount(name="Other", adapter="smpp") if case == "other connection" else account
        through.save()
    arrive(through, receipt("never-seen", DELIVERED)._replace(client_reference=str(named)))
    match(4)
    assert (state_of(message), state_of(other)) == ("unknown", "unknown")


def test_what_was_given_up_is_delivered_by_a_receipt_that_names_it(funded, account, slot):
    run = make_run(funded, account, make_long_rows(2))
    message = lose_answer(slot)
    with engine_scope(reason="test"):
        assert move_messages([Move(message.token, "unconfirmed")], usual=MessageState.UNKNOWN, shard=100).moved
    slot.finish(**{str(batch): 1 for batch in slot.batches.values()})
    with engine_scope(reason="test"):
        assert complete_run(run.pk)
    told = [receipt(part, state) for part in ("a", "b") for state in (DeliveryState.ACCEPTED, DELIVERED)]
    arrive(account, *(event._replace(client_reference=str(message.token)) for event in told))
    match(5)
    assert state_of(message) == "delivered"
    with tenant_scope(funded.pk):
        assert get_balance(funded.pk) == (100_000, 0), "given back with the message, and not taken again"


@pytest.mark.parametrize(
    ("reference", "token"),
    [
        ("2026110000000168", 2026110000000168),
        ("9" * 18, 10**18 - 1),
        ("9" * 19, 0),
        ("", 0),
        ("peyk-7", 0),
        ("\u0663", 0),
        ("-1", 0),
    ],
)
def test_a_reference_is_a_message_of_ours_or_none(reference, token):
    assert receipt("id", DELIVERED)._replace(client_reference=reference).token == token


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("first_told", "then_told"), [("a", "a"), ("a", "b")])
def test_parts_in_doubt_adopted_side_by_side_are_counted_once(funded, account, slot, first_told, then_told):
    """Two matchers at once, each with a receipt of a message in doubt: neither may count parts without the other's."""
    make_run(funded, account, make_long_rows(2))
    message = lose_answer(slot)
    arrive(account, receipt(first_told, DeliveryState.ACCEPTED))
    arrive(account, receipt(then_told, DELIVERED))
    match(ADOPT_AFTER_TRIES)
    with platform_scope(reason="test"):
        waiting = ReceiptInbox.objects.order_by("pk")
        early, late = waiting
        waiting.filter(pk=early.pk).update(due_at=timezone.now() - timedelta(hours=1))
        waiting.filter(pk=late.pk).update(due_at=timezone.now() + timedelta(hours=1))
    with matching_elsewhere():
        with platform_scope(reason="test"):
            waiting.filter(pk=late.pk).update(due_at=timezone.now() - timedelta(hours=1))
        with engine_scope(reason="test"):
            match_receipts()
    match(3)
    arrive(account, *(receipt(part, DELIVERED) for part in ("a", "b")))
    match(5)
    assert state_of(message) == "delivered"
    with platform_scope(reason="test"):
        parts = ProviderReference.objects.order_by("part").values_list("provider_message_id", "part", "of_parts")
        assert list(parts) == [("a", 1, 2), ("b", 2, 2)]


def test_a_receipt_counts_although_a_late_answer_comes_while_it_is_looked_at(funded, account, slot, monkeypatch):
    """In doubt when the receipt is matched, accepted a moment later: delivered all the same (R2)."""
    make_run(funded, account, make_rows(1))
    message = lose_answer(slot)
    update, answers = moves._update, [accepted(message)._replace(late=True)]

    def update_and_answer(wanted, before):
        counted = update(wanted, before)
        if answers and before is MessageState.ACCEPTED:
            slot.answer(answers.pop())
        return counted

    monkeypatch.setattr(moves, "_update", update_and_answer)
    arrive(account, receipt(f"id-{message.token}", DELIVERED))
    match(4)
    assert not answers and state_of(message) == "delivered"
