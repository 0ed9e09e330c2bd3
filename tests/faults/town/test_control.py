"""People and clocks at the controls: seen on the wire, by the operator's journal."""

import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.scope import platform_scope, tenant_scope
from messaging.models import DispatcherSession, SendRun
from messaging.services import cancel_send_run, pause_send_run, resume_send_run
from tests.engine_runs import count_states

from ..house import wait_for
from .town import Town

COMPLETED = SendRun.State.COMPLETED
pytestmark = pytest.mark.slow
SOON = 2.0


def wall_times(town, run):
    return [entry.at for entry in town.list_submits(run)]


def test_pause_resume_and_cancel(town: Town):
    """S6: two seconds after pause or cancel nothing leaves; what had not left is cancelled and its credits are back."""
    run = town.send(2000, town.make_account(rate_per_second=150))
    ids = {"run_id": run.pk, "tenant_id": town.tenant.pk}
    for control in (pause_send_run, cancel_send_run):
        before = len(wall_times(town, run))
        town.wait_for_submits(run, before + 50)
        with tenant_scope(town.tenant.pk):
            assert control(**ids)
        asked_at = time.time()
        time.sleep(SOON + 1.5)
        times = wall_times(town, run)
        assert 50 <= len(times) < 2000
        assert max(times) - asked_at <= SOON
        if control is pause_send_run:
            with tenant_scope(town.tenant.pk):
                assert resume_send_run(**ids)
    states = town.wait_until(run, COMPLETED)
    assert states["delivered"] == len(wall_times(town, run))
    assert states["cancelled"] == 2000 - states["delivered"]


def test_rate_of_two_slots_in_two_processes(town: Town):
    """S9: in any second the connection's rate holds, however many processes share it. A worker that comes later gets
    a slot of one that had both, in the middle of a run."""
    rate = 200
    account = town.make_account(rate_per_second=rate, slots=2)
    wait_for(lambda: len(list_workers(account)) == 2, 60)
    assert len(set(list_workers(account))) == 1
    first = town.send(1500, account)
    town.house.start_senders("others")
    try:
        wait_for(lambda: len(set(list_workers(account))) == 2, 60, town.house.read_logs)
        assert town.wait_until(first, COMPLETED) == {"delivered": 1500}
        # A stall of the machine can gather what left in time; a rate that is too high is so every time.
        for attempt in range(3):
            runs = [town.send(125, account) for _ in range(8)]  # a slot leases up to three batches at once
            for run in runs:
                assert town.wait_until(run, COMPLETED) == {"delivered": 125}
            submits = town.list_submits(*runs)
            times = sorted(entry.at for entry in submits)
            assert len({entry.link for entry in submits}) == 2
            if most_in_a_second(times) <= rate * 1.05 + 1:
                break
            assert attempt < 2, most_in_a_second(times)
        assert len(times) / (times[-1] - times[0]) > rate * 0.5  # more than one slot's share
    finally:
        town.house.end("others")


def list_workers(account):
    with platform_scope(reason="test"):
        live = DispatcherSession.objects.filter(gateway_account=account, state="live")
        return list(live.values_list("worker", flat=True))


def most_in_a_second(times):
    most = first = 0
    for last, at in enumerate(times):
        while at - times[first] >= 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most


def test_sending_hours_by_the_clock(town: Town):
    """S8: nothing before the hours begin, nothing after they end; what is left goes when they begin again."""
    account = town.make_account(rate_per_second=100)
    wait_for(lambda: list_workers(account), 60)  # bound already: the hours are short
    opens, closes = database_clock(3), database_clock(6)
    run = town.send(2000, account, window_opens=opens.time(), window_closes=closes.time())
    wait_for(lambda: database_clock() > closes + timedelta(seconds=2), 30)
    times = wall_times(town, run)
    assert 0 < len(times) < 600
    assert opens.timestamp() <= min(times) and max(times) <= closes.timestamp() + 1  # intended before
    assert count_states(run)["queued"] > 1000
    with platform_scope(reason="test"):
        SendRun.objects.filter(pk=run.pk).update(window_opens=None, window_closes=None)
    with tenant_scope(town.tenant.pk):
        assert cancel_send_run(run_id=run.pk, tenant_id=town.tenant.pk)
    town.wait_until(run, COMPLETED)


def test_not_before(town: Town):
    account = town.make_account()
    begins = timezone.now() + timedelta(seconds=3)
    run = town.send(50, account, not_before=begins)
    assert town.wait_until(run, COMPLETED) == {"delivered": 50}
    assert min(wall_times(town, run)) >= begins.timestamp()


def database_clock(later=0.0):
    """Local time of the run by the database's clock, so many seconds from now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    return timezone.localtime(now) + timedelta(seconds=later)
