"""Providers that push and can be asked: what a push has told is not asked about."""

import pytest

from gateways.types import DeliveryState, OutcomeKind, SubmitOutcome
from messaging.dispatch.desk import AccountDesk
from messaging.scope import engine_scope
from messaging.services.pulling import add_jobs, close_settled_jobs, list_due_jobs
from tests.engine_runs import make_rows, make_run

from .engine import HandSlot
from .test_receipts import arrive, match, receipt

pytestmark = pytest.mark.django_db


def list_open(account, *, searches=True):
    with engine_scope(reason="test"):
        jobs, _ = list_due_jobs(
            gateway_account_id=account.pk,
            most_messages=1000,
            most_jobs=100,
            first_seconds=0,
            served={},
            searches=searches,
        )
    return [job.job for job in jobs]


def test_only_messages_that_have_not_ended_are_asked_about(funded, account):
    make_run(funded, account, make_rows(4))
    slot = HandSlot(account).open()
    sent = slot.send_all()
    outcomes = [SubmitOutcome(m.token, OutcomeKind.ACCEPTED, f"SM{m.token}", job=f"SM{m.token}") for m in sent]
    outcomes[3] = outcomes[3]._replace(job="a call of many")
    slot.answer(*outcomes)
    arrive(
        account,
        receipt(outcomes[0].provider_message_id, DeliveryState.DELIVERED, sent[0].msisdn),
        receipt(outcomes[1].provider_message_id, DeliveryState.ACCEPTED, sent[1].msisdn),
        receipt(outcomes[3].provider_message_id, DeliveryState.DELIVERED, sent[3].msisdn),
    )
    match()
    names = [o.job for o in outcomes]
    assert list_open(account) == names
    with engine_scope(reason="test"):
        assert close_settled_jobs(gateway_account_id=account.pk + 1) == 0, "another connection's"
        assert close_settled_jobs(gateway_account_id=account.pk) == 1
        assert close_settled_jobs(gateway_account_id=account.pk) == 0
    assert list_open(account) == names[1:], "a call of many is asked about as ever"


def test_a_search_stays(funded, account):
    make_run(funded, account, make_rows(1))
    slot = HandSlot(account).open()
    [message] = slot.send_all()
    with engine_scope(reason="test"):
        add_jobs(account.pk, [SubmitOutcome(message.token, OutcomeKind.UNKNOWN, job="?search")])
        assert close_settled_jobs(gateway_account_id=account.pk) == 0
    assert list_open(account) == ["?search"]
    assert AccountDesk(account.pk).close_settled_jobs() is None


def test_searches_are_asked_about_by_themselves(funded, account):
    make_run(funded, account, make_rows(4))
    slot = HandSlot(account).open()
    sent = slot.send_all()
    kinds = [OutcomeKind.UNKNOWN, OutcomeKind.ACCEPTED, OutcomeKind.UNKNOWN, OutcomeKind.ACCEPTED]
    with engine_scope(reason="test"):
        for message, kind, job in zip(sent, kinds, ["?1", "j1", "?2", "j2"], strict=True):
            add_jobs(account.pk, [SubmitOutcome(message.token, kind, job=job)])
    assert list_open(account) == ["?1", "?2"]
    assert list_open(account, searches=False) == ["j1", "j2"]
