"""Workers and a beat that hang end, those that work or wait do not. Real processes, a limit of seconds."""

import os
import sys
import time

import pytest
from celery import Celery

from .house import House, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
LIMIT = 4


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path, WATCHDOG_SECONDS=str(LIMIT))
    yield house
    house.close()


def control(house):
    return Celery(broker=house.environment["REDIS_URL"] + "/0").control


def start_worker(house, queues, pool, size, *options):
    line = ("-Q", queues, "-P", pool, "-c", size, "-n", "one@%h", "-l", "INFO", "--without-mingle", "--without-gossip")
    worker = house._spawn("one", sys.executable, "-m", "celery", "-A", "smsplatform", "worker", *line, *options)
    house.wait_until_ready("one")
    return worker


@pytest.mark.parametrize(
    ("queues", "pool"), [("urgent", "threads"), ("senders", "threads"), ("default,bulk", "prefork")]
)
def test_a_worker_that_answers_pings_and_takes_nothing_ends(house, queues, pool):
    worker = start_worker(house, queues, pool, "2")
    time.sleep(2.5 * LIMIT)
    assert worker.poll() is None, "nothing comes but its own probes, and they are enough"
    queue = f"probe.one@{os.uname().nodename}"
    said = control(house).cancel_consumer(queue, reply=True, timeout=5)
    assert said, "it hangs as far as tasks go, and still answers"
    wait_for(lambda: worker.poll() is not None, 5 * LIMIT, house.read_logs)
    assert worker.returncode == os.EX_SOFTWARE
    assert "worker.consumes_nothing" in (house.folder / "one.log").read_text()


@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_a_long_task_in_every_slot_is_no_reason(house, pool):
    worker = start_worker(house, "bulk", pool, "1", "-I", "tests.faults.long_task")
    Celery(broker=house.environment["REDIS_URL"] + "/0").send_task("tests.sleep", (3 * LIMIT,), queue="bulk")
    log = house.folder / "one.log"
    wait_for(lambda: "tests.sleep" in log.read_text() and "succeeded" in log.read_text(), 60, house.read_logs)
    assert worker.poll() is None
    assert "worker.consumes_nothing" not in log.read_text()


def test_a_broker_that_is_away_ends_no_worker(house):
    house.start_senders()
    house.wait_until_ready("senders")
    house.signal("valkey", 9)
    time.sleep(2.5 * LIMIT)
    house.start_valkey()
    time.sleep(2.5 * LIMIT)
    assert house.processes["senders"].poll() is None
    assert "worker.consumes_nothing" not in (house.folder / "senders.log").read_text()


def test_a_beat_that_rings_nothing_ends(house):
    house._start_beat()
    beat = house.processes["beat"]
    time.sleep(3 * LIMIT)
    assert beat.poll() is None, "it rings"
    house.signal("valkey", 19)  # SIGSTOP: the connection stands, and nobody answers
    wait_for(lambda: beat.poll() is not None, 10 * LIMIT, house.read_logs)
    house.signal("valkey", 18)
    assert beat.returncode == os.EX_SOFTWARE
