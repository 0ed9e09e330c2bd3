"""The test of a connection, from asking for it to what it found."""

import pytest
from django.utils import timezone

from accounts.scope import tenant_scope
from gateways.access import access_connection
from gateways.findings import Finding
from gateways.models import ConnectionCheck
from gateways.services.checking import Findings, run_check
from gateways.types import CheckResult
from tests.web.bad_input import speak
from tests.web.gateways.connecting import VALUES, page

pytestmark = pytest.mark.usefixtures("asked")


def test_the_test_waits_for_a_worker_and_shows_what_it_found(cast, account, monkeypatch):
    speak(cast, "en")
    client = cast.client(cast.ayse)
    assert "hx-get" in client.get(page("connection_test_state", account)).content.decode()

    async def refuse(_self):
        return CheckResult(False, "0x0000000e", "", Finding.LOGIN_REFUSED)

    monkeypatch.setattr("gateways.adapters.smpp.gateway.SmppGateway.check", refuse)
    run_check(account.pk)
    body = client.get(page("connection_test_state", account)).content.decode()
    assert "hx-get" not in body
    assert "0x0000000e" in body
    assert "The provider refused the login." in body


def test_an_end_while_the_page_is_being_made_shows_all_that_was_found(cast, account, monkeypatch):
    """The page asks no more once the test is over, so it must not show its end without what it brought home."""
    speak(cast, "en")

    def find_and_let_it_end(actor, public_id):
        found = access_connection(actor, public_id)
        run_check(found.pk)
        return found

    told = Findings(CheckResult(True), "57.860", ["AYSEBUTIK"])
    monkeypatch.setattr("gateways.services.checking.check_account", lambda _account: told)
    monkeypatch.setattr("gateways.views.connections.access_connection", find_and_let_it_end)
    body = cast.client(cast.ayse).get(page("connection_test_state", account)).content.decode()
    assert "hx-get" not in body
    assert "AYSEBUTIK" in body


def test_a_correction_is_tested_at_once(cast, account, asked, monkeypatch, django_capture_on_commit_callbacks):
    """And what comes of the test before it, with the settings of before, is thrown away."""
    client = cast.client(cast.ayse)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(page("connection_test", account))
    assert asked == []  # the one that saving has asked for still waits

    def correct_meanwhile(_account):
        with django_capture_on_commit_callbacks(execute=True):
            client.post(page("connection_edit", account), {**VALUES, "set_password": "dogru-8"})
        return Findings(CheckResult(False, "30", "", Finding.LOGIN_REFUSED))

    monkeypatch.setattr("gateways.services.checking.check_account", correct_meanwhile)
    assert run_check(account.pk) is None
    assert asked == [account.pk]
    with tenant_scope(cast.butik.pk):
        assert ConnectionCheck.objects.get().state == "asked"


def test_a_worker_that_never_comes_is_named(cast, account):
    with tenant_scope(cast.butik.pk):
        ConnectionCheck.objects.update(asked_at=timezone.now() - timezone.timedelta(minutes=1))
    speak(cast, "en")
    body = cast.client(cast.ayse).get(page("connection_test_state", account)).content.decode()
    assert "hx-get" not in body
    assert "No worker has taken the test" in body
    assert cast.client(cast.ayse).post(page("connection_test", account)).status_code == 302


@pytest.mark.parametrize(
    ("fault", "finding"),
    [(KeyError("ours"), Finding.FAULT), (TimeoutError(), Finding.NO_ANSWER)],
)
def test_whatever_an_adapter_does_is_a_finding(cast, account, monkeypatch, fault, finding):
    async def fail(_self):
        raise fault

    monkeypatch.setattr("gateways.adapters.smpp.gateway.SmppGateway.check", fail)
    assert run_check(account.pk).finding == finding
    assert run_check(10**9) is None


def test_settings_that_cannot_work_are_a_finding(cast, account):
    with tenant_scope(cast.butik.pk):
        account.settings = {"port": "smpp"}
        account.save()
    assert run_check(account.pk).finding == Finding.BAD_SETTINGS
