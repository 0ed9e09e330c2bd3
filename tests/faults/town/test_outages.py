"""The parts that everything stands on go away in the middle of a run (reliability.md, section 6)."""

import os
import signal
import time

import pytest
from django.conf import settings
from django.db import connection

from messaging.models import SendRun
from messaging.scope import engine_scope

from ..house import find_violations, wait_for
from .town import Town, _patiently

COMPLETED = SendRun.State.COMPLETED
pytestmark = pytest.mark.slow


def has_local_database():
    return connection.settings_dict["HOST"] in ("", "127.0.0.1", "localhost")


@pytest.mark.skipif("not has_local_database()", reason="PostgreSQL runs on another machine: it cannot be killed here")
def test_postgresql_crashes_twice(town: Town):
    """Section 6: nothing is sent meanwhile; answers wait in memory; nothing is sent again."""
    run = town.send(1000, town.make_account())
    for moment in (150, 500):
        town.wait_for_submits(run, moment)
        town.kill_database()
        wait_for(lambda: _patiently(lambda: find_violations(town.house)) == [], 60)
    states = town.wait_until(run, COMPLETED)
    assert states == {"delivered": 1000}


def test_valkey_is_emptied_killed_and_replaced(town: Town):
    """W2: a slot at work goes on; with Valkey back, sending is back within 60 s; nothing lost, nothing twice."""
    run = town.send(800, town.make_account(rate_per_second=150))
    town.wait_for_submits(run, 100)
    town.house.empty_valkey()
    town.wait_for_submits(run, 300)
    town.house.signal("valkey", signal.SIGKILL)
    time.sleep(2)
    town.house.start_valkey()
    assert town.wait_until(run, COMPLETED) == {"delivered": 800}


def test_who_is_stopped_inside_a_transaction_blocks_nobody_for_long(town: Town):
    """W3: row locks of a stopped process do not outlive its patience with PostgreSQL: others go on."""
    run = town.send(600, town.make_account())
    town.wait_for_submits(run, 50)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # a process of the engine that holds every batch of the run, and is stopped
        connection.connection = None
        connection.inc_thread_sharing()
        connection.ensure_connection()
        with engine_scope(reason="test"), connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM messaging_messagebatch WHERE run_id = %s FOR UPDATE", [run.pk])
            os.write(writer, b"x")
            os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(0)
    try:
        assert os.read(reader, 1) == b"x"
        began = time.monotonic()
        assert town.wait_until(run, COMPLETED, 45)["delivered"] == 600
        assert time.monotonic() - began < settings.ENGINE_LEASE_SECONDS
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reader)
        os.close(writer)
