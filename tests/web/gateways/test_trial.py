"""Staff try the settings of a connection on paper."""

import json
import socket

import pytest
from django.urls import reverse

from accounts.models import User
from accounts.scope import platform_scope
from gateways.models import GatewayAccount
from gateways.simulator.providers.generic import JSON_SHAPE, TEXT_SHAPE

SECRET = "cok-gizli-anahtar"


@pytest.fixture
def staff(cast, monkeypatch):
    def refuse(*_):
        raise AssertionError("nothing is sent from this page")

    client = cast.client(User.objects.create_superuser("staff@example.com", None))
    monkeypatch.setattr("httpx.AsyncClient.send", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    return client


def make_account(adapter: str = "generic", settings: dict | None = None) -> GatewayAccount:
    with platform_scope(reason="test"):
        account = GatewayAccount(name="Sağlayıcı", adapter=adapter, settings=settings or JSON_SHAPE)
        account.set_secret(SECRET)
        account.save()
    return account


def try_out(staff, account, **changes):
    values = {
        "settings": json.dumps(account.settings),
        "number": "+905321234567",
        "sender": "ORNEKFIRMA",
        "text": 'Merhaba "Şükrü"',
        "status": 202,
    }
    return staff.post(reverse("admin:gateways_gatewayaccount_try", args=[account.pk]), {**values, **changes})


def test_the_request_is_shown_without_the_secret(staff):
    account = make_account(settings={**JSON_SHAPE, "base_url": "https://sms.example.com/api"})
    page = staff.get(reverse("admin:gateways_gatewayaccount_change", args=[account.pk])).content.decode()
    assert reverse("admin:gateways_gatewayaccount_try", args=[account.pk]) in page
    assert staff.get(reverse("admin:gateways_gatewayaccount_try", args=[account.pk])).status_code == 200
    answer = try_out(staff, account)
    request = answer.context["written"]
    assert (request.method, request.url) == ("POST", "https://sms.example.com/api/v1/messages")
    assert ("Authorization", "Bearer ***") in request.headers
    rows = json.loads(request.body)["messages"]
    assert [row["to"] for row in rows] == ["+905321234567", "+905321234568"]
    assert rows[0]["body"] == 'Merhaba "Şükrü"'
    assert SECRET not in answer.content.decode()


def test_a_template_cannot_bring_the_secret_out(staff):
    """Spelled as no mask expects it: what is not there cannot be shown."""
    send = {"kind": "xml", "body": "<a k='x[password]y'>[number] [text]</a>", "path": "/[password]"}
    answer = try_out(staff, make_account(), settings=json.dumps({**JSON_SHAPE, "send": send, "poll": {}}))
    assert "***" in answer.context["written"].body
    assert "gizli" not in answer.content.decode().split("<form")[0]


@pytest.mark.parametrize(
    ("status", "body", "meaning", "code"),
    [
        (202, '{"items": [{"id": "m-1", "result": 0}, {"id": "m-2", "result": 0}]}', "accepted", ""),
        (400, '{"error": {"code": "SENDER"}}', "rejected", "SENDER"),
        (400, '{"error": {"code": "RATE"}}', "deferred", "RATE"),
        (401, "{}", "deferred", "401"),
        (400, '{"error": {"code": "???"}}', "unknown", "???"),
        (202, "<html>", "unknown", "JSONDecodeError"),
        (502, "<html>", "unknown", "502"),
    ],
)
def test_answers(staff, status, body, meaning, code):
    rows = try_out(staff, make_account(), status=status, answer=body).context["outcomes"]
    assert [(str(row["outcome"].kind), row["outcome"].code) for row in rows] == [(meaning, code)] * 2


def test_receipts(staff):
    account = make_account(settings=TEXT_SHAPE)
    push = "msgid=55&gsm=905321234567&durum=2&hata=006"
    answer = try_out(staff, account, status=200, push=push, report="55;905321234567;1;000\n56;905321234568;9;000")
    [pushed] = answer.context["push_readings"]
    assert pushed["event"][:4] == ("55", "+905321234567", "undelivered", "absent_subscriber")
    assert [row["event"].state for row in answer.context["report_readings"]] == ["delivered", "unknown"]
    strange = try_out(staff, account, status=200, push="bir=iki", report="ERR 60")
    assert strange.context["push_readings"][0]["problem"]
    assert strange.context["report_readings"] == []
    assert "report" in try_out(staff, account, status=200, report="<html>").context["form"].errors


@pytest.mark.parametrize("settings", ["{", "[]", '{"send": {"body": "[nummer]"}}', '{"send": 5}', '{"password": 5}'])
def test_settings_that_cannot_work_are_named(staff, settings):
    answer = try_out(staff, make_account(), settings=settings)
    if settings == '{"password": 5}':
        assert not answer.context["form"].errors, "the stand-in takes its place"
    else:
        assert "settings" in answer.context["form"].errors


def test_other_adapters_can_be_tried_too_and_binds_cannot(staff, cast):
    netgsm = make_account("netgsm", {"username": "8503000000"})
    answer = try_out(staff, netgsm, status=406, answer='{"code": "40"}')
    assert [str(row["outcome"].reason) for row in answer.context["outcomes"]] == ["bad_sender"] * 2
    assert "***" in dict(answer.context["written"].headers)["Authorization"]
    smpp = make_account("smpp", {"port": 1, "system_id": "x"})
    assert try_out(staff, smpp).status_code == 404
    url = reverse("admin:gateways_gatewayaccount_try", args=[netgsm.pk])
    assert url not in staff.get(reverse("admin:gateways_gatewayaccount_change", args=[smpp.pk])).content.decode()
    assert cast.client(cast.ayse).get(url).status_code in (302, 403)
