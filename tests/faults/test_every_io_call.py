"""The exhaustive crash test (reliability.md, section 8): die before and after each I/O call of the send path."""

import pytest
from django.conf import settings

from accounts.scope import platform_scope, tenant_scope
from gateways.models import GatewayAccount
from messaging.models import Message, SendRun
from messaging.services.check import check_engine, check_journal
from messaging.services.claims import EXPRESS_SIZE, Lane
from optout.services import record_opt_out
from tests.engine_runs import make_rows, make_run

from .lifetimes import STRIDE, Fuse, Life, Operator, fused

MESSAGES = {Lane.BULK: 20, Lane.EXPRESS: EXPRESS_SIZE}
PLACES = {
    Lane.BULK: ("after COMMIT, before write", "after write, before write", "after acknowledge"),
    Lane.EXPRESS: ("before WITH live AS", "after WITH live AS", "after write, before write", "after acknowledge"),
}
MOST_LIVES = 4


class Case:
    """A small run with everything in it: refusals, throttling, lost answers, long texts, a blocked number."""

    def __init__(self, tenant, number, lane):
        with platform_scope(reason="test"):
            GatewayAccount.objects.update(is_active=False)  # earlier cases are over
            self.account = GatewayAccount(name=f"Operator {number}", adapter="smpp", rate_per_second=1000)
            self.account.save()
        rows = make_rows(MESSAGES[lane])
        rows[2] = rows[2]._replace(text="x" * 200, parts=2)
        priority = SendRun.Priority.OTP if lane is Lane.EXPRESS else SendRun.Priority.NORMAL
        self.run = make_run(tenant, self.account, rows, priority=priority)
        self.lane = lane
        self.operator = Operator()
        self.tenant = tenant

    def live_and_die(self, at, monkeypatch):
        """Die at call `at` of the first life and of the second; returns where, and the calls of the last life."""
        where = []
        for life in range(MOST_LIVES):
            fuse = Fuse(at if life < 2 else None)
            is_over = False
            with fused(fuse, monkeypatch):
                is_over = Life(self.account, self.operator, fuse, self.lane).live(self.run)
            where.append(fuse.death)
            if is_over:
                return where, fuse.calls
        raise AssertionError(f"not completed after {where}: {self.states()}")

    def states(self):
        with tenant_scope(self.tenant.pk):
            return dict(Message.objects.filter(run=self.run).values_list("pk", "state"))

    def find_faults(self, deaths):
        states = self.states()
        taken = self.operator.list_taken()
        faults = [str(v) for v in check_engine_now(self.operator.journal)]
        faults += [
            f"{pk} was taken and is {state}" for pk, state in states.items() if pk in taken and state != "delivered"
        ]
        open_ones = {"rejected", "suppressed", "unconfirmed"}
        faults += [
            f"{pk} was not taken and is {s}" for pk, s in states.items() if pk not in taken and s not in open_ones
        ]
        unconfirmed = sum(state == "unconfirmed" for state in states.values())
        if unconfirmed > deaths * STRIDE:
            faults.append(f"{unconfirmed} unconfirmed after {deaths} deaths")
        return faults


def check_engine_now(journal):
    with platform_scope(reason="test"):
        return check_journal(journal) + check_engine()


@pytest.mark.slow
@pytest.mark.parametrize("lane", PLACES, ids=lambda lane: lane.name.lower())
def test_dying_at_every_io_call(tenant, monkeypatch, lane):
    """S1–S4, R1, R2, M1–M6: whatever was the last thing the process did, its heirs neither repeat nor forget."""
    monkeypatch.setattr(settings, "ENGINE_UNKNOWN_SECONDS", 3600)
    with tenant_scope(tenant.pk):
        record_opt_out(tenant_id=tenant.pk, msisdn="+905300000004", source="manual", reason="")
    whole = Case(tenant, 0, lane)
    _, calls = whole.live_and_die(None, monkeypatch)
    assert whole.find_faults(0) == []
    assert sorted(set(whole.states().values())) == ["delivered", "rejected", "suppressed"]
    assert calls > 60
    faults, places = {}, set()
    for at in range(1, calls + 1):
        case = Case(tenant, at, lane)
        where, _ = case.live_and_die(at, monkeypatch)
        places.update(filter(None, where))
        found = case.find_faults(sum(map(bool, where)))
        if found:
            faults[at, tuple(where)] = found[:5]
    assert faults == {}
    for expected in PLACES[lane]:
        assert any(expected in place for place in places), expected
    print(f"{calls} I/O calls in one life, {len(places)} different places to die")
    with platform_scope(reason="test"):
        assert not SendRun.objects.exclude(state="completed").exists()
