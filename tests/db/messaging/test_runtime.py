"""What a sender process keeps for all its connections goes on, whatever one of them does."""

import asyncio
import threading
import time
from datetime import timedelta
from unittest.mock import Mock

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from accounts.scope import platform_scope
from gateways.base import LinkState
from gateways.models import GatewayAccount
from gateways.services.connections import switch_connection
from gateways.types import OutcomeKind, SubmitOutcome
from messaging.dispatch import runtime as module
from messaging.dispatch.runtime import SenderRuntime
from messaging.models import DispatcherSession

pytestmark = pytest.mark.django_db(transaction=True)


class FakeLink:
    is_ready = True
    is_closed = False

    def __init__(self, gateway, listener):
        self.gateway, self.listener = gateway, listener

    def pull_with(self, desk):
        pass

    def start(self):
        self.listener.on_state(LinkState.UP, "")

    async def close(self, *, grace_seconds):
        await asyncio.sleep(self.gateway.account.settings.get("closing_seconds", 0))
        self.is_closed = True


class FakeGateway:
    batch_size = 1

    def __init__(self, account):
        self.account = account

    def find_stride(self, rate, window_size):
        return window_size

    def create_link(self, listener):
        return FakeLink(self, listener)


@pytest.fixture
def runtime(monkeypatch):
    monkeypatch.setattr(module, "open_account_gateway", lambda account, number: FakeGateway(account))
    runtime = SenderRuntime("test")
    runtime.start()
    yield runtime
    if not runtime.stopping.is_set():
        runtime.stop()
    connection.close()


def make_account(name, **settings):
    with platform_scope(reason="test"):
        return GatewayAccount.objects.create(name=name, adapter="smpp", settings=settings, rate_per_second=10)


def sessions():
    with platform_scope(reason="test"):
        return dict(DispatcherSession.objects.order_by("pk").values_list("gateway_account_id", "state"))


def change(account, **settings):
    with platform_scope(reason="test"):
        GatewayAccount.objects.filter(pk=account.pk).update(settings=settings)


def test_a_code_that_cannot_be_stored_ends_nobodys_leases(runtime, settings):
    settings.ENGINE_LEASE_SECONDS = 8
    odd, plain = make_account("Odd"), make_account("Plain")
    slots = [runtime.get_slot(account.pk, 0) for account in (odd, plain)]
    slots[0].on_state(LinkState.DOWN, "a\0b")
    time.sleep(1)  # the code is met
    met_at = timezone.now()
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with platform_scope(reason="test"):
            if DispatcherSession.objects.filter(lease_until__gt=met_at + timedelta(seconds=9)).count() == 2:
                return
        time.sleep(0.2)
    raise AssertionError("leases are not renewed any more")


def test_health_is_told_with_the_lease_once_for_all(runtime, settings, monkeypatch):
    settings.ENGINE_LEASE_SECONDS = 80
    told = []
    monkeypatch.setattr(module, "record_pulses", told.append)
    for name in ("A", "B", "C"):
        runtime.get_slot(make_account(name).pk, 0)
    time.sleep(2.5)
    assert len(told) <= 1


def test_closing_one_slot_keeps_nobody_waiting(runtime):
    slow, other = make_account("Slow", closing_seconds=4), make_account("Other")
    first = runtime.get_slot(slow.pk, 0)
    change(slow, host="elsewhere")
    found = []
    thread = threading.Thread(target=lambda: (found.append(runtime.get_slot(slow.pk, 0)), connection.close()))
    thread.start()
    time.sleep(0.5)
    began = time.monotonic()
    assert runtime.get_slot(other.pk, 0) is not None
    assert runtime.get_slot(slow.pk, 0) is None, "it is being closed"
    assert not runtime.hand_over(slow.pk, 0)
    assert time.monotonic() - began < 3
    thread.join(15)
    assert found[0] is not first and found[0].gateway.account.settings == {"host": "elsewhere"}
    assert runtime.get_slot(slow.pk, 0) is found[0]


def test_corrected_settings_open_a_slot_again_whatever_its_answers_were(runtime):
    account = make_account("Odd")
    first = runtime.get_slot(account.pk, 0)
    first.on_outcomes([SubmitOutcome(1, OutcomeKind.REJECTED, code="a\0b")])
    change(account, host="elsewhere")
    second = runtime.get_slot(account.pk, 0)
    assert second is not None and second is not first
    assert not second.is_lost and first.is_lost


def test_one_slot_that_cannot_be_closed_leaves_the_others_closed(runtime, monkeypatch):
    odd, plain = make_account("Odd"), make_account("Plain")
    session = runtime.get_slot(odd.pk, 0).session_id
    runtime.get_slot(plain.pk, 0)
    real = module.close_session

    def close(session_id):
        if session_id == session:
            raise ValueError("whatever")
        return real(session_id)

    monkeypatch.setattr(module, "close_session", close)
    runtime.stop()
    assert sessions() == {odd.pk: "live", plain.pk: "closed"}
    assert not any(thread.is_alive() for thread in runtime._threads)


def test_a_database_that_is_away_closes_no_slot(runtime, monkeypatch):
    account = make_account("Plain")
    slot = runtime.get_slot(account.pk, 0)
    with monkeypatch.context() as patched:
        patched.setattr(module, "_load_account", Mock(side_effect=DatabaseError("away")))
        assert runtime.get_slot(account.pk, 0) is slot
        assert runtime.get_slot(account.pk, 1) is None
    assert runtime.get_slot(account.pk, 0) is slot
    with platform_scope(reason="test"):
        GatewayAccount.objects.filter(pk=account.pk).update(is_active=False)
    assert runtime.get_slot(account.pk, 0) is None and sessions() == {account.pk: "closed"}


def wait_for(is_so, seconds=10.0):
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def test_a_slot_that_lost_its_lease_leaves_the_operator_without_a_bell(runtime, settings):
    """Another worker has it: every bell goes there, and the operator may allow one bind only."""
    settings.ENGINE_LEASE_SECONDS = 2
    account = make_account("Plain")
    slot, kept = runtime.get_slot(account.pk, 0), runtime.get_slot(make_account("Other").pk, 0)
    with platform_scope(reason="test"):
        DispatcherSession.objects.filter(pk=slot.session_id).update(state="dead")
    wait_for(lambda: slot.link.is_closed)
    wait_for(lambda: not runtime.has_slot_of(account.pk))
    assert not kept.link.is_closed and kept.gateway_account_id in sessions()


@pytest.mark.parametrize(
    "change", [{"is_active": False}, {"slots": 2}, {"rate_per_second": 4}], ids=["off", "fewer slots", "slower"]
)
def test_a_changed_connection_closes_all_its_slots_without_a_bell(runtime, monkeypatch, change):
    """Five slots of a fifth of the rate each beside two of a half would be 1.6 times the rate."""
    monkeypatch.setattr(module, "COMPARE_SECONDS", 0.5)
    account, other = make_account("Plain"), make_account("Other")
    with platform_scope(reason="test"):
        GatewayAccount.objects.update(slots=5)
    slots = [runtime.get_slot(account.pk, number) for number in range(5)]
    kept = runtime.get_slot(other.pk, 0)
    time.sleep(1.2)  # compared, and found to be as it was
    assert not any(slot.is_leaving for slot in slots)
    with platform_scope(reason="test"):
        GatewayAccount.objects.filter(pk=account.pk).update(**change)
    wait_for(lambda: all(slot.link.is_closed for slot in slots))
    wait_for(lambda: not runtime.has_slot_of(account.pk))
    assert not kept.is_leaving and runtime.get_slot(other.pk, 0) is kept


def test_switched_off_and_on_between_two_looks_the_link_begins_anew(runtime):
    account = make_account("Refused")
    stopped = runtime.get_slot(account.pk, 0)
    stopped.on_state(LinkState.STOPPED, "0x0000000e")
    with platform_scope(reason="test"):
        assert switch_connection(account=account, is_active=False, actor=None)
        assert switch_connection(account=account, is_active=True, actor=None)
    again = runtime.get_slot(account.pk, 0)
    assert again is not stopped and stopped.link.is_closed and again.link_state is LinkState.UP


def test_one_slots_slow_claim_ends_nobody_elses_lease(runtime, settings):
    """A claim holds its session's row shared until it commits."""
    settings.ENGINE_LEASE_SECONDS = 4
    slow, other = (runtime.get_slot(make_account(name).pk, 0) for name in ("Slow", "Other"))
    wait_for(lambda: slow.recorded_link == other.recorded_link == ("up", ""))
    with platform_scope(reason="test"), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM messaging_dispatchersession WHERE id = %s FOR SHARE", [slow.session_id])
        slow.on_state(LinkState.UP, "a word")
        time.sleep(3)
        assert not slow.is_lost and not other.is_lost, "it still has its lease, and is tried again"
        time.sleep(3)
        cursor.execute("SELECT lease_until > clock_timestamp() FROM messaging_dispatchersession ORDER BY id")
        assert cursor.fetchall() == [(False,), (True,)]
    wait_for(lambda: slow.is_lost)
    assert not other.is_lost


def test_a_claim_that_ends_in_time_costs_no_lease(runtime, settings):
    settings.ENGINE_LEASE_SECONDS = 6
    slot = runtime.get_slot(make_account("Plain").pk, 0)
    with platform_scope(reason="test"), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM messaging_dispatchersession FOR SHARE")
        time.sleep(4.5)
    time.sleep(4)
    assert not slot.is_lost and sessions() == {slot.gateway_account_id: "live"}


def test_two_hand_overs_at_once_leave_one_slot(runtime):
    account = make_account("Slow", closing_seconds=2)
    with platform_scope(reason="test"):
        GatewayAccount.objects.update(slots=2)
    slots = [runtime.get_slot(account.pk, number) for number in range(2)]
    thread = threading.Thread(target=lambda: (runtime.hand_over(account.pk, 0), connection.close()))
    thread.start()
    wait_for(lambda: slots[0].is_leaving)
    assert not runtime.hand_over(account.pk, 1)
    thread.join(15)
    assert slots[0].link.is_closed and not slots[1].is_leaving


def test_slots_are_closed_side_by_side_and_keep_their_leases_until_then(runtime, settings):
    settings.ENGINE_LEASE_SECONDS = 4
    slots = [runtime.get_slot(make_account(f"Slow {n}", closing_seconds=7).pk, 0) for n in range(3)]
    began = time.monotonic()
    thread = threading.Thread(target=lambda: (runtime.stop(), connection.close()))
    thread.start()
    time.sleep(6)
    with platform_scope(reason="test"):
        held = DispatcherSession.objects.filter(state="live", lease_until__gt=timezone.now()).count()
    thread.join(30)
    assert held == 3, "they are renewed while links close"
    assert time.monotonic() - began < 14
    assert all(slot.link.is_closed for slot in slots) and set(sessions().values()) == {"closed"}
    assert not any(thread.is_alive() for thread in runtime._threads)
