"""W3: a run that stands still is seen, and why."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.scope import platform_scope, tenant_scope
from gateways.models import GatewayAccount
from messaging.models import MessageBatch, RunTally, SendRun
from messaging.scope import engine_scope
from messaging.selectors import Stall, find_stall
from messaging.selectors.stalls import list_stalled_runs
from messaging.services import pause_send_run
from messaging.services.intents import Stride
from messaging.services.sessions import record_link
from messaging.tasks import sweep_runs
from tests.engine_runs import make_rows, make_run

from .engine import HandSlot

pytestmark = pytest.mark.usefixtures("checked_books", "bells")


def age_run(seconds):
    """The run, its batches and its roll-ups are this much older."""
    with platform_scope(reason="test"):
        earlier = timezone.now() - timedelta(seconds=seconds)
        SendRun.objects.update(state_changed_at=earlier)
        MessageBatch.objects.update(not_before=earlier)
        RunTally.objects.update(minute=earlier)


def stalled():
    with engine_scope(reason="test"):
        return [(run_id, stall.reason) for run_id, _, stall in list_stalled_runs()]


def test_a_stalled_run_is_seen_and_named(funded, account, bells, caplog):
    """W3: nobody holds the slot; then somebody does and nothing moves; then it moves."""
    run = make_run(funded, account, make_rows(3))
    assert stalled() == []
    age_run(150)
    assert stalled() == [(run.pk, "no_worker")]
    slot = HandSlot(account).open()
    assert stalled() == [(run.pk, "no_answers")]
    sweep_runs()
    assert bells == ["all"]
    assert [record.cause for record in caplog.records if record.msg == "engine.run_stalled"] == ["no_answers"]
    (batch,) = slot.claim()
    slot.accept(slot.intend(Stride(batch.batch_id, 0, 1)))
    assert stalled() == []


def test_who_waits_for_others_or_for_the_clock_is_not_stalled(funded, account, slot):
    late = make_run(funded, account, make_rows(3), origin_id=2)
    age_run(150)
    make_run(funded, account, make_rows(3))
    slot.accept(slot.send_all()[:1])
    assert stalled() == []
    with platform_scope(reason="test"):
        RunTally.objects.update(minute=timezone.now() - timedelta(seconds=150))
        SendRun.objects.filter(pk=late.pk).update(not_before=timezone.now() + timedelta(hours=1))
    assert stalled() == []


def why(run):
    """As a page of the tenant asks."""
    with tenant_scope(run.tenant_id):
        found = find_stall(SendRun.objects.get(pk=run.pk))
        assert SendRun.objects.filter(pk=run.pk).exists()  # the page's own scope is as it was
    return found


def test_who_asks_is_told_why_a_run_stands_still(funded, account):
    run = make_run(funded, account, make_rows(3))
    assert why(run) is None
    age_run(150)
    assert why(run) == Stall("no_worker")
    slot = HandSlot(account).open()
    assert why(run) == Stall("no_answers")
    for state, code in [
        ("held", "throttled"),
        ("down", "ConnectionRefusedError"),
        ("refused", "0x0000000e"),
        ("stopped", "0x0000000e"),
    ]:
        with engine_scope(reason="test"):
            record_link(slot.session_id, state, code)
        assert why(run) == Stall(f"link_{state}", code)
    with platform_scope(reason="test"):
        GatewayAccount.objects.update(maintenance_from=timezone.now() - timedelta(minutes=1))
    assert why(run) == Stall("maintenance")
    with platform_scope(reason="test"):
        GatewayAccount.objects.update(is_active=False)
    assert why(run) == Stall("account_off")


def test_a_closed_account_is_named_although_its_connection_is_busy(funded, account, slot):
    run = make_run(funded, account, make_rows(3), origin_id=2)
    age_run(150)
    other = make_run(funded, account, make_rows(3))
    leased = {batch.run_id: batch.batch_id for batch in slot.claim()}
    slot.accept(slot.intend(Stride(leased[other.pk], 0, 3)))
    assert why(run) is None
    with platform_scope(reason="test"):
        type(funded).objects.filter(pk=funded.pk).update(is_active=False)
    assert why(run) == Stall("tenant_closed")


def test_the_best_link_of_a_connection_speaks_for_it(funded, account):
    run = make_run(funded, account, make_rows(3))
    age_run(150)
    with engine_scope(reason="test"):
        record_link(HandSlot(account, number=0).open().session_id, "stopped", "0x0000000e")
        record_link(HandSlot(account, number=1).open().session_id, "up", "")
    assert why(run) == Stall("no_answers")


@pytest.mark.parametrize(("reason", "expected"), [("user", None), ("refusals", Stall("paused", "refusals"))])
def test_a_pause_by_the_system_is_told_and_one_by_the_user_is_known(funded, account, reason, expected):
    run = make_run(funded, account, make_rows(3))
    with tenant_scope(funded.pk):
        pause_send_run(run_id=run.pk, tenant_id=funded.pk, reason=reason)
    age_run(150)
    assert why(run) == expected


def test_a_connection_that_moves_is_not_stalled_beside_one_that_does(funded, account):
    moving = make_run(funded, account, make_rows(3))
    with platform_scope(reason="test"):
        other = GatewayAccount.objects.create(name="Other", adapter="smpp", rate_per_second=1000)
    standing = [make_run(funded, other, make_rows(1, start=10 * n), origin_id=n) for n in (1, 2)]
    age_run(150)
    (batch,) = (slot := HandSlot(account).open()).claim()
    slot.accept(slot.intend(Stride(batch.batch_id, 0, 1)))
    assert stalled() == [(run.pk, "no_worker") for run in standing]
    assert moving.pk not in dict(stalled())
