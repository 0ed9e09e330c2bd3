"""Doorbells: who is rung for a slot, and how slots change hands."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.scope import platform_scope
from gateways.models import GatewayAccount
from messaging import tasks
from messaging.models import DispatcherSession
from messaging.tasks import ring_senders, sweep_sessions
from tests.engine_runs import make_rows, make_run

from .engine import HandSlot

pytestmark = pytest.mark.usefixtures("checked_books", "bells")


def test_dead_sessions_ring(funded, account, slot, bells):
    make_run(funded, account, make_rows(3))
    slot.claim()
    with platform_scope(reason="test"):
        DispatcherSession.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    sweep_sessions()
    assert bells == ["all"]
    bells.clear()
    ring_senders()
    assert bells == [(account.pk, 0, "senders")]


def test_bells_go_to_who_holds_the_slot(funded, account, slot, bells):
    run = make_run(funded, account, make_rows(3))
    ring_senders(run_id=run.pk)
    ring_senders(run_id=run.pk + 1)
    assert bells == [(account.pk, 0, "test")]


class HandRuntime:
    """What the tasks ask of a worker's runtime."""

    def __init__(self, worker, *slots):
        self.worker, self.slots = worker, set(slots)

    def has_slot_of(self, account_id):
        return bool(self.slots)

    def hand_over(self, account_id, slot):
        return slot in self.slots and len(self.slots) > 1


def test_who_has_two_slots_offers_one_and_who_has_none_takes_it(funded, account, bells, monkeypatch):
    with platform_scope(reason="test"):
        GatewayAccount.objects.update(slots=2)
    HandSlot(account, number=0).open()
    HandSlot(account, number=1).open()
    tasks.ring_all_senders()
    offer = ("offer_slot", account.pk, 1, "test", "senders")
    assert [bell for bell in bells if "slot" in str(bell[0])] == [offer]
    bells.clear()
    for hears, expected in [
        (HandRuntime("test", 0, 1), []),
        (HandRuntime("third", 5), []),
        (HandRuntime("second"), [("hand_over_slot", account.pk, 1, "second", "test")]),
    ]:
        monkeypatch.setattr(tasks, "find_runtime", lambda hears=hears: hears)
        tasks.offer_slot(account.pk, 1, "test")
        assert bells == expected
    bells.clear()
    for holds, expected in [(HandRuntime("test", 1), []), (HandRuntime("test", 0, 1), [(account.pk, 1, "second")])]:
        monkeypatch.setattr(tasks, "find_runtime", lambda holds=holds: holds)
        tasks.hand_over_slot(account.pk, 1, "second")
        assert bells == expected
