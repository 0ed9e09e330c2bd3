"""One-time passwords have a lane of their own: other priorities never enter it, and it does not wait for them."""

import select
import threading

import pytest
from django.db import connection

from accounts.scope import platform_scope, tenant_scope
from gateways.base import LinkState
from gateways.types import OutcomeKind, SubmitOutcome
from messaging.dispatch.slot import Slot
from messaging.models import MessageBatch, SendRun
from messaging.services.check import check_engine
from messaging.services.claims import Lane
from tests.engine_runs import make_rows, make_run

from .engine import HandSlot, accepted


@pytest.fixture(autouse=True)
def checked(db):
    yield
    with platform_scope(reason="test"):
        assert check_engine() == []


@pytest.fixture
def lanes(account):
    """(bulk, express) of one slot, and what each of them would have written."""
    written = {Lane.BULK: [], Lane.EXPRESS: []}
    common = {
        "gateway_account_id": account.pk,
        "number": 0,
        "session_id": HandSlot(account).open().session_id,
        "gateway": None,
        "stride": 100,
        "submit": lambda slot, messages: written[slot.lane].extend(messages),
        "store_events": lambda *_: None,
    }
    bulk, express = Slot(lane=Lane.BULK, **common), Slot(lane=Lane.EXPRESS, **common)
    bulk.express = express
    bulk.on_state(LinkState.UP, "")
    return bulk, express, written


def send(slot):
    slot.is_rung = True
    slot.step()


def test_each_lane_takes_its_own(lanes, account, funded):
    bulk, express, written = lanes
    make_run(funded, account, make_rows(5))
    make_run(funded, account, make_rows(1, start=100), priority=SendRun.Priority.OTP)
    send(bulk)
    assert len(written[Lane.BULK]) == 5
    send(express)
    assert len(written[Lane.EXPRESS]) == 1


def test_answers_find_their_lane(lanes, account, funded):
    bulk, express, written = lanes
    make_run(funded, account, make_rows(5))
    otp = make_run(funded, account, make_rows(1, start=100), priority=SendRun.Priority.OTP)
    send(bulk)
    send(express)
    bulk.on_outcomes([accepted(m) for m in [*written[Lane.BULK], *written[Lane.EXPRESS]]])
    assert (bulk.answer_count, express.answer_count) == (5, 1)
    express.step()
    assert express.in_air_count == 0
    with tenant_scope(funded.pk):
        assert MessageBatch.objects.get(run=otp).state == "done"


def test_unsure_lane_leaves_the_other_lane_its_leases(lanes, account, funded):
    bulk, express, written = lanes
    run = make_run(funded, account, make_rows(5))
    send(bulk)
    express._is_unsure = True
    express.step()
    with tenant_scope(funded.pk):
        assert MessageBatch.objects.get(run=run).state == "leased"
    bulk.on_outcomes([SubmitOutcome(m.token, OutcomeKind.UNKNOWN) for m in written[Lane.BULK]])
    bulk.work(seconds=1, linger_seconds=0, stopping=threading.Event())


def test_a_lost_lease_stops_both(lanes):
    bulk, express, _ = lanes
    bulk.lose()
    assert bulk.is_lost and express.is_lost


@pytest.mark.django_db(transaction=True)
def test_start_of_a_one_time_password_rings_at_the_commit(account, funded):
    from messaging.dispatch.express import _listen

    listener = _listen()
    try:
        make_run(funded, account, make_rows(1))
        make_run(funded, account, make_rows(1, start=50), priority=SendRun.Priority.OTP)
        assert select.select([listener.connection], [], [], 5)[0]
        listener.connection.poll()
        assert [n.channel for n in listener.connection.notifies] == ["peyk_express"]
    finally:
        listener.close()
        connection.close()
