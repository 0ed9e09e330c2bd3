"""Figures of connections: counted by slots, added up in five minutes, judged by a sweep that tells people once."""

from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.scope import platform_scope, tenant_scope
from gateways.models import ConnectionCheck, ConnectionFigures, ConnectionIncident, GatewayAccount, LinkStatus
from gateways.selectors.connections import list_buckets, list_health
from gateways.services.alarms import judge_connections, tell_people
from gateways.types import OutcomeKind, SubmitOutcome
from messaging.dispatch.pulse import Pulse
from messaging.scope import engine_scope
from messaging.services.health import PulseFigures, SlotPulse, record_pulses, record_queues
from messaging.tasks import sweep_health
from tests.engine_runs import make_rows, make_run

from .engine import HandSlot


def pulse(account, state="up", code="", slot=0, **figures):
    with engine_scope(reason="test"):
        record_pulses([SlotPulse(account.pk, slot, state, code, PulseFigures(**figures))])


def health(account):
    with platform_scope(reason="test"):
        account.refresh_from_db()
        return list_health([account])[0]


def incidents(*, is_open=True):
    with platform_scope(reason="test"):
        return [i.kind for i in ConnectionIncident.objects.filter(closed_at__isnull=is_open).order_by("pk")]


@pytest.fixture
def own(cast):
    """Ayşe's own connection."""
    with tenant_scope(cast.butik.pk):
        account = GatewayAccount(name="Kendi hattımız", adapter="smpp", tenant=cast.butik)
        account.save()
    return account


@pytest.fixture
def staff(db):
    return User.objects.create_superuser("staff@example.com", None)


def test_a_slot_counts_kinds_and_times_one_message():
    counted = Pulse()

    class Written:
        token = 7

    counted.note_written([Written()])
    outcomes = [SubmitOutcome(n, OutcomeKind.ACCEPTED) for n in (5, 6, 7)] + [SubmitOutcome(8, OutcomeKind.REJECTED)]
    counted.note_answers([*outcomes, SubmitOutcome(9, OutcomeKind.ACCEPTED, late=True)])
    counted.note_events(4)
    figures = counted.take()
    assert (figures.accepted, figures.rejected, figures.answer_samples, figures.events) == (3, 1, 1, 4)
    assert counted.take() == PulseFigures()


def test_figures_add_up_by_five_minutes_and_slot(account):
    pulse(account, accepted=90, rejected=10, answer_ms_sum=300, answer_ms_most=200, answer_samples=3)
    pulse(account, accepted=10, answer_ms_sum=100, answer_ms_most=100, answer_samples=1, events=2)
    pulse(account, slot=1, unknown=5)
    recent = health(account).recent
    assert (recent.accepted, recent.refused, recent.unknown, recent.answer_ms) == (100, 10, 5, 100)
    assert recent.last_receipt_at is not None
    assert recent.success == pytest.approx(100 / 115)
    with platform_scope(reason="test"):
        buckets = list_buckets(account, hours=1)
        assert LinkStatus.objects.count() == 2
    assert len(buckets) == 12
    assert buckets[-1]["accepted"] + buckets[-2]["accepted"] == 100


@pytest.mark.parametrize(
    ("state", "fields", "expected", "light"),
    [
        ("up", {}, "up", "good"),
        ("stopped", {}, "stopped", "bad"),
        ("down", {}, "down", "warn"),
        ("held", {}, "held", "warn"),
        ("up", {"is_active": False}, "off", "off"),
        ("up", {"maintenance_from": timezone.now() - timedelta(minutes=1)}, "maintenance", "warn"),
    ],
)
def test_the_light(account, state, fields, expected, light):
    pulse(account, state=state)
    with platform_scope(reason="test"):
        GatewayAccount.objects.filter(pk=account.pk).update(**fields)
    found = health(account)
    assert (found.state, str(found.light)) == (expected, light)


@pytest.mark.parametrize(
    ("adapter", "is_ok", "accepted", "expected"),
    [
        ("netgsm", False, 0, "failing"),
        ("netgsm", True, 0, "up"),
        ("netgsm", False, 5, "up"),
        ("smpp", False, 0, "up"),
    ],
    ids=["a failed test knows more", "a passed test", "messages know more still", "a bind is proof"],
)
def test_a_failed_test_counts_where_a_link_proves_nothing(account, adapter, is_ok, accepted, expected):
    with platform_scope(reason="test"):
        GatewayAccount.objects.filter(pk=account.pk).update(adapter=adapter)
        ConnectionCheck.objects.create(
            gateway_account=account,
            tenant=account.tenant,
            asked_at=timezone.now(),
            state="done",
            is_ok=is_ok,
            code="30",
        )
    pulse(account, accepted=accepted)
    found = health(account)
    assert (found.state, found.code) == (expected, "30" if expected == "failing" else "")
    assert (str(found.light) == "bad") == (expected == "failing")


def test_a_link_that_fell_silent_has_no_sender(account):
    pulse(account)
    with platform_scope(reason="test"):
        LinkStatus.objects.update(seen_at=timezone.now() - timedelta(minutes=2))
    assert health(account).state == "silent"


def test_the_sweep_counts_what_waits(account, funded):
    make_run(funded, account, make_rows(10))
    slot = HandSlot(account).open()
    slot.send_all()
    make_run(funded, account, make_rows(7, start=100))
    with engine_scope(reason="test"):
        record_queues()
        record_queues()
    assert health(account).recent.waiting == 7


def test_one_mail_when_the_login_is_refused_and_one_when_it_works_again(cast, own):
    for state in ("refused", "connecting", "stopped", "stopped"):
        pulse(own, state=state, code="0x0000000e")
        sweep_health()
    assert incidents() == ["login"]
    assert [m.to for m in mail.outbox] == [[cast.ayse.email]]
    assert "0x0000000e" in mail.outbox[0].body
    assert str(own.public_id) in mail.outbox[0].body
    pulse(own, state="up")
    sweep_health()
    sweep_health()
    assert (incidents(), incidents(is_open=False)) == ([], ["login"])
    assert len(mail.outbox) == 2


def test_the_platforms_trouble_concerns_its_staff_only(account, cast, staff):
    pulse(account, accepted=10, rejected=30)
    sweep_health()
    assert incidents() == ["refusals"]
    assert [m.to for m in mail.outbox] == [["staff@example.com"]]
    pulse(account, accepted=1000)
    sweep_health()
    assert incidents() == []
    assert len(mail.outbox) == 2


def test_few_answers_prove_nothing(account, staff):
    pulse(account, rejected=10)
    sweep_health()
    assert incidents() == []


def test_reports_that_never_come(account, staff):
    pulse(account, accepted=100)
    with platform_scope(reason="test"):
        ConnectionFigures.objects.update(bucket=timezone.now() - timedelta(minutes=45))
    sweep_health()
    assert incidents() == ["receipts"]
    pulse(account, events=1)
    sweep_health()
    assert incidents() == []


def test_who_switches_off_needs_no_mail(own, cast):
    pulse(own, state="refused")
    sweep_health()
    with platform_scope(reason="test"):
        GatewayAccount.objects.update(is_active=False)
    sweep_health()
    assert incidents() == []
    assert len(mail.outbox) == 1


def test_a_mail_that_fails_is_tried_again(own, cast, monkeypatch):
    def fail(*_args, **_kwargs):
        raise ConnectionRefusedError

    pulse(own, state="refused")
    judge_connections()
    with monkeypatch.context() as patch:
        patch.setattr("gateways.services.alarms.send_mail", fail)
        assert tell_people() == 0
    assert tell_people() == 1
    assert tell_people() == 0


def test_who_can_act_sees_a_banner(own, account, cast, staff):
    pulse(own, state="refused")
    pulse(account, state="stopped")
    judge_connections()
    page = reverse("reporting:dashboard")
    assert "Kendi hattımız" in cast.client(cast.ayse).get(page).content.decode()
    assert "Operator" not in cast.client(cast.ayse).get(page).content.decode()
    assert "Kendi hattımız" not in cast.client(cast.burak).get(page).content.decode()
    cast.ayse.is_staff = True
    cast.ayse.save(update_fields=["is_staff"])
    assert "<strong>Operator</strong>" in cast.client(cast.ayse).get(page).content.decode()
