"""What providers report against what we counted."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection

from accounts.scope import platform_scope
from gateways.models import AccountMonth, ProviderCharge, RouteTarget
from gateways.routing.book import create_rule
from gateways.types import DeliveryEvent, DeliveryState
from messaging.scope import engine_scope
from messaging.services.charges import settle_charges
from messaging.services.inbox import StoredEvent, store_events
from tests.engine_runs import make_routed_run, make_rows

from .engine import HandSlot, accepted


@pytest.fixture
def sent(funded, account):
    """Three messages of one part at 0.02, taken by the provider."""
    with platform_scope(reason="test"):
        create_rule(name="Türkiye", accounts=[account], prefix="+90")
        RouteTarget.objects.update(cost_per_part=Decimal("0.02"))
    make_routed_run(funded, make_rows(3))
    slot = HandSlot(account).open()
    messages = slot.send_all()
    slot.accept(messages)
    return messages


def report(account, message, *, parts=1, price="", provider_id="", state=DeliveryState.DELIVERED):
    event = DeliveryEvent(
        provider_id or f"id-{message.token}",
        message.msisdn,
        state,
        billed_parts=parts,
        price=price,
    )
    with engine_scope(reason="test"):
        store_events([StoredEvent(account.pk, b"raw", event)])


def settle():
    with engine_scope(reason="test"):
        return settle_charges()


def read_month():
    with platform_scope(reason="test"):
        return AccountMonth.objects.get()


def test_agreement_and_drift(account, sent):
    report(account, sent[0], price="0.02")
    report(account, sent[1], parts=2, price="-0.045")  # they count two parts, and write costs below zero
    assert settle() == 2
    month = read_month()
    assert (month.messages, month.our_parts, month.their_parts) == (2, 2, 3)
    assert (month.our_cost, month.their_cost) == (Decimal("0.04"), Decimal("0.065"))
    assert month.month == datetime.now(UTC).date().replace(day=1)


def test_the_same_receipt_again_adds_nothing(account, sent):
    for _ in range(3):
        report(account, sent[0], price="0.02")
    settle()
    report(account, sent[0], price="0.02")
    settle()
    assert read_month().messages == 1


def test_a_report_before_its_answer_waits(account, sent):
    report(account, sent[0], provider_id="early")
    settle()
    assert settle() == 0  # not before ten minutes
    slot = HandSlot(account)
    slot.number = 1
    with platform_scope(reason="test"), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_providerreference SET provider_message_id = 'early' WHERE message_id = %s",
            [sent[0].token],
        )
        cursor.execute("UPDATE gateways_providercharge SET due_at = now()")
    settle()
    assert read_month().messages == 1


def test_a_long_message_is_charged_part_by_part(funded, account):
    with platform_scope(reason="test"):
        create_rule(name="Türkiye", accounts=[account], prefix="+90")
    make_routed_run(funded, make_rows(1, text="x" * 200, parts=2))
    slot = HandSlot(account).open()
    (message,) = slot.send_all()
    slot.answer(accepted(message, "one", "two"))
    for provider_id in ("one", "two"):
        report(account, message, provider_id=provider_id)
    settle()
    assert (read_month().messages, read_month().our_parts, read_month().their_parts) == (1, 2, 2)


@pytest.mark.parametrize(("ours", "ids"), [(1, ("one", "two")), (3, ("one", "two")), (3, ("one",))])
def test_a_message_cut_into_other_parts_than_ours_is_drift(funded, account, ours, ids):
    """Each id is one of theirs; all of ours are in it, however many ids there are."""
    with platform_scope(reason="test"):
        create_rule(name="Türkiye", accounts=[account], prefix="+90")
        RouteTarget.objects.update(cost_per_part=Decimal("0.02"))
    make_routed_run(funded, make_rows(1, text="x" * 400, parts=ours))
    slot = HandSlot(account).open()
    (message,) = slot.send_all()
    slot.answer(accepted(message, *ids))
    for provider_id in reversed(ids):
        report(account, message, price="0.03", provider_id=provider_id)
    settle()
    month = read_month()
    assert (month.messages, month.our_parts, month.their_parts) == (1, ours, len(ids))
    assert (month.our_cost, month.their_cost) == (ours * Decimal("0.02"), len(ids) * Decimal("0.03"))


def test_parts_without_a_price_cost_what_ours_cost(account, sent):
    report(account, sent[0], parts=3)
    settle()
    assert (read_month().our_cost, read_month().their_cost) == (Decimal("0.02"), Decimal("0.06"))


def test_only_a_receipt_that_ends_the_message_counts(account, sent):
    """Before, they may name no price yet: the last word is kept."""
    report(account, sent[0], parts=1, state=DeliveryState.ACCEPTED)
    report(account, sent[0], parts=2, price="0.04")
    settle()
    assert (read_month().their_parts, read_month().their_cost) == (2, Decimal("0.04"))


@pytest.mark.parametrize(("price", "kept"), [("", None), ("free", None), ("NaN", None), ("1e99", None), ("0.1", "0.1")])
def test_what_is_no_price_is_left_out(account, sent, price, kept):
    report(account, sent[0], price=price)
    with platform_scope(reason="test"):
        assert ProviderCharge.objects.get().price == (Decimal(kept) if kept else None)


def test_receipts_that_say_nothing_cost_nothing(account, sent):
    report(account, sent[0], parts=0)
    with platform_scope(reason="test"):
        assert not ProviderCharge.objects.exists()
