"""Messages leave a connection that cannot take them; only what is certainly not on the wire moves (S11)."""

import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.scope import platform_scope
from gateways.base import LinkState
from gateways.models import AccountHealth, GatewayAccount, RouteRule, RouteTarget
from gateways.routing.book import create_rule
from gateways.routing.breaker import Seen
from gateways.routing.health import Health, report_health
from gateways.types import OutcomeKind, Reason, SubmitOutcome
from messaging import tasks
from messaging.dispatch.express_slot import ExpressSlot
from messaging.models import Message, MessageBatch, RouteStep, SendRun
from messaging.scope import engine_scope
from messaging.services.intents import Stride
from messaging.services.rerouting import reroute_waiting
from messaging.services.sessions import close_session
from tests.engine_runs import count_states, make_routed_run, make_rows

from .engine import HandSlot

pytestmark = pytest.mark.usefixtures("checked_books")


@pytest.fixture
def spare(account):
    with platform_scope(reason="test"):
        spare = GatewayAccount(name="Yedek", adapter="smpp", rate_per_second=1000)
        spare.save()
        create_rule(name="Türkiye", accounts=[account, spare], prefix="+90")
    return spare


def set_health(account, state, share, **fields):
    with platform_scope(reason="test"):
        AccountHealth.objects.update_or_create(
            gateway_account=account, defaults={"state": state, "share": share, **fields}
        )


def rest(account):
    set_health(account, "open", 0, cause="failures")


def reroute():
    with engine_scope(reason="test"):
        return reroute_waiting()


def list_batches(*fields):
    with platform_scope(reason="test"):
        return sorted(MessageBatch.objects.values_list(*fields))


def list_steps():
    with platform_scope(reason="test"):
        return [(s.cause, s.detail, s.gateway_account_id) for s in RouteStep.objects.order_by("pk")]


def refuse(message):
    return SubmitOutcome(message.token, OutcomeKind.DEFERRED, code="0x08", reason=Reason.SYSTEM)


def test_nothing_moves_while_all_is_well(funded, account, spare):
    make_routed_run(funded, make_rows(3))
    assert reroute() == 0
    assert list_steps() == [("decided", "", account.pk)]


def test_waiting_batches_go_to_the_next_connection(funded, account, spare):
    run = make_routed_run(funded, make_rows(1500))
    rest(account)
    assert reroute() == 2
    assert reroute() == 0
    assert list_batches("gateway_account_id", "message_count") == [(spare.pk, 500), (spare.pk, 1000)]
    assert list_steps() == [("decided", "", account.pk), ("resting", "failures", spare.pk)]
    slot = HandSlot(spare).open()
    slot.accept(slot.send_all())
    assert count_states(run) == {"accepted": 1500}


def test_what_may_be_on_the_wire_stays(funded, account, spare):
    run = make_routed_run(funded, make_rows(10))
    slot = HandSlot(account).open()
    (batch,) = slot.claim()
    sent = slot.intend(Stride(batch.batch_id, 0, 4))
    rest(account)
    assert reroute() == 0  # leased: its sender has the word
    slot.accept(sent[:1])
    with engine_scope(reason="test"):
        close_session(slot.session_id)  # the other three were never answered
    assert reroute() == 1
    assert list_batches("gateway_account_id", "state", "intent_upto", "message_count") == [
        (account.pk, "done", 4, 4),
        (spare.pk, "ready", 0, 6),
    ]
    with platform_scope(reason="test"):
        moved = Message.objects.filter(batch__gateway_account=spare)
        assert sorted(moved.values_list("position", flat=True)) == list(range(6))
        assert not set(moved.values_list("pk", flat=True)) & {m.token for m in sent}
    second = HandSlot(spare).open()
    second.accept(second.send_all())
    assert count_states(run) == {"accepted": 7, "unknown": 3}


def test_a_connection_that_was_turned_off(funded, account, spare):
    make_routed_run(funded, make_rows(2))
    with platform_scope(reason="test"):
        GatewayAccount.objects.filter(pk=account.pk).update(is_active=False)
    assert reroute() == 1
    assert list_steps()[-1] == ("inactive", "", spare.pk)


def test_no_fallback_that_cannot_carry_the_text(funded, account, spare):
    make_routed_run(funded, make_rows(2, encoding="gsm7-tr-single"))
    with platform_scope(reason="test"):
        RouteTarget.objects.filter(gateway_account=spare).update(national_tables=False)
    rest(account)
    assert reroute() == 0
    with platform_scope(reason="test"):  # added to the rule in the middle of it: helps who waits already
        RouteTarget.objects.filter(gateway_account=spare).update(national_tables=True)
    assert reroute() == 1


def set_adapter(account, adapter):
    with platform_scope(reason="test"):
        GatewayAccount.objects.filter(pk=account.pk).update(adapter=adapter)


def test_no_ucs2_to_a_fallback_that_does_not_carry_it(funded, account, spare):
    make_routed_run(funded, make_rows(2, text="Afiyet olsun 🍰", encoding="ucs2"))
    set_adapter(spare, "netgsm")
    rest(account)
    assert reroute() == 0
    set_adapter(spare, "twilio")
    assert reroute() == 1


def test_no_foreign_number_to_a_fallback_that_does_not_carry_it(funded, account, spare):
    """Turkish ones of the same rule go there, and what was said of the others lives through a move."""
    with platform_scope(reason="test"):
        third = GatewayAccount(name="Dünya", adapter="smpp", rate_per_second=1000)
        third.save()
        rule = RouteRule.objects.get()
        rule.prefix = "+"
        rule.save()
        RouteTarget(rule=rule, gateway_account=third, tier=3).save()
    set_adapter(spare, "netgsm")
    turkish = make_routed_run(funded, make_rows(2))
    foreign = make_routed_run(funded, make_rows(2, msisdn="+4915112345678")[:1])
    rest(account)
    assert reroute() == 2
    assert set(list_batches("run_id", "gateway_account_id")) == {(turkish.pk, spare.pk), (foreign.pk, third.pk)}
    set_health(account, "closed", 100)
    assert reroute() == 2, "both back at home"
    rest(account)
    rest(third)
    assert reroute() == 1
    assert set(list_batches("run_id", "gateway_account_id")) == {(turkish.pk, spare.pk), (foreign.pk, account.pk)}


def test_turkish_counted_as_ucs2_leaves_and_comes_home(funded, account, spare):
    """Its first connection carries no UCS-2 either: there are no other characters in it."""
    for connected in (account, spare):
        set_adapter(connected, "figensoft")
    make_routed_run(funded, make_rows(2, text="Işıl", encoding="ucs2"))
    rest(account)
    assert reroute() == 1
    set_health(account, "closed", 100)
    assert reroute() == 1
    assert list_steps()[-1] == ("returned", "", account.pk)


def test_a_paused_run_waits_where_it_is(funded, account, spare):
    run = make_routed_run(funded, make_rows(2))
    with platform_scope(reason="test"):
        SendRun.objects.filter(pk=run.pk).update(state="paused")
    rest(account)
    assert reroute() == 0


def test_they_come_back_one_batch_at_a_time_then_all(funded, account, spare):
    make_routed_run(funded, make_rows(3000))
    rest(account)
    assert reroute() == 3
    set_health(account, "half_open", 5)
    assert (reroute(), reroute()) == (1, 0)
    set_health(account, "closed", 100)
    assert reroute() == 2
    assert {row[0] for row in list_batches("gateway_account_id")} == {account.pk}
    assert list_steps()[-1] == ("returned", "", account.pk)


def test_refused_again_and_again_the_next_connection_gets_them(funded, account, spare):
    run = make_routed_run(funded, make_rows(3))
    slot = HandSlot(account).open()
    for _ in range(4):
        slot.answer(*(refuse(m) for m in slot.send_all()))
        with platform_scope(reason="test"), connection.cursor() as cursor:
            cursor.execute("UPDATE messaging_messagebatch SET not_before = now() WHERE state = 'ready'")
    assert list_steps()[-1] == ("refused", "", spare.pk)
    set_health(account, "closed", 100)
    assert reroute() == 0  # who refused them does not get them again
    second = HandSlot(spare).open()
    second.accept(second.send_all())
    assert count_states(run) == {"accepted": 3}
    with platform_scope(reason="test"):
        assert RouteStep.objects.latest("pk").tried == [account.pk]


def test_all_have_refused_the_ladder_goes_on_at_the_last(funded, account, spare):
    make_routed_run(funded, make_rows(1))
    slots = [HandSlot(account).open(), HandSlot(spare).open()]
    for slot in slots:
        for _ in range(4):
            slot.answer(*(refuse(m) for m in slot.send_all()))
            with platform_scope(reason="test"), connection.cursor() as cursor:
                cursor.execute("UPDATE messaging_messagebatch SET not_before = now() WHERE state = 'ready'")
    assert list_batches("state", "gateway_account_id", "attempt")[-1] == ("ready", spare.pk, 4)


def test_a_claim_does_not_take_a_batch_that_moved_away(funded, account, spare):
    make_routed_run(funded, make_rows(2))
    slot = HandSlot(account).open()
    rest(account)
    reroute()
    assert slot.claim() == []


def test_the_breaker_is_kept_in_its_row(account, settings):
    settings.ROUTING_BREAKER = {"streak": 5}
    for _ in range(2):
        with engine_scope(reason="test"):
            held, turns = report_health({account.pk: [Seen("1", "up", failed=3)]})
    assert held[account.pk].share == 0
    assert [(turn.state, turn.cause) for turn in turns] == [("open", "failures")]
    with platform_scope(reason="test"):
        row = AccountHealth.objects.get(gateway_account=account)
    assert (row.state, row.cause, row.share) == ("open", "failures", 0)


def test_the_tick_moves_them_and_rings(funded, account, spare, monkeypatch):
    make_routed_run(funded, make_rows(2))
    rest(account)
    with platform_scope(reason="test"):  # its rest is over in a day
        AccountHealth.objects.update(memory={"retry_at": time.time() + 86_400})
    rung = []
    monkeypatch.setattr(tasks, "_ring", rung.extend)
    tasks.sweep_routes()
    assert rung == [(spare.pk, 1)]


def test_the_tick_ends_a_rest(account, spare):
    rest(account)
    tasks.sweep_routes()
    with platform_scope(reason="test"):
        assert AccountHealth.objects.get(gateway_account=account).state == "half_open"


def test_passwords_leave_a_connection_that_rests_too(funded, account, spare):
    make_routed_run(funded, make_rows(1), priority=SendRun.Priority.OTP)
    written = []
    lane = ExpressSlot(
        gateway_account_id=account.pk,
        number=0,
        session_id=HandSlot(account).open().session_id,
        window=10,
        submit=written.extend,
    )
    lane.link_state = LinkState.UP
    lane.valve.set(Health("open", 0, False, 3))
    assert not lane.intend()
    rest(account)
    assert reroute() == 1
    lane.valve.set(Health("closed", 100, False, 3))
    assert not lane.intend()  # it is another connection's now
    assert written == []


def test_a_maintenance_window_is_no_time_to_wait(funded, account, spare):
    make_routed_run(funded, make_rows(2))
    with platform_scope(reason="test"):
        GatewayAccount.objects.filter(pk=account.pk).update(maintenance_from=timezone.now() - timedelta(minutes=1))
    assert reroute() == 1
    assert list_steps()[-1] == ("resting", "maintenance", spare.pk)
    assert reroute() == 0
    with platform_scope(reason="test"):
        GatewayAccount.objects.filter(pk=account.pk).update(maintenance_until=timezone.now())
    assert reroute() == 1
    assert list_steps()[-1] == ("returned", "", account.pk)
