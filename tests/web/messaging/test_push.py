"""Providers call us: who may, what is kept, and when they are told to call again."""

import json
import logging

import pytest
from django.db import OperationalError

from accounts.scope import platform_scope
from gateways.adapters.netgsm.gateway import NetgsmGateway
from gateways.models import GatewayAccount
from messaging.dispatch import inbox
from messaging.models import InboundMessage, ReceiptInbox
from messaging.views.push import BODY_LIMIT
from smsplatform.logging import make_formatter

REPLY = {
    "mesaj": "RET",
    "ceptel": "5300000001",
    "aboneno": "8503000000",
    "gorevid": "1",
    "tarih": "2026-11-25 11:02:44.053",
}


def make_account(adapter="netgsm", **settings):
    with platform_scope(reason="test"):
        values = {"username": "8503000000", **settings} if adapter == "netgsm" else settings
        account = GatewayAccount(name="Netgsm", adapter=adapter, settings=values)
        account.set_secret("cok-gizli-sifre")
        account.save()
    return account


@pytest.fixture
def account(cast):
    return make_account()


def push(client, account, kind="inbound", body=None, **extra):
    content = json.dumps(REPLY) if body is None else body
    url = f"/gateways/{account.push_token}/{kind}"
    return client.post(url, content, content_type="application/json", **extra)


def stored():
    with platform_scope(reason="test"):
        return list(InboundMessage.objects.values_list("msisdn", "recipient", "text")), [
            bytes(raw) for raw in ReceiptInbox.objects.values_list("raw", flat=True)
        ]


def test_a_reply_is_stored_once_before_we_say_thank_you(client, account):
    assert [push(client, account).status_code for _ in range(2)] == [200, 200]
    assert stored() == ([("+905300000001", "8503000000", "RET")], [])


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[1]", b'{"mesaj": null}', b"a=b&c=d"])
def test_what_cannot_be_read_is_kept_and_answered(client, account, body):
    assert push(client, account, body=body).status_code == 200
    replies, raws = stored()
    assert replies == []
    assert len(raws) == 1 and raws[0].endswith(body)


@pytest.mark.parametrize(
    ("adapter", "settings", "answer"),
    [
        ("figensoft", {"username": "u"}, 200),
        ("mutlucell", {"username": "u"}, 200),
        ("vatansms", {"api_id": "a"}, 200),
        ("vonage", {"api_key": "k"}, 200),
        ("vonage", {"api_key": "k", "signature_secret": "x"}, 403),
    ],
)
def test_no_body_is_an_error_of_ours(client, cast, adapter, settings, answer):
    """Also where the provider is not known to push at all (A5)."""
    account = make_account(adapter, **settings)
    if adapter == "vonage":
        with platform_scope(reason="test"):
            account.set_secret(json.dumps({"api_secret": "cok-gizli-sifre"}))
            account.save()
    body = b'{"timestamp": "1", "sig": "\\ud800", "text": "\\ud800", "msisdn": "1"}'
    assert push(client, account, body=body).status_code == answer
    assert push(client, account, "receipts", body=body).status_code == answer
    assert len(stored()[1]) == (2 if answer == 200 else 0)


def test_the_provider_calls_again_when_nothing_can_be_stored(client, account, monkeypatch):
    def fail(*_):
        raise OperationalError("the database is away")

    monkeypatch.setattr(inbox, "store_together", fail)
    answer = push(client, account)
    assert answer.status_code == 503
    assert answer["Retry-After"]
    monkeypatch.undo()
    assert stored() == ([], [])


def test_only_post_and_get(client, account):
    url = f"/gateways/{account.push_token}/inbound"
    assert client.put(url).status_code == 405
    assert client.get(url).status_code == 200, "some providers call with everything in the query"


@pytest.mark.parametrize("kind", ["receipts", "inbound"])
def test_nobodys_address(client, account, kind):
    for token in ("0" * 64, str(account.pk), str(account.public_id)):
        assert client.post(f"/gateways/{token}/{kind}", b"{}", content_type="text/plain").status_code == 404
    smpp = make_account("smpp", system_id="peyk")
    assert push(client, smpp, kind).status_code == 404
    assert stored() == ([], [])


def test_a_signature_that_is_not_theirs(client, account, monkeypatch):
    monkeypatch.setattr(NetgsmGateway, "verify_push", lambda self, push: push.headers.get("x-signature") == "good")
    assert push(client, account).status_code == 403
    assert stored() == ([], [])
    assert push(client, account, headers={"X-Signature": "good"}).status_code == 200


def test_addresses(client, cast):
    account = make_account(push_addresses=["10.1.0.0/16"])
    assert push(client, account).status_code == 403
    assert push(client, account, REMOTE_ADDR="10.1.2.3").status_code == 200


def test_addresses_behind_a_proxy(client, cast, settings):
    """The proxy's own address says nothing, and what a visitor has written into the header is not believed."""
    settings.TRUSTED_PROXY_COUNT = 1
    account = make_account(push_addresses=["10.1.0.0/16"])
    proxy = {"REMOTE_ADDR": "172.18.0.5"}
    assert push(client, account, **proxy, HTTP_X_FORWARDED_FOR="10.1.2.3").status_code == 200
    assert push(client, account, **proxy, HTTP_X_FORWARDED_FOR="10.1.2.3, 203.0.113.9").status_code == 403
    assert push(client, account, **proxy, HTTP_X_FORWARDED_FOR="203.0.113.9, 10.1.2.3").status_code == 200
    assert push(client, account, **proxy).status_code == 403
    settings.TRUSTED_PROXY_COUNT = 0
    assert push(client, account, **proxy, HTTP_X_FORWARDED_FOR="10.1.2.3").status_code == 403


def test_too_long(client, account):
    assert push(client, account, body=b"x" * (BODY_LIMIT + 1)).status_code == 413
    assert stored() == ([], [])


def test_tokens_cannot_be_guessed_and_reach_no_log(client, account, caplog):
    caplog.set_level(logging.DEBUG)
    assert len(account.push_token) == 64
    assert make_account().push_token != account.push_token
    push(client, account)
    push(client, account, body=b"x" * (BODY_LIMIT + 1))  # Django itself logs the path of a 413
    formatter = make_formatter(is_json=True)
    lines = [formatter.format(record) for record in caplog.records]
    assert any("Too Large" in line for line in lines)
    assert not any(account.push_token in line for line in lines)
