"""How long the engine's transactions may wait, and that nobody else's are cut short with them."""

import time

import pytest
from django.db import OperationalError, connection, transaction

from messaging.scope import TIMEOUTS, engine_scope


def read_timeouts():
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(f"current_setting('{name}')" for name in TIMEOUTS))
        return dict(zip(TIMEOUTS, cursor.fetchone(), strict=True))


def test_the_engines_own_transactions_wait_for_nobody_long(transactional_db):
    before = read_timeouts()
    assert before["idle_in_transaction_session_timeout"] == "5min"
    with engine_scope(reason="test"):
        assert read_timeouts() == {**TIMEOUTS, "statement_timeout": "1min"}
    assert read_timeouts() == before


def test_a_transaction_around_it_keeps_its_own_patience(transactional_db):
    with transaction.atomic():
        before = read_timeouts()
        with engine_scope(reason="test"):
            assert read_timeouts() == before


def test_an_idle_transaction_loses_its_connection(transactional_db, monkeypatch):
    monkeypatch.setattr(
        "messaging.scope.ALONE", "SELECT set_config('idle_in_transaction_session_timeout', '50ms', true)"
    )

    with pytest.raises(OperationalError), engine_scope(reason="test"):
        time.sleep(0.5)
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    connection.close()
    with engine_scope(reason="test"), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
