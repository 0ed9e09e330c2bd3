"""W4: a database that was put back, or is another one, is sent by only when somebody has said what is missing."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.models import AuditEntry
from accounts.scope import platform_scope, tenant_scope
from billing.selectors import get_balance
from messaging.dispatch.database import is_away
from messaging.models import DatabaseIdentity, Message, SendRun
from messaging.scope import engine_scope
from messaging.selectors import Stall, find_doubt, find_stall, get_run_totals, is_history_missing
from messaging.selectors.doubt import REPLACED, RESTORED, SAID
from messaging.services import cancel_send_run, pause_send_run
from messaging.services.express import declare_express
from messaging.services.intents import Stride
from messaging.services.restore import NotInDoubt, confirm_database, doubt_database, recognise_database
from messaging.tasks import sweep_runs
from tests.engine_runs import make_rows, make_run

from .engine import HandSlot

pytestmark = pytest.mark.usefixtures("checked_books")


@pytest.fixture(autouse=True)
def nobody_rings(monkeypatch):
    monkeypatch.setattr("messaging.tasks.ring_all_senders.delay", lambda: None)


@pytest.fixture
def slot(account):
    recognise()
    return HandSlot(account).open()


@pytest.fixture
def staff(cast):
    cast.deniz.is_staff = True
    cast.deniz.save()
    return cast.deniz


def recognise():
    with engine_scope(reason="test"):
        return recognise_database()


def forge(**fields):
    """As if another history had been confirmed: what a restore or a fail-over leaves."""
    with platform_scope(reason="test"):
        assert DatabaseIdentity.objects.update(**fields) == 1


def confirm(actor, since=None):
    with engine_scope(reason="test"):
        return confirm_database(actor=actor, since=since)


def move(service, run):
    with tenant_scope(run.tenant_id):
        assert service(run_id=run.pk, tenant_id=run.tenant_id)


def minutes_ago(minutes):
    return timezone.now() - timedelta(minutes=minutes)


def states(run):
    with tenant_scope(run.tenant_id):
        return {state: c.messages for state, c in get_run_totals(run).by_state.items() if c.messages}


def test_a_database_that_was_never_asked_confirms_itself(db):
    assert recognise() is None
    with platform_scope(reason="test"):
        first = DatabaseIdentity.objects.get()
    assert (first.timeline, first.doubted_at) == (1, None) and first.system_identifier > 0
    assert recognise() is None, "the same one, after a crash as well"
    with platform_scope(reason="test"):
        assert DatabaseIdentity.objects.get().confirmed_at == first.confirmed_at


@pytest.mark.parametrize(
    ("change", "cause"),
    [({"timeline": 7}, RESTORED), ({"system_identifier": 42}, REPLACED)],
    ids=["timeline", "system"],
)
def test_another_history_is_a_doubt_with_a_time(slot, change, cause):
    forge(**change)
    with platform_scope(reason="test"):
        assert find_doubt().since is None, "nobody has written it down"
    doubt = recognise()
    assert (doubt.cause, doubt.since is not None) == (cause, True)
    assert recognise() == doubt, "it is written down once"


def test_a_restore_while_in_doubt_is_a_doubt_of_its_own(slot):
    """What began after the first doubt may have been sent after it was cleared, in the history that is gone now."""
    forge(timeline=7)
    first = recognise()
    forge(doubted_cluster="1/5")
    assert recognise().since > first.since


def test_nothing_is_claimed_or_declared_in_doubt(slot, account, funded):
    """The statements themselves return nothing: nobody has to have noticed."""
    run = make_run(funded, account, make_rows(6))
    (batch,) = slot.claim()
    forge(timeline=7)
    make_run(funded, account, make_rows(1, start=200), priority=SendRun.Priority.OTP)
    assert slot.intend(Stride(batch.batch_id, 0, 6)) == []
    assert slot.claim() == []
    assert express(slot) == []
    assert states(run) == {"queued": 6}
    forge(timeline=1)
    assert len(slot.intend(Stride(batch.batch_id, 0, 6))) == 6
    assert len(express(slot)) == 1


def express(slot):
    with engine_scope(reason="test"):
        return declare_express(session_id=slot.session_id, gateway_account_id=slot.account.pk, limit=5)


def read_reserved(tenant):
    with tenant_scope(tenant.pk):
        return get_balance(tenant.pk).reserved


def test_what_may_have_been_sent_is_never_sent_again(slot, account, funded, staff):
    rows = 10
    running = make_run(funded, account, make_rows(rows))
    paused = make_run(funded, account, make_rows(rows))
    cancelled = make_run(funded, account, make_rows(rows))
    ready = make_run(funded, account, make_rows(rows), start=False)
    answered = slot.intend(Stride(slot.claim(limit=1)[0].batch_id, 0, 4))
    slot.accept(answered[:3])
    move(pause_send_run, paused)
    reserved = read_reserved(funded)
    forge(timeline=7)
    recognise()
    move(cancel_send_run, cancelled)  # by somebody who does not know
    later = make_run(funded, account, make_rows(rows))

    done = confirm(staff, since=minutes_ago(10))

    assert done == (7 + rows + rows, 3)
    assert states(running) == {"accepted": 3, "unknown": 7}
    assert states(paused) == states(cancelled) == {"unknown": rows}
    assert states(ready) == states(later) == {"queued": rows}
    assert read_reserved(funded) == reserved + rows, "receipts or 72 hours decide about the credits"
    with tenant_scope(funded.pk):
        assert set(Message.objects.filter(run=paused).values_list("reason", flat=True)) == {"restored"}
    assert {b.run_id for b in slot.claim()} == {later.pk}, "what began since goes on"
    assert find_doubt_now() is None


def find_doubt_now():
    with platform_scope(reason="test"):
        return find_doubt()


def test_answers_that_come_late_heal(slot, account, funded, staff):
    run = make_run(funded, account, make_rows(5))
    messages = slot.send_all()
    forge(timeline=7)
    confirm(staff, since=minutes_ago(10))
    assert states(run) == {"unknown": 5}
    slot.accept(messages[:2])
    assert states(run) == {"unknown": 3, "accepted": 2}


def test_a_clean_switch_goes_on_where_it_was(slot, account, funded, staff):
    run = make_run(funded, account, make_rows(5))
    forge(system_identifier=42)
    assert confirm(staff) == (0, 0)
    assert states(run) == {"queued": 5}
    assert len(slot.send_all()) == 5
    assert not is_history_missing(timezone.now())


def test_only_a_doubt_is_confirmed(slot, staff):
    with pytest.raises(NotInDoubt):
        confirm(staff)


def test_a_copy_is_put_in_doubt_by_hand(slot, account, funded, staff):
    make_run(funded, account, make_rows(5))
    with engine_scope(reason="test"):
        doubt_database(actor=staff)
    assert recognise().cause == SAID
    assert slot.claim() == []
    assert confirm(staff, since=minutes_ago(10)).messages == 5
    with platform_scope(reason="test"):
        trail = list(AuditEntry.objects.filter(tenant=None, action__startswith="database.").order_by("pk"))
    assert [(entry.action, entry.actor) for entry in trail] == [
        ("database.doubted", staff),
        ("database.confirmed", staff),
    ]
    assert (trail[1].data["messages"], trail[1].data["runs"]) == (5, 1)


def test_nothing_is_decided_about_the_queued_in_doubt(slot, account, funded):
    """A run that is cancelled, or past its deadline: its messages may be with their recipients."""
    cancelled, overdue = (make_run(funded, account, make_rows(5)) for _ in range(2))
    move(cancel_send_run, cancelled)
    with tenant_scope(funded.pk):
        SendRun.objects.filter(pk=overdue.pk).update(deadline_at=minutes_ago(1))
    forge(timeline=7)
    sweep_runs()
    assert states(cancelled) == states(overdue) == {"queued": 5}
    forge(timeline=1, doubted_at=None)
    sweep_runs()
    assert (states(cancelled), states(overdue)) == ({"cancelled": 5}, {"failed": 5})


def test_a_run_that_waits_for_it_says_so(slot, account, funded):
    run = make_run(funded, account, make_rows(5))
    with tenant_scope(funded.pk):
        SendRun.objects.filter(pk=run.pk).update(state_changed_at=minutes_ago(5))
        run.batches.update(not_before=minutes_ago(5))
        run.refresh_from_db()
    forge(timeline=7)
    assert find_stall(run) == Stall("database_in_doubt")


def test_ids_of_messages_that_are_gone_are_not_given_again(slot, account, funded, staff):
    """Providers may know one of them, and tell of it later."""
    before = first_message(make_run(funded, account, make_rows(1)))
    forge(timeline=7)
    confirm(staff, since=minutes_ago(10))
    assert first_message(make_run(funded, account, make_rows(1))) > before + 1_000_000


def first_message(run):
    with tenant_scope(run.tenant_id):
        return Message.objects.filter(run=run).values_list("pk", flat=True).first()


def test_a_database_that_is_being_restored_is_away(slot):
    """It answers, and takes no writes: what came is kept for later, not given up as unstorable."""
    with pytest.raises(DatabaseError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL transaction_read_only = on")
        cursor.execute("UPDATE messaging_sendrun SET state = state")
    assert is_away(caught.value)


class TestCommands:
    def test_it_tells_what_is_at_stake_and_changes_nothing(self, slot, account, funded, staff, capsys):
        run = make_run(funded, account, make_rows(5))
        forge(timeline=7)
        with pytest.raises(SystemExit):
            call_command("confirm_database")
        told = capsys.readouterr().out
        assert f"run {run.pk}  Ayşe Butik  running" in told and "5 messages are queued in 1 runs" in told
        assert "--since TIME" in told and "--nothing-lost" in told and "new timeline" in told
        assert find_doubt_now() is not None and states(run) == {"queued": 5}

    def test_it_confirms_for_somebody(self, slot, account, funded, staff, capsys):
        run = make_run(funded, account, make_rows(5))
        forge(timeline=7)
        for wrong in ({}, {"by": "ayse@example.com"}, {"by": staff.email, "since": "yesterday"}):
            with pytest.raises(CommandError):
                call_command("confirm_database", **{"since": "2026-01-01T10:00", **wrong})
        with pytest.raises(CommandError, match="yet to come"):
            call_command("confirm_database", since=(timezone.now() + timedelta(hours=1)).isoformat(), by=staff.email)
        assert find_doubt_now() is not None
        call_command("confirm_database", since=minutes_ago(10).isoformat(), by=staff.email)
        assert "5 messages of 1 runs" in capsys.readouterr().out
        assert find_doubt_now() is None and states(run) == {"unknown": 5}
        assert is_history_missing(minutes_ago(5)) and not is_history_missing(minutes_ago(11))
        call_command("confirm_database")
        assert "nothing to do" in capsys.readouterr().out

    def test_doubt(self, slot, staff):
        with pytest.raises(CommandError):
            call_command("doubt_database", by="ayse@example.com")
        call_command("doubt_database", by=staff.email)
        assert find_doubt_now().cause == SAID
