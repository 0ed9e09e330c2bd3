"""The checker must find what it is for: each promise is broken once by hand."""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.scope import platform_scope
from gateways.simulator.journal import JournalEntry
from messaging.services.check import check_engine, check_journal
from tests.engine_runs import make_rows, make_run

from .engine import HandSlot

BREAK = {
    "S4": [
        "UPDATE messaging_sendrun SET message_count = message_count + 1",
        "UPDATE messaging_runtally SET entered = entered + 1 WHERE state = 'accepted'",
        "UPDATE messaging_message SET state = 'delivered'",
        "UPDATE messaging_sendrun SET state = 'completed'",
        "UPDATE messaging_messagebatch SET state = 'done'",
    ],
    "W3": ["UPDATE messaging_dispatchersession SET state = 'dead'"],
    "R2": [
        "INSERT INTO messaging_receiptinbox (gateway_account_id, provider_message_id, msisdn, state, reason,"
        " provider_code, raw, is_inferred, received_at, tries, sender, matched_message_id, settled_at)"
        " SELECT 1, 'x', msisdn, 'delivered', '', '', '', false, now(), 0, '', id, now() FROM messaging_message"
    ],
    "R5": [
        "INSERT INTO messaging_receiptinbox (gateway_account_id, provider_message_id, msisdn, state, reason,"
        " provider_code, raw, is_inferred, received_at, tries, sender, matched_message_id, settled_at)"
        " SELECT 1, 'x', '+1', 'undelivered', '', '', '', false, now(), 0, '', id, now() FROM messaging_message"
    ],
    "M1": ["UPDATE billing_creditaccount SET available = available + 1 WHERE kind = 'tenant'"],
    "M3": [
        "INSERT INTO billing_ledgerentry (transaction_id, account_id, tenant_id, available_delta, reserved_delta)"
        " SELECT transaction_id, account_id, tenant_id, 1, 0 FROM billing_ledgerentry LIMIT 1"
    ],
    "M4": ["UPDATE messaging_message SET accepted_at = NULL WHERE state = 'accepted'"],
    "M6": ["UPDATE messaging_message SET price = price + 1 WHERE state = 'queued'"],
}


@pytest.fixture
def run(funded, account):
    run = make_run(funded, account, make_rows(3))
    slot = HandSlot(account).open()
    slot.accept(slot.send_all()[:2])
    with platform_scope(reason="test"):
        assert check_engine() == []
    return run


@pytest.mark.parametrize(("invariant", "statement"), [(key, s) for key, ss in BREAK.items() for s in ss])
def test_finds(run, invariant, statement):
    with platform_scope(reason="test"):
        with connection.cursor() as cursor:
            cursor.execute(statement)
        assert invariant in {v.invariant for v in check_engine()}


def entry(token, status=0, part=1):
    return JournalEntry(0.0, 1, "905300000000", "BUTIK", "x", 0, part, 1, token, 7, status)


def test_journal(run):
    with platform_scope(reason="test"), connection.cursor() as cursor:
        cursor.execute("SELECT id FROM messaging_message ORDER BY id")
        first, second, third = (row[0] for row in cursor.fetchall())

        def found(*entries):
            return {v.invariant for v in check_journal(entries)}

        good = [entry(first), entry(second)]
        assert found(*good) == set()
        assert found(*good, entry(third, status=None)) == set()  # in the air
        assert found(entry(second, status=0x58), *good) == set()
        assert found(*good, entry(second)) == {"S1"}
        assert found(entry(first, status=None), *good) == {"S1"}
        assert found(entry(first)) == {"S1"}  # accepted, and never arrived
        assert found(*good, entry(10**9)) == {"S2"}
        cursor.execute("UPDATE messaging_message SET state = 'cancelled' WHERE id = %s", [third])
        assert found(*good, entry(third)) == {"S3"}


def test_command(run, tmp_path):
    out = StringIO()
    call_command("check_engine", "--json", stdout=out)
    assert json.loads(out.getvalue().splitlines()[-1]) == {"violations": 0, "details": []}
    with platform_scope(reason="test"), connection.cursor() as cursor:
        cursor.execute("UPDATE messaging_sendrun SET message_count = 9")
    with pytest.raises(SystemExit):
        call_command("check_engine", "--json", stdout=out, stderr=StringIO())
    assert json.loads(out.getvalue().splitlines()[-1])["violations"] == 1
