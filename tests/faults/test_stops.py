import os
import signal
import time

import pytest

from accounts.scope import platform_scope, tenant_scope
from messaging.models import DispatcherSession, SendRun
from messaging.services import pause_send_run, resume_send_run
from tests.engine_runs import make_rows, make_run

from .house import House, count_states, find_violations, read_run_state, wait_for


def is_completed(run):
    return read_run_state(run) == SendRun.State.COMPLETED


def start(house, tenant, *, messages, rate, **script):
    house.start_simulator(receipt_delay=[20, 200], **script)
    account = house.make_account(rate_per_second=rate, window_size=20)
    run = make_run(tenant, account, make_rows(messages))
    house.start_senders()
    house.start_ticks()
    wait_for(lambda: house.count_submits() > 0, 60, house.read_logs)
    return run


@pytest.mark.slow
def test_a_worker_that_is_asked_to_stop_leaves_no_doubt(house: House, tenant):
    run = start(house, tenant, messages=400, rate=100, answer_delay=[0, 300])
    house.signal("senders", signal.SIGTERM)
    assert "unknown" not in count_states(run)
    with platform_scope(reason="test"):
        assert set(DispatcherSession.objects.values_list("state", flat=True)) == {"closed"}
    house.start_senders()
    wait_for(lambda: is_completed(run), 60, lambda: str(count_states(run)) + house.read_logs())
    assert count_states(run) == {"delivered": 400}
    assert find_violations(house) == []


@pytest.mark.slow
def test_a_stalled_worker_that_wakes_up_sends_nothing_of_what_others_took(house: House, tenant):
    """The zombie: stopped beyond its lease, its slot taken by another, then woken."""
    run = start(house, tenant, messages=1500, rate=50)
    house.signal("senders", signal.SIGSTOP)
    stopped_at = house.count_submits()
    house.start_senders("others")
    took = wait_for(lambda: house.count_submits() > stopped_at + 30, 60, house.read_logs)
    assert took < 45  # W3: noticed within 30 s, resumed within 60
    os.kill(house.processes["senders"].pid, signal.SIGCONT)
    wait_for(lambda: is_completed(run), 90, lambda: str(count_states(run)) + house.read_logs())
    states = count_states(run)
    assert sum(states.values()) == 1500 and states.get("unconfirmed", 0) <= 2 * 20
    assert find_violations(house) == []


@pytest.mark.slow
def test_pause_and_resume(house: House, tenant):
    """S6: two seconds after the pause nothing leaves."""
    run = start(house, tenant, messages=600, rate=100)
    with tenant_scope(tenant.pk):
        assert pause_send_run(run_id=run.pk, tenant_id=tenant.pk)
    time.sleep(2)
    count = house.count_submits()
    assert 0 < count < 600
    time.sleep(2)
    assert house.count_submits() == count
    with tenant_scope(tenant.pk):
        assert resume_send_run(run_id=run.pk, tenant_id=tenant.pk)
    wait_for(lambda: is_completed(run), 60, lambda: str(count_states(run)) + house.read_logs())
    assert count_states(run) == {"delivered": 600}
    assert find_violations(house) == []


@pytest.mark.slow
def test_a_troubled_operator(house: House, tenant):
    """Too fast for it, refusals, receipts early, late, twice and astray, and two cuts of the link."""
    run = start(
        house,
        tenant,
        messages=1500,
        rate=300,
        rate_limit=200,
        refusals=[{"pattern": "7$", "status": 0x0B, "ratio": 0.5}],
        early_receipt_ratio=0.1,
        double_receipt_ratio=0.1,
        stray_receipt_ratio=0.05,
        late_receipt_ratio=0.02,
        failure_ratio=0.1,
        cut_after=400,
        cuts=2,
    )
    wait_for(lambda: is_completed(run), 120, lambda: str(count_states(run)) + house.read_logs())
    states = count_states(run)
    assert sum(states.values()) == 1500
    assert set(states) <= {"delivered", "undelivered", "unconfirmed", "rejected"}
    assert 30 < states["rejected"] < 150 < states["undelivered"] + 50
    assert states.get("unconfirmed", 0) <= 2 * 2 * 60
    assert find_violations(house) == []
