import random
import signal
import time

import pytest

from messaging.models import SendRun
from tests.engine_runs import make_rows, make_run

from .house import House, count_states, find_violations, read_run_state, wait_for

MESSAGES = 5000
KILLS = 10
SEED = 20261122


@pytest.mark.slow
def test_ten_kills_in_five_thousand_messages(house: House, tenant):
    """S1, S4: nobody twice, nobody lost, and the run ends by itself within a minute of the last kill."""
    rng = random.Random(SEED)
    house.start_simulator(receipt_delay=[20, 300], answer_delay=[0, 60])
    account = house.make_account(rate_per_second=250, window_size=50)
    run = make_run(tenant, account, make_rows(MESSAGES))
    house.start_senders()
    house.start_ticks()
    for _ in range(KILLS):
        began = house.count_submits()
        wait_for(lambda began=began: house.count_submits() > began, 60, house.read_logs)
        time.sleep(rng.uniform(0, 1.5))
        house.signal("senders", signal.SIGKILL)
        house.start_senders()
    wait_for(lambda: read_run_state(run) == SendRun.State.COMPLETED, 60, lambda: str(count_states(run)))
    states = count_states(run)
    assert find_violations(house) == []
    assert sum(states.values()) == MESSAGES
    assert set(states) <= {"delivered", "unconfirmed"}
    # A crash leaves at most one stride and one flush of each slot in doubt, and receipts clear most of it.
    assert states.get("unconfirmed", 0) <= KILLS * 2 * 50
    assert house.count_submits() >= states["delivered"]
