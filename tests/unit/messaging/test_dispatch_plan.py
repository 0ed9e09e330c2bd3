import os
import subprocess
import sys

import pytest

from messaging.dispatch import identity
from messaging.dispatch.identity import is_proven_dead, name_this_process
from messaging.dispatch.in_air import InAir
from messaging.dispatch.plan import Plan
from messaging.services.claims import ClaimedBatch
from messaging.services.intents import Stride


def batch(pk, tenant, count=1000, priority=5, mark=0):
    return ClaimedBatch(pk, tenant, 1, priority, mark, count)


def make_plan(*batches, in_air=None):
    plan = Plan(InAir() if in_air is None else in_air)
    for claimed in batches:
        plan.add(claimed)
    return plan


def test_tenants_share_a_stride():
    plan = make_plan(batch(1, tenant=1), batch(2, tenant=2), batch(3, tenant=3, count=10))
    strides = plan.take_strides(100)
    assert sum(s.upto - s.mark for s in strides) == 100
    assert {s.batch_id: s.upto for s in strides}[3] == 10
    assert min(s.upto for s in strides if s.batch_id != 3) >= 30


def test_urgent_messages_take_all_of_it():
    plan = make_plan(batch(1, tenant=1), batch(2, tenant=2, priority=0))
    assert plan.take_strides(50) == [Stride(2, 0, 50)]


def test_the_round_goes_on_where_it_stopped():
    plan = make_plan(*(batch(n, tenant=n) for n in range(1, 6)))
    order = [plan.take_strides(1)[0].batch_id for _ in range(10)]
    assert order == [1, 2, 3, 4, 5] * 2


def test_a_stride_runs_over_batches():
    plan = make_plan(batch(1, tenant=1, count=30), batch(2, tenant=1, count=1000, mark=5))
    assert plan.take_strides(100) == [Stride(1, 0, 30), Stride(2, 5, 75)]


def test_what_was_given_up_gets_no_further_stride():
    plan = make_plan(batch(1, tenant=1))
    (stride,) = plan.take_strides(10)
    plan.give_up(1, stride.mark)
    assert plan.take_strides(10) == []
    assert plan.pop_over() == {1: 0}
    assert plan.remaining == 0


def test_a_batch_in_the_air_keeps_its_lease():
    in_air = InAir()
    plan = make_plan(batch(1, tenant=1, count=10), in_air=in_air)
    plan.take_strides(10)
    in_air.add(1, [7])
    assert plan.pop_over() == {}
    in_air.remove([(7, 1)])
    assert plan.pop_over() == {1: 10}


def test_a_process_is_dead_only_with_proof():
    here = name_this_process()
    assert not is_proven_dead(here)
    head, _, start = here.rsplit(".", 2)
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    child.wait()
    assert is_proven_dead(f"{head}.{child.pid}.{start}")
    assert is_proven_dead(f"{head}.{os.getpid()}.{int(start) - 1}")  # the pid belongs to somebody else now
    elsewhere = here.split(".")
    elsewhere[1] = "other-host"
    assert not is_proven_dead(".".join(elsewhere))


def test_a_copy_of_a_machine_proves_nothing(tmp_path, monkeypatch):
    """Same name, same number of namespace, no such process here; nor does the machine itself after a new start."""
    here = name_this_process()
    gone = f"{here.rsplit('.', 2)[0]}.{os.getpid()}.1"
    assert is_proven_dead(gone)
    boot = tmp_path / "boot_id"
    monkeypatch.setattr(identity, "BOOT_ID", boot)
    boot.write_text("5b1c0000-0000-0000-0000-000000000000\n")
    assert name_this_process() != here and not is_proven_dead(gone)
    boot.unlink()
    assert not is_proven_dead(gone) and not is_proven_dead(name_this_process())


@pytest.mark.parametrize("name", ["", "test", "senders.x", "a.b.c.d.e.f"])
def test_strange_names_prove_nothing(name):
    assert not is_proven_dead(name)


def test_all_is_given_up_while_the_last_of_a_tenant_is_in_the_air():
    """The link falls after a tenant's last batch was written: there is no queue of that tenant any more."""
    in_air = InAir()
    plan = make_plan(batch(1, tenant=1, count=10), in_air=in_air)
    plan.take_strides(10)
    in_air.add(1, range(10))
    assert plan.pop_over() == {}
    plan.give_up_all()
    in_air.remove((n, 1) for n in range(10))
    assert plan.pop_over() == {1: 10}


def test_batches_that_would_come_last_go_back_first():
    plan = make_plan(*(batch(n, tenant=n) for n in range(1, 7)), batch(7, tenant=1, priority=2))
    plan.take_strides(1)  # the urgent one of tenant 1: tenants 2, 3 … are next
    plan.give_back(2)
    plan.give_back(2)  # not two more: these two are on their way
    assert [pk for pk, held in plan.batches.items() if held.is_given_up] == [1, 6]
    assert plan.pop_over() == {1: 0, 6: 0}
    plan.give_back(1)
    assert plan.pop_over() == {5: 0}
