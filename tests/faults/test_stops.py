import signal

import pytest

from accounts.scope import platform_scope
from messaging.models import DispatcherSession, SendRun
from tests.engine_runs import count_states, make_rows, make_run

from .house import House, find_violations, read_run_state, wait_for


def is_completed(run):
    return read_run_state(run) == SendRun.State.COMPLETED


def start(house, tenant, *names, messages, rate, **script):
    """Of `senders` and the other names, all ready, one holds the slot and sends."""
    house.start_simulator(receipt_delay=[20, 200], **script)
    house.start_senders()
    for name in names:
        house.start_senders(name)
    house.start_ticks()
    house.wait_until_ready("senders", *names)
    account = house.make_account(rate_per_second=rate, window_size=20)
    run = make_run(tenant, account, make_rows(messages))
    wait_for(lambda: house.count_submits() > 0, 60, house.read_logs)
    return run


def find_holder(house):
    """The process that holds the slot."""
    with platform_scope(reason="test"):
        worker = DispatcherSession.objects.values_list("worker", flat=True).get(state="live")
    pid = int(worker.split(".")[-2])
    return next(process for process in house.processes.values() if process.pid == pid)


@pytest.mark.slow
def test_a_worker_that_is_asked_to_stop_leaves_no_doubt(house: House, tenant):
    run = start(house, tenant, messages=400, rate=100, answer_delay=[0, 300])
    with platform_scope(reason="test"):
        wait_for(lambda: DispatcherSession.objects.get(state="live").link_state == "up", 5)
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
    house.environment["ENGINE_LEASE_SECONDS"] = "5"
    run = start(house, tenant, "others", messages=600, rate=100)
    zombie = find_holder(house)
    zombie.send_signal(signal.SIGSTOP)
    stopped_at = house.count_submits()
    took = wait_for(lambda: house.count_submits() > stopped_at + 30, 60, house.read_logs)
    assert took < 5 + 25  # W3: a lease's end is noticed within ten seconds, work is resumed as long before 60 s
    zombie.send_signal(signal.SIGCONT)
    wait_for(lambda: is_completed(run), 90, lambda: str(count_states(run)) + house.read_logs())
    states = count_states(run)
    assert sum(states.values()) == 600 and states.get("unconfirmed", 0) <= 2 * 20
    assert find_violations(house) == []
