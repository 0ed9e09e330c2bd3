"""A whole run over HTTP: the same runtime, slots and inbox as for SMPP, against Netgsm's double in one process."""

import asyncio
import queue
import re
import threading
import time
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.scope import platform_scope, tenant_scope
from accounts.services import create_tenant
from billing.services import top_up_credits
from gateways.models import GatewayAccount, PullCursor, ReceiptJob
from gateways.simulator.centre import Centre
from gateways.simulator.http_server import Reply
from gateways.simulator.providers.host import ProviderHost
from gateways.simulator.script import Script
from messaging.dispatch.runtime import SenderRuntime
from messaging.models import InboundMessage, ReceiptInbox
from messaging.selectors import get_run_totals
from messaging.services.check import check_engine
from messaging.tasks import compare_charges
from tests.engine_runs import make_rows, make_run

pytestmark = pytest.mark.django_db(transaction=True)


class Provider:
    """The simulator on an event loop of its own."""

    def __init__(self, journal, **script) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.centre, self.host, self.port = self.call(self._start(journal, script))

    async def _start(self, journal, script):
        centre = Centre(Script().changed(script), journal)
        host = ProviderHost(centre)
        return centre, host, await host.start(0)

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    def run(self, function, *arguments):
        async def act():
            return function(*arguments)

        return self.call(act())

    def stop(self) -> None:
        async def stop():
            await self.host.stop()
            await self.centre.stop()

        self.call(stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)


@pytest.fixture
def tenant():
    owner = User.objects.create_user("ayse@example.com", None, full_name="Ayse")
    tenant = create_tenant(name="Ayşe Butik", slug="butik", owner=owner)
    top_up_credits(tenant=tenant, amount=Decimal(100_000), reference="start", actor=None)
    return tenant


def make_account(provider: Provider, **settings) -> GatewayAccount:
    values = {
        "base_url": f"http://127.0.0.1:{provider.port}/netgsm",
        "username": "8503000000",
        "batch_size": 50,
        "total_seconds": 0.5,
        "throttle_seconds": 0.2,
        "receipt_polls": [0.3],
        "receipt_queries_per_minute": 6000,
        "inbound_pull_seconds": 0.2,
        "send_token": True,
        **settings,
    }
    with platform_scope(reason="test"):
        account = GatewayAccount(name="Netgsm", adapter="netgsm", rate_per_second=5000, window_size=4, settings=values)
        account.set_secret("cok-gizli-sifre")
        account.save()
    return account


def send_until_over(account, run, is_over, seconds=15.0):
    """One sender process's worth of work; returns the totals."""
    runtime = SenderRuntime("test")
    runtime.start()
    try:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            slot = runtime.get_slot(account.pk, 0)
            assert slot is not None
            with slot.working:
                slot.work(seconds=0.3, linger_seconds=0.1, stopping=runtime.stopping)
            with tenant_scope(run.tenant_id):
                totals = get_run_totals(run)
            if is_over(totals):
                return totals
        raise AssertionError(f"not over: {totals}")
    finally:
        runtime.stop()
        connection.close()


def test_a_run_with_faults_ends_without_a_violation(tenant, tmp_path, settings):
    journal = tmp_path / "journal"
    script = {
        "receipt_delay": [50, 300],
        "throttle_ratio": 0.1,
        "lost_answer_ratio": 0.15,
        "double_receipt_ratio": 0.1,
        "failures": [{"ending": "7", "state": "UNDELIV", "error": "006"}],
        "seed": 3,
    }
    provider = Provider(journal, **script)
    try:
        double = provider.host.get("netgsm")
        double.configure({"queries_per_minute": 0})
        account = make_account(provider)
        run = make_run(tenant, account, make_rows(600))
        provider.run(double.receive, "+905300000007", "8503000000", "selam")
        totals = send_until_over(account, run, lambda t: t.open_count == 0)
    finally:
        provider.stop()
    assert totals.get("undelivered").messages == 60
    assert totals.get("delivered").messages == 540
    with platform_scope(reason="test"):
        assert check_engine(journal=journal) == []
        assert provider.centre.journal.count_duplicates() == 0
        assert double.counts["lost_answers"] > 0, "and what they were about was found by dates"
        jobs = ReceiptJob.objects.all()
        assert jobs.exclude(job__startswith="?").filter(message_count=0).count() == 0
        assert jobs.filter(tenant=tenant).count() == jobs.count() > 10
        assert ReceiptInbox.objects.filter(provider_message_id="").count() == 0
        assert InboundMessage.objects.get().text == "selam", "once, however often it was listed"
        assert PullCursor.objects.get().stream == "inbound"


def test_a_wrong_password_sends_nothing_and_loses_nothing(tenant, tmp_path):
    provider = Provider(tmp_path / "journal", accounts={"somebody": "else"})
    try:
        account = make_account(provider)
        run = make_run(tenant, account, make_rows(100))
        totals = send_until_over(account, run, lambda t: True)
    finally:
        provider.stop()
    assert totals.get("queued").messages == 100
    assert provider.centre.journal.submits == 0


def test_what_the_provider_never_understood_is_kept(tenant, tmp_path):
    """An answer that is no JSON: the calls' messages are unknown, its body is in the inbox for people to see."""
    provider = Provider(tmp_path / "journal", receipts=False)
    try:
        double = provider.host.get("netgsm")
        double.canned.append(Reply.text("<html>maintenance</html>", 200, "text/html"))
        account = make_account(provider, searches_by_date=False, pulls_inbound=False, receipts="none")
        run = make_run(tenant, account, make_rows(10))
        send_until_over(account, run, lambda t: t.get("unknown").messages == 10)
    finally:
        provider.stop()
    with platform_scope(reason="test"):
        row = ReceiptInbox.objects.get()
    assert b"<html>maintenance</html>" in bytes(row.raw)
    assert (row.provider_code, row.state) == ("unreadable", "")


def test_a_link_that_comes_back_rings_for_its_slot(tenant, tmp_path):
    """Nobody works the slot by then: what waits must not wait for the next tick as well."""
    provider = Provider(tmp_path / "journal", receipts=False)
    account = make_account(provider, throttle_seconds=1.2, pulls_inbound=False, receipts="none")
    run = make_run(tenant, account, make_rows(3))
    refusal = Reply.json({"code": "80", "jobid": None, "description": "limit"}, 406)
    provider.run(lambda: provider.host.get("netgsm").canned.append(refusal))
    bells: queue.SimpleQueue[tuple[int, int, str]] = queue.SimpleQueue()
    runtime = SenderRuntime("test", ring=lambda *bell: bells.put(bell))
    runtime.start()
    try:
        slot = runtime.get_slot(account.pk, 0)
        assert slot is not None
        assert bells.get(timeout=5) == (account.pk, 0, "test"), "up for the first time"
        assert not slot.work(seconds=5, linger_seconds=0.1, stopping=runtime.stopping), "idle: the link is down"
        assert bells.get(timeout=5) == (account.pk, 0, "test")
        slot.work(seconds=5, linger_seconds=0.5, stopping=runtime.stopping)
        with tenant_scope(run.tenant_id):
            assert get_run_totals(run).get("accepted").messages == 3
    finally:
        runtime.stop()
        provider.stop()
        connection.close()


def test_a_provider_that_counts_more_shows_on_its_statement(tenant, tmp_path):
    """The double takes room for the operator's code: two parts where we hold credits for one."""
    provider = Provider(tmp_path / "journal", receipt_delay=[20, 50])
    try:
        double = provider.host.get("netgsm")
        double.configure({"queries_per_minute": 0, "counting": {"suffix_units": 5}})
        account = make_account(provider)
        rows = [*make_rows(20, text="a" * 158), *make_rows(10, start=20)]
        run = make_run(tenant, account, rows)
        send_until_over(account, run, lambda t: t.open_count == 0)
    finally:
        provider.stop()
    compare_charges()
    staff = Client()
    staff.force_login(User.objects.create_superuser("staff@example.com", None))
    page = staff.get(reverse("admin:gateways_accountmonth_changelist")).content.decode()
    cells = dict(re.findall(r'class="field-(\w+)[^"]*">([^<]*)<', page))
    assert {name: cells[name] for name in ("messages", "our_parts", "their_parts", "part_drift")} == {
        "messages": "30",
        "our_parts": "30",
        "their_parts": "50",
        "part_drift": "20",
    }
