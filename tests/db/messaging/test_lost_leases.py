"""No batch stays with a session that is over, whoever was first: its claim or its end."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.scope import platform_scope
from messaging.models import DispatcherSession, Message, MessageBatch, SendRun
from messaging.scope import engine_scope
from messaging.services.check import check_engine
from messaging.services.claims import Lane, claim_batches, list_leases
from messaging.services.express import declare_express
from messaging.services.intents import Stride
from messaging.services.sessions import end_dead_sessions
from messaging.tasks import sweep_sessions
from tests.engine_runs import make_rows, make_run

from .engine import HandSlot


def batches():
    with platform_scope(reason="test"):
        return list(MessageBatch.objects.order_by("pk").values_list("state", "session_id", "intent_upto"))


@pytest.mark.django_db(transaction=True)
def test_a_claim_under_way_while_its_session_ends_is_seen(funded, account):
    make_run(funded, account, make_rows(10))
    slot = HandSlot(account).open()
    ends_at = timezone.now() + timedelta(seconds=2)
    with platform_scope(reason="test"):
        DispatcherSession.objects.update(lease_until=ends_at)
    claimed, finish = threading.Event(), threading.Event()

    def claim():
        with transaction.atomic(), engine_scope(reason="test"):
            ask = {"session_id": slot.session_id, "gateway_account_id": account.pk}
            assert len(claim_batches(**ask, per_tenant=5, limit=5)) == 1
            claimed.set()
            finish.wait(20)
        connection.close()

    claimer = threading.Thread(target=claim)
    claimer.start()
    assert claimed.wait(20)
    time.sleep(max(0.0, (ends_at - timezone.now()).total_seconds()) + 0.1)
    threading.Timer(0.5, finish.set).start()  # the end waits for it: without that it sees no batch
    with engine_scope(reason="test"):
        assert end_dead_sessions() == 1
    finish.set()
    claimer.join()
    assert batches() == [("ready", None, 0)]
    with platform_scope(reason="test"):
        assert check_engine() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("lane", [Lane.BULK, Lane.EXPRESS])
def test_a_claim_that_commits_late_is_seen_by_who_is_unsure(funded, account, lane):
    """The slot lost its connection while the commit of its claim waited; on a new one it asks what it has leased."""
    make_run(funded, account, make_rows(3), priority=SendRun.Priority.OTP if lane is Lane.EXPRESS else 5)
    slot = HandSlot(account).open()
    claimed, finish = threading.Event(), threading.Event()

    def claim():
        with transaction.atomic(), engine_scope(reason="test"):
            ask = {"session_id": slot.session_id, "gateway_account_id": account.pk}
            if lane is Lane.EXPRESS:
                assert declare_express(**ask, limit=5)
            else:
                assert claim_batches(**ask, per_tenant=5, limit=5)
            claimed.set()
            finish.wait(20)
        connection.close()

    claimer = threading.Thread(target=claim)
    claimer.start()
    assert claimed.wait(20)
    threading.Timer(0.5, finish.set).start()
    with engine_scope(reason="test"):
        leases = list_leases(slot.session_id, lane)
    finish.set()
    claimer.join()
    (batch,) = batches()
    assert batch[0] == "leased" and list(leases.values()) == [batch[2]]


def test_what_is_left_with_a_dead_session_is_found_and_taken_back(funded, account, monkeypatch):
    rung = []
    monkeypatch.setattr("messaging.tasks.ring_all_senders.delay", lambda: rung.append("all"))
    make_run(funded, account, make_rows(10))
    slot = HandSlot(account).open()
    (batch,) = slot.claim()
    slot.intend(Stride(batch.batch_id, 0, 4))
    with platform_scope(reason="test"):
        DispatcherSession.objects.update(state="dead")
        assert [violation.invariant for violation in check_engine()] == ["W3"]
    sweep_sessions()
    assert batches() == [("ready", None, 4)] and rung == ["all"]
    with platform_scope(reason="test"):
        assert Message.objects.filter(state="unknown", position__lt=4).count() == 4
        assert Message.objects.filter(state="queued").count() == 6
        assert check_engine() == []
    sweep_sessions()
    assert rung == ["all"]
