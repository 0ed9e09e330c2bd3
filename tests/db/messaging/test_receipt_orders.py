"""R2 as a property: answers and receipts in any order, doubled, in any grouping, give one result."""

from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.scope import platform_scope, tenant_scope
from billing.selectors import get_balance
from gateways.types import DeliveryEvent, DeliveryState, OutcomeKind, Reason, SubmitOutcome
from messaging.models import Message, ReceiptInbox
from messaging.scope import engine_scope
from messaging.selectors import get_run_totals
from messaging.services.check import check_engine
from messaging.services.inbox import StoredEvent, store_events
from messaging.services.receipts import match_receipts
from tests.engine_runs import make_rows, make_run

from .engine import HandSlot

D = DeliveryState
# What the operator says of each message: (its answer, the receipts of each part, what must come of it).
STORIES = [
    ("accepted", [[D.DELIVERED]], "delivered"),
    ("accepted", [[D.UNDELIVERED]], "undelivered"),
    ("accepted", [[D.UNDELIVERED, D.DELIVERED]], "delivered"),  # R6
    ("accepted", [[D.ACCEPTED, D.UNKNOWN]], "accepted"),
    ("accepted", [[]], "accepted"),
    ("lost", [[D.DELIVERED]], "delivered"),
    ("lost", [[]], "unknown"),
    ("rejected", [[]], "rejected"),
    ("accepted", [[D.DELIVERED], [D.DELIVERED]], "delivered"),
    ("accepted", [[D.DELIVERED], [D.UNDELIVERED]], "undelivered"),
    ("accepted", [[D.DELIVERED], [D.UNDELIVERED, D.DELIVERED]], "delivered"),
]
STRAYS = 2
EVENTS = [("answer", number, 0, None) for number in range(len(STORIES))]
EVENTS += [
    ("receipt", number, part, state)
    for number, (_, parts, _) in enumerate(STORIES)
    for part, states in enumerate(parts)
    for state in states
]
EVENTS += [("stray", number, 0, D.DELIVERED) for number in range(STRAYS)]


@st.composite
def histories(draw):
    """The events in any order, some of them again, in groups that are handled together."""
    again = draw(st.lists(st.sampled_from(EVENTS), max_size=8))
    events = draw(st.permutations(EVENTS + again))
    cuts = sorted(draw(st.sets(st.integers(1, len(events) - 1), max_size=8)))
    return [events[a:b] for a, b in zip([0, *cuts], [*cuts, len(events)], strict=True)]


class _Undo(Exception):
    pass


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories())
def test_one_result(funded, account, history):
    with pytest.raises(_Undo), transaction.atomic():
        tell(funded, account, history)
        raise _Undo


def tell(tenant, account, history):
    rows = make_rows(len(STORIES))
    for number, (_, parts, _) in enumerate(STORIES):
        rows[number] = rows[number]._replace(parts=len(parts), price=Decimal(len(parts)))
    run = make_run(tenant, account, rows)
    slot = HandSlot(account).open()
    messages = sorted(slot.send_all())
    for group in history:
        slot.answer(*(answer(messages[n]) for kind, n, _, _ in dict.fromkeys(group) if kind == "answer"))
        arrived = [event for event in group if event[0] != "answer"]
        with engine_scope(reason="test"):
            store_events([StoredEvent(account.pk, b"raw", receipt(messages, *event)) for event in arrived])
        look_again()
    for _ in range(5):
        look_again()
    expect(tenant, run, messages)


def answer(message):
    number = int(message.msisdn[-8:])
    kind, parts, _ = STORIES[number]
    ids = tuple(f"id-{number}-{part}" for part in range(len(parts)))
    if kind == "accepted":
        return SubmitOutcome(message.token, OutcomeKind.ACCEPTED, ids[0], part_ids=ids)
    if kind == "lost":
        return SubmitOutcome(message.token, OutcomeKind.UNKNOWN, reason=Reason.TIMEOUT)
    return SubmitOutcome(message.token, OutcomeKind.REJECTED, reason=Reason.BAD_ADDRESS)


def receipt(messages, kind, number, part, state):
    if kind == "stray":
        return DeliveryEvent(f"nobody-{number}", "+905399999999", state, sender="BUTIK")
    reason = Reason.BLOCKED_BY_RECIPIENT if state is D.UNDELIVERED else Reason.NONE
    return DeliveryEvent(f"id-{number}-{part}", messages[number].msisdn, state, reason, sender="BUTIK")


def look_again():
    with engine_scope(reason="test"):
        ReceiptInbox.objects.filter(settled_at=None).update(due_at="2020-01-01T00:00Z")
        match_receipts()


def expect(tenant, run, messages):
    wanted = {message.token: story[2] for message, story in zip(messages, STORIES, strict=True)}
    with platform_scope(reason="test"):
        assert dict(Message.objects.filter(run=run).values_list("pk", "state")) == wanted
        assert check_engine() == []
        unmatched = ReceiptInbox.objects.filter(matched_message_id=None, provider_message_id__startswith="nobody")
        assert unmatched.exists()  # R4
    with tenant_scope(tenant.pk):
        counted = {state: count.messages for state, count in get_run_totals(run).by_state.items() if count.messages}
        assert counted == {state: list(wanted.values()).count(state) for state in wanted.values()}
        reserved = sum(len(parts) for _, parts, state in STORIES if state == "unknown")
        released = sum(len(parts) for _, parts, state in STORIES if state == "rejected")
        cost = sum(len(parts) for _, parts, _ in STORIES)
        assert get_balance(tenant.pk) == (100_000 - cost + released, reserved)
