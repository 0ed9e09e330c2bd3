"""Several walkers on one audience: shares, deaths, edits, cancels, on real connections."""

import contextlib
import threading
import time
from itertools import count

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.scope import tenant_scope
from campaigns import tasks
from campaigns.models import AudienceStretch, Campaign
from campaigns.services import snapshot as snapshot_service
from campaigns.services.audience import prepare_audience
from campaigns.services.control import cancel_campaign
from campaigns.services.drafts import save_draft
from campaigns.services.recipients import sort_recipients
from campaigns.services.snapshot import begin_walk, walk_audience
from contacts.models import Contact
from messaging.models import Message, SendRun

from .funnel import check_funnel
from .test_concurrency import run_together

pytestmark = pytest.mark.django_db(transaction=True)


class Crash(Exception):
    """A worker died here."""


def start(shop, contacts: int, **changes) -> Campaign:
    shop.add_contacts(contacts)
    campaign = shop.draft(**changes)
    with tenant_scope(shop.pk):
        prepare_audience(campaign=campaign, version=1, actor=shop.cast.ayse)
    return campaign


def walker(shop, campaign, **options):
    return lambda: walk_audience(campaign_id=campaign.pk, tenant_id=shop.pk, chunk_size=10, **options)


def test_walkers_take_different_stretches_at_the_same_time(shop, monkeypatch):
    campaign = start(shop, 100)
    met = threading.Barrier(2, timeout=10)
    first_two = count()

    def sort_together(plan, contacts):
        # Passed only if two chunks are open at once.
        if next(first_two) < 2:
            met.wait()
        return sort_recipients(plan, contacts)

    monkeypatch.setattr(snapshot_service, "sort_recipients", sort_together)
    assert run_together(walker(shop, campaign), walker(shop, campaign)) == [True, True]
    assert check_funnel(shop, campaign).message_count == 100


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], print_blob=True)
@given(deaths=st.lists(st.integers(0, 30), min_size=1, max_size=6))
def test_deaths_of_walkers_lose_and_repeat_nobody(shop, deaths, monkeypatch):
    """Each of three walkers dies where it may, with its rows written and uncommitted; the next goes on."""
    start_at = next(STARTS)
    group = shop.make_group(f"Liste {start_at}")
    shop.add_contacts(200, group, start=start_at)
    campaign = shop.draft(include_group_ids=frozenset([group.pk]))
    with tenant_scope(shop.pk):
        prepare_audience(campaign=campaign, version=1, actor=shop.cast.ayse)
    steps, original = count(), snapshot_service._add_figures

    def die(*args):
        original(*args)
        if next(steps) in deaths:
            raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(snapshot_service, "_add_figures", die)
        run_together(*[walker(shop, campaign)] * 3)
    assert walker(shop, campaign)() is True
    assert check_funnel(shop, campaign).message_count == 200


STARTS = count(0, 1000)


def test_who_waits_for_a_stretch_goes_on_when_its_holder_dies(shop, monkeypatch):
    campaign = start(shop, 10)  # one stretch
    holding = threading.Event()

    def hold_and_die(plan, contacts):
        holding.set()
        time.sleep(0.3)
        monkeypatch.undo()
        raise Crash

    def follow():
        holding.wait(5)
        return walker(shop, campaign)()

    monkeypatch.setattr(snapshot_service, "sort_recipients", hold_and_die)
    died, walked = run_together(walker(shop, campaign), follow)
    assert isinstance(died, Crash)
    assert walked is True
    assert check_funnel(shop, campaign).message_count == 10


def test_an_edit_comes_through_between_walkers_without_a_pause(shop, monkeypatch):
    campaign = start(shop, 400)

    def sort_slowly(plan, contacts):
        time.sleep(0.05)
        return sort_recipients(plan, contacts)

    def edit():
        time.sleep(0.2)
        started = time.monotonic()
        with tenant_scope(shop.pk):
            save_draft(campaign=campaign, version=1, actor=shop.cast.burak, text="Yeni metin")
        return time.monotonic() - started

    monkeypatch.setattr(snapshot_service, "sort_recipients", sort_slowly)
    *walked, waited = run_together(walker(shop, campaign), walker(shop, campaign), edit)
    assert walked == [False, False]
    assert waited < 1
    assert shop.reload(campaign).status == "draft"
    assert shop.prepare(shop.reload(campaign), chunk_size=50)
    assert check_funnel(shop, campaign).message_count == 400


def test_a_cancel_during_the_walk_leaves_nothing(shop):
    campaign = start(shop, 200)

    def cancel():
        with tenant_scope(shop.pk):
            return cancel_campaign(campaign=campaign, actor=shop.cast.ayse).status

    *_walked, status = run_together(walker(shop, campaign), walker(shop, campaign), cancel)
    assert status == "cancelled"
    with tenant_scope(shop.pk):
        assert not Message.objects.exists()
        assert not AudienceStretch.objects.exists()
        assert {run.state for run in SendRun.objects.all()} <= {"discarded"}


def test_a_number_that_moves_during_the_walk_is_written_once(shop):
    campaign = start(shop, 30)
    moved = []

    def move_number():
        if not moved:
            with tenant_scope(shop.pk):
                first, last = Contact.objects.order_by("pk").first(), Contact.objects.order_by("pk").last()
                moved.append(first.msisdn)
                Contact.objects.filter(pk=first.pk).update(msisdn="+905559999999")
                Contact.objects.filter(pk=last.pk).update(msisdn=moved[0])

    assert walker(shop, campaign, on_chunk=move_number)()
    snapshot = check_funnel(shop, campaign)
    assert snapshot.excluded_counts == {"duplicate": 1}
    with tenant_scope(shop.pk):
        assert Message.objects.filter(msisdn=moved[0]).count() == 1


def test_a_time_slice_ends_and_the_next_goes_on(shop):
    campaign = start(shop, 50)
    slices = 0
    while walker(shop, campaign, seconds=0.0)() is None:
        slices += 1
        assert slices < 100
    assert slices > 1
    assert check_funnel(shop, campaign).message_count == 50


def test_the_task_calls_for_help_once_and_rings_again(shop, monkeypatch):
    campaign = start(shop, 10)
    rung = []
    monkeypatch.setattr(tasks.walk_audience, "delay", lambda **options: rung.append(options["calls_help"]))
    monkeypatch.setattr(snapshot_service, "CHUNK", 2)
    key = {"campaign_id": campaign.pk, "tenant_id": shop.pk}
    begin_walk(**key, chunk_size=2)
    monkeypatch.setattr(tasks, "SLICE_SECONDS", -1.0)
    tasks.walk_audience(**key)
    assert rung == [False] * tasks.WALKERS  # the helpers, and its own next slice
    monkeypatch.setattr(tasks, "SLICE_SECONDS", 60.0)
    tasks.walk_audience(**key, calls_help=False)
    assert rung == [False] * tasks.WALKERS
    with contextlib.closing(connection):
        assert check_funnel(shop, campaign).message_count == 10
