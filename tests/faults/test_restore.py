"""W4 on a cluster of its own: the database crashes under the senders, and is put back to what it was minutes ago."""

import logging
import time
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.models import User
from accounts.scope import platform_scope
from accounts.services import create_tenant
from billing.services import top_up_credits
from gateways.simulator.journal import find_duplicates
from messaging.dispatch.runtime import SenderRuntime
from messaging.scope import engine_scope
from messaging.selectors import find_doubt
from messaging.services.check import check_engine
from messaging.services.restore import confirm_database
from tests.engine_runs import count_states, make_rows, make_run

from .cluster import Cluster
from .two_operators import Operators, make_account, sending, tick

MESSAGES = 3000


@pytest.fixture
def cluster(tmp_path, django_db_blocker):
    cluster = Cluster(tmp_path)
    try:
        cluster.start()
        with django_db_blocker.unblock(), cluster.as_default():
            call_command("migrate", verbosity=0)
            yield cluster
    finally:
        cluster.close()


@pytest.fixture
def operators(tmp_path):
    operators = Operators(tmp_path, "operator")
    yield operators
    operators.close()


def wait_for(is_so, seconds=20.0):
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def let_settle(count, seconds=2.0):
    """How many, when no more have come for a while."""
    before, since = count(), time.monotonic()
    while time.monotonic() - since < seconds:
        time.sleep(0.1)
        if count() != before:
            before, since = count(), time.monotonic()
    return before


@pytest.mark.slow
def test_nobody_is_written_to_twice_after_a_restore(cluster, operators, settings, caplog, tmp_path):
    settings.ENGINE_UNKNOWN_SECONDS = 1
    owner = User.objects.create_user("owner@example.com")
    tenant = create_tenant(name="Butik", slug="butik", owner=owner)
    top_up_credits(tenant=tenant, amount=Decimal(100_000), reference="start", actor=None)
    account = make_account("operator", operators.ports["operator"], rate_per_second=150, window_size=10)
    run = make_run(tenant, account, make_rows(MESSAGES))

    def taken():
        return operators.count_taken("operator")

    with sending(account):
        wait_for(lambda: taken() >= 100)
        cluster.crash()
        cluster.copy()
        copied = taken()
        cluster.start()
        wait_for(lambda: taken() >= copied + 300)  # a crash is no new history: they go on without a person
        cluster.crash()
        cluster.put_back()
        connection.close()
        with caplog.at_level(logging.ERROR):
            cluster.start()
            wait_for(lambda: "engine.database_in_doubt" in caplog.text)
        sent = let_settle(taken)
    assert sent < MESSAGES / 2, "there was more to send"

    runtime = SenderRuntime("started after the restore")
    runtime.start()
    assert runtime.get_slot(account.pk, 0) is None
    runtime.stop()
    later = make_run(tenant, account, make_rows(50, start=MESSAGES))
    assert let_settle(taken, 0.5) == sent

    with engine_scope(reason="test"):
        done = confirm_database(actor=owner, since=run.started_at)
    assert done.runs == 1 and done.messages >= sent - copied
    with sending(account):
        wait_for(lambda: taken() >= sent + 50)
        wait_for(lambda: tick(run.pk) or count_states(later).get("delivered") == 50)
    assert let_settle(taken, 0.5) == sent + 50

    journal = operators.read_journal("operator")
    assert list(find_duplicates(journal)) == [] and len({entry.msisdn for entry in journal}) == sent + 50
    # Receipts that came in the history that is gone are not brought again: those messages stay accepted.
    wait_for(lambda: tick(run.pk) or set(count_states(run)) <= {"delivered", "accepted", "unconfirmed"})
    assert sum(count_states(run).values()) == MESSAGES
    with platform_scope(reason="test"):
        assert find_doubt() is None and check_engine(tmp_path / "operator") == []
