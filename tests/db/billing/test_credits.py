from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.scope import platform_scope, tenant_scope
from billing.models import CreditAccount, LedgerEntry
from billing.selectors import get_balance, list_ledger
from billing.services import (
    NotEnoughCredits,
    ReferenceReused,
    Settlement,
    hold_credits,
    open_credit_account,
    settle_credits,
    top_up_credits,
    transfer_credits,
)

D = Decimal


def top_up(tenant, amount, reference="r1"):
    return top_up_credits(tenant=tenant, amount=D(amount), reference=reference, actor=None)


def settle(kind, tenant, amount, reference, *, run=7, count=1):
    """As the engine does, of one run: capture or release."""
    return settle_credits([Settlement(tenant.pk, run, kind, D(amount), count, reference)]) == 1


def balance(tenant):
    with tenant_scope(tenant.pk):
        return get_balance(tenant.pk)


def check_books():
    """M1, M2 and M3."""
    with platform_scope(reason="test"), connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.kind, a.available, a.reserved, coalesce(sum(e.available_delta), 0),"
            " coalesce(sum(e.reserved_delta), 0)"
            " FROM billing_creditaccount a LEFT JOIN billing_ledgerentry e ON e.account_id = a.id GROUP BY a.id"
        )
        rows = cursor.fetchall()
        cursor.execute(
            "SELECT count(*) FROM (SELECT 1 FROM billing_ledgerentry GROUP BY transaction_id"
            " HAVING sum(available_delta + reserved_delta) <> 0) x"
        )
        assert cursor.fetchone() == (0,)
    for kind, available, reserved, available_sum, reserved_sum in rows:
        assert (available, reserved) == (available_sum, reserved_sum)
        assert reserved >= 0
        assert available >= 0 or kind == "issued"
    assert sum(r[1] + r[2] for r in rows) == 0


def test_a_transfer_under_a_reference_of_the_takers_loses_nothing(cast):
    """Two givers, one taker, one reference and one amount: the second is refused, not swallowed."""
    top_up(cast.ajans, 100)
    top_up(cast.rakip, 100)
    assert transfer_credits(from_tenant=cast.ajans, to_tenant=cast.butik, amount=D(40), reference="bonus", actor=None)
    with pytest.raises(ReferenceReused):
        transfer_credits(from_tenant=cast.rakip, to_tenant=cast.butik, amount=D(40), reference="bonus", actor=None)
    assert balance(cast.rakip) == (100, 0)
    assert balance(cast.butik) == (40, 0)
    check_books()


def test_top_up_happens_once_per_reference(cast):
    assert top_up(cast.butik, 500)
    assert not top_up(cast.butik, 500)
    assert balance(cast.butik) == (500, 0)
    with pytest.raises(ReferenceReused):
        top_up(cast.butik, 600)
    check_books()


@pytest.mark.parametrize("amount", [D(0), D(-5)])
def test_amounts_must_be_positive(cast, amount):
    with pytest.raises(ValueError, match="more than 0"):
        top_up_credits(tenant=cast.butik, amount=amount, reference="x", actor=None)


def test_hold_capture_release(cast):
    top_up(cast.butik, 100)
    with tenant_scope(cast.butik.pk):
        assert hold_credits(tenant_id=cast.butik.pk, run_id=7, amount=D(80))
        assert not hold_credits(tenant_id=cast.butik.pk, run_id=7, amount=D(80))
        assert get_balance(cast.butik.pk) == (20, 80)
    with platform_scope(reason="test"):
        assert settle("capture", cast.butik, 50, "run:7:c1", count=5)
        assert not settle("capture", cast.butik, 50, "run:7:c1", count=5)
        assert settle("release", cast.butik, 30, "run:7:r1", count=3)
    assert balance(cast.butik) == (50, 0)
    with tenant_scope(cast.butik.pk):
        assert [(t.kind, t.available_delta, t.reserved_delta) for t in list_ledger(cast.butik.pk)] == [
            ("release", 30, -30),
            ("capture", 0, -50),
            ("hold", -80, 80),
            ("top_up", 100, 0),
        ]
    check_books()


def test_a_hold_beyond_the_balance_changes_nothing(cast):
    top_up(cast.butik, 10)
    with tenant_scope(cast.butik.pk), pytest.raises(NotEnoughCredits) as raised:
        hold_credits(tenant_id=cast.butik.pk, run_id=1, amount=D(11))
    assert (raised.value.available, raised.value.needed) == (10, 11)
    assert balance(cast.butik) == (10, 0)
    with tenant_scope(cast.butik.pk):
        assert hold_credits(tenant_id=cast.butik.pk, run_id=1, amount=D(10))
    check_books()


def test_more_than_is_held_cannot_be_resolved(cast):
    top_up(cast.butik, 10)
    with tenant_scope(cast.butik.pk):
        hold_credits(tenant_id=cast.butik.pk, run_id=1, amount=D(5))
    with pytest.raises(NotEnoughCredits), platform_scope(reason="test"):
        settle("capture", cast.butik, 6, "c", run=1)
    assert balance(cast.butik) == (5, 5)
    check_books()


def test_a_transfer_shows_on_both_sides(cast):
    top_up(cast.ajans, 100)
    args = {"from_tenant": cast.ajans, "to_tenant": cast.butik, "amount": D(40), "actor": cast.deniz}
    assert transfer_credits(**args, reference="t1")
    assert not transfer_credits(**args, reference="t1")
    assert (balance(cast.ajans), balance(cast.butik)) == ((60, 0), (40, 0))
    for tenant, change in ((cast.ajans, -40), (cast.butik, 40)):
        with tenant_scope(tenant.pk):
            assert list_ledger(tenant.pk).first().available_delta == change
    with pytest.raises(NotEnoughCredits):
        transfer_credits(**{**args, "amount": D(61)}, reference="t2")
    check_books()


def test_ledger_lines_cannot_be_changed(cast):
    top_up(cast.butik, 1)
    with platform_scope(reason="test"):
        entry = LedgerEntry.objects.first()
        for change in (lambda: LedgerEntry.objects.update(available_delta=5), entry.delete):
            with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
                change()


def test_another_tenants_money_is_out_of_sight(cast):
    top_up(cast.butik, 5)
    with tenant_scope(cast.rakip.pk):
        assert get_balance(cast.butik.pk) == (0, 0)
        assert list(list_ledger(cast.butik.pk)) == []


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["top_up", "transfer", "hold", "capture", "release"]),
        st.integers(0, 1),
        st.integers(1, 3),
        st.integers(1, 120),
        st.integers(1, 4),
    ),
    max_size=25,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_any_sequence_keeps_the_books(cast, steps):
    """The model is two purses in plain Python; the ledger must agree with it after every step."""
    sid = transaction.savepoint()
    tenants = (cast.butik, cast.ajans)
    model = {t.pk: [D(0), D(0)] for t in tenants}
    done: dict[tuple, tuple] = {}
    for tenant in tenants:
        open_credit_account(tenant)
    for kind, who, run, amount, tag in steps:
        tenant, other = tenants[who], tenants[1 - who]
        apply_step(model, done, kind, tenant, other, run, D(amount), tag)
        for t in tenants:
            assert balance(t) == tuple(model[t.pk])
    check_books()
    transaction.savepoint_rollback(sid)


def apply_step(model, done, kind, tenant, other, run, amount, tag):
    own = model[tenant.pk]
    reference = f"run:{run}:hold" if kind == "hold" else f"{kind}:{tag}"
    key, said = (tenant.pk, reference), (kind, amount)
    call = {
        "top_up": lambda: top_up(tenant, amount, reference),
        "transfer": lambda: transfer_credits(
            from_tenant=tenant, to_tenant=other, amount=amount, reference=f"{reference}:{tenant.pk}", actor=None
        ),
        "hold": lambda: hold_credits(tenant_id=tenant.pk, run_id=run, amount=amount),
        "capture": lambda: settle("capture", tenant, amount, reference, run=run),
        "release": lambda: settle("release", tenant, amount, reference, run=run),
    }[kind]
    source = {"top_up": None, "transfer": 0, "hold": 0, "capture": 1, "release": 1}[kind]
    try:
        with platform_scope(reason="test"):
            is_new = call()
    except ReferenceReused:
        assert key in done and done[key] != said
        return
    except NotEnoughCredits:
        assert key not in done and own[source] < amount
        return
    assert is_new == (key not in done)
    if not is_new:
        return
    done[key] = said
    changes = {"top_up": (1, 0), "transfer": (-1, 0), "hold": (-1, 1), "capture": (0, -1), "release": (1, -1)}[kind]
    own[0] += changes[0] * amount
    own[1] += changes[1] * amount
    if kind == "transfer":
        model[other.pk][0] += amount


@pytest.mark.django_db(transaction=True)
def test_concurrent_holds_never_overdraw(cast):
    top_up(cast.butik, 100)

    def hold(run_id: int) -> bool:
        try:
            with tenant_scope(cast.butik.pk):
                return hold_credits(tenant_id=cast.butik.pk, run_id=run_id, amount=D(7))
        except NotEnoughCredits:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        held = sum(pool.map(hold, range(32)))
    assert held == 100 // 7
    assert balance(cast.butik) == (100 - 7 * held, 7 * held)
    check_books()


@pytest.mark.django_db(transaction=True)
def test_crossing_transfers_do_not_deadlock(cast):
    for tenant in (cast.butik, cast.ajans):
        top_up(tenant, 1000)

    def transfer(number: int) -> None:
        pair = (cast.butik, cast.ajans) if number % 2 else (cast.ajans, cast.butik)
        try:
            transfer_credits(from_tenant=pair[0], to_tenant=pair[1], amount=D(1), reference=f"x{number}", actor=None)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(transfer, range(40)))
    assert balance(cast.butik) == balance(cast.ajans) == (1000, 0)
    check_books()


def test_platform_accounts_are_made_once(cast):
    top_up(cast.butik, 1)
    top_up(cast.rakip, 1)
    with platform_scope(reason="test"):
        assert CreditAccount.objects.filter(tenant=None).count() == 2
