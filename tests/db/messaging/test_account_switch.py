"""The kill switches of a connection and of an account, and the maintenance window, stand in the fence itself."""

from datetime import timedelta

import pytest
from django.db import connection

from accounts.scope import platform_scope
from gateways.base import LinkState
from messaging.dispatch.slot import Slot
from messaging.models import MessageBatch
from messaging.services.check import check_engine
from messaging.services.express import declare_express
from messaging.services.intents import Stride
from tests.engine_runs import make_rows, make_run

from .engine import HandSlot, accepted


def database_now():
    """Inside a test's transaction now() stands still; the fence goes by the clock on the wall."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def change(account, **fields):
    with platform_scope(reason="test"):
        type(account).objects.filter(pk=account.pk).update(**fields)


WINDOWS = {
    "switched off": lambda now: {"is_active": False},
    "in maintenance": lambda now: {
        "maintenance_from": now - timedelta(minutes=1),
        "maintenance_until": now + timedelta(minutes=1),
    },
    "in maintenance without an end": lambda now: {"maintenance_from": now - timedelta(minutes=1)},
}
OPEN = {
    "before": lambda now: {"maintenance_from": now + timedelta(minutes=1)},
    "after": lambda now: {
        "maintenance_from": now - timedelta(minutes=2),
        "maintenance_until": now - timedelta(minutes=1),
    },
}


@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS.keys())
def test_nothing_is_claimed_and_no_mark_rises(account, funded, window):
    make_run(funded, account, make_rows(10))
    slot = HandSlot(account).open()
    [batch] = slot.claim()
    assert len(slot.intend(Stride(batch.batch_id, 0, 4))) == 4
    change(account, **window(database_now()))
    assert slot.intend(Stride(batch.batch_id, 4, 8)) == []
    with platform_scope(reason="test"):
        assert MessageBatch.objects.get().intent_upto == 4
    slot.finish(**{str(batch.batch_id): 4})
    assert slot.claim() == []
    change(account, is_active=True, maintenance_from=None, maintenance_until=None)
    assert [claimed.mark for claimed in slot.claim()] == [4]


@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS.keys())
@pytest.mark.django_db(transaction=True)
def test_one_time_passwords_wait_too(account, funded, window):
    make_run(funded, account, make_rows(1), priority=0)
    slot = HandSlot(account).open()
    change(account, **window(database_now()))
    ask = {"session_id": slot.session_id, "gateway_account_id": account.pk, "limit": 5}
    assert declare_express(**ask) == []
    change(account, is_active=True, maintenance_from=None, maintenance_until=None)
    assert [len(batch.messages) for batch in declare_express(**ask)] == [1]


def test_a_closed_account_stands_still_until_it_is_opened(account, funded):
    """Reliability.md section 7: the tenant kill switch. The next stride finds it closed."""
    make_run(funded, account, make_rows(10))
    slot = HandSlot(account).open()
    [batch] = slot.claim()
    assert len(slot.intend(Stride(batch.batch_id, 0, 4))) == 4
    change(funded, is_active=False)
    assert slot.intend(Stride(batch.batch_id, 4, 8)) == []
    slot.finish(**{str(batch.batch_id): 4})
    assert slot.claim() == []
    change(funded, is_active=True)
    assert [claimed.mark for claimed in slot.claim()] == [4]


@pytest.mark.django_db(transaction=True)
def test_one_time_passwords_of_a_closed_account_wait_too(account, funded):
    make_run(funded, account, make_rows(1), priority=0)
    ask = {"session_id": HandSlot(account).open().session_id, "gateway_account_id": account.pk, "limit": 5}
    change(funded, is_active=False)
    assert declare_express(**ask) == []
    change(funded, is_active=True)
    assert [len(batch.messages) for batch in declare_express(**ask)] == [1]


@pytest.mark.parametrize("window", OPEN.values(), ids=OPEN.keys())
def test_outside_the_window_everything_goes(account, funded, window):
    make_run(funded, account, make_rows(3))
    slot = HandSlot(account).open()
    change(account, **window(database_now()))
    assert len(slot.send_all()) == 3


def test_a_working_slot_stops_with_its_next_stride_and_goes_on_after(account, funded):
    """The slot knows nothing of the account: the fence alone stops it, without waiting for a new bell."""
    make_run(funded, account, make_rows(50))
    written = []

    def submit(slot, messages):
        written.extend(messages)
        slot.on_outcomes([accepted(m) for m in messages])

    slot = Slot(
        gateway_account_id=account.pk,
        number=0,
        session_id=HandSlot(account).open().session_id,
        gateway=None,
        stride=10,
        submit=submit,
        store_events=lambda *_: None,
    )
    slot.on_state(LinkState.UP, "")
    slot.step()
    assert len(written) == 10
    change(account, is_active=False)
    for _ in range(5):
        slot._claimed_at = slot._flushed_at = 0.0
        slot.step()
    assert len(written) == 10
    change(account, is_active=True)
    for _ in range(20):
        slot._claimed_at = slot._flushed_at = 0.0
        slot.step()
    assert len(written) == len({m.token for m in written}) == 50
    with platform_scope(reason="test"):
        assert check_engine() == []
