import json
import time

import httpx
import pytest
import respx
from django.urls import reverse

from accounts.scope import tenant_scope
from gateways.models import SenderId

CONTROL = "http://127.0.0.1:9"
PHONE, OTHER = "+905321112233", "+905441112233"


def message(number=PHONE, sender="BUTIK", text="Merhaba Şükran", seconds_ago=5):
    return {
        "at": time.time() - seconds_ago,
        "id": f"{seconds_ago}",
        "to": number,
        "from": sender,
        "account": "peyk",
        "text": text,
        "parts": 1,
        "arrived_parts": 1,
        "data_coding": 0,
        "turkish_table": True,
    }


@pytest.fixture
def simulator(settings, cast):
    """A simulator whose phones hold one message of Ayşe's and one of Can's."""
    settings.SIMULATOR_CONTROL_URL = CONTROL
    for tenant, name in ((cast.butik, "BUTIK"), (cast.rakip, "CANMARKET")):
        with tenant_scope(tenant.pk):
            SenderId(tenant=tenant, name=name, status=SenderId.Status.APPROVED).save()
    stored = [message(), message(OTHER, "CANMARKET", "Can'dan mesaj", 9)]

    def phones(request):
        number = request.url.params.get("number", "")
        return httpx.Response(200, json={"messages": [m for m in stored if number in ("", m["to"])]})

    with respx.mock(base_url=CONTROL, assert_all_called=False) as mock:
        mock.get("/phones").mock(side_effect=phones)
        mock.get("/script").respond(
            200,
            json={
                "answer_delay": [0, 0], "receipt_delay": [20, 200], "failure_ratio": 0.05, "throttle_ratio": 0,
                "lost_answer_ratio": 0, "rate_limit": 0,
            },
        )  # fmt: skip
        mock.post("/mo").respond(200, json={"parts": 1})
        mock.post("/script").respond(200, json={})
        yield mock


def calls(mock, path):
    return [call.request for call in mock.calls if call.request.method == "POST" and call.request.url.path == path]


def test_shows_messages_of_own_sender_ids_only(cast, simulator):
    page = cast.client(cast.ayse).get(reverse("gateways:simulator")).content.decode()
    assert "Merhaba Şükran" in page
    assert "Can&#x27;dan" not in page
    theirs = cast.client(cast.can).get(reverse("gateways:simulator"), {"number": PHONE}).content.decode()
    assert "Şükran" not in theirs


def test_staff_see_every_phone_and_the_knobs(cast, simulator):
    cast.deniz.is_staff = True
    cast.deniz.save()
    page = cast.client(cast.deniz).get(reverse("gateways:simulator"))
    assert len(page.context["phones"]) == 2
    assert page.context["script_form"].initial["receipt_delay"] == 20
    assert "script_form" not in cast.client(cast.ayse).get(reverse("gateways:simulator")).context


def test_a_phone_replies(cast, simulator):
    client = cast.client(cast.burak)
    response = client.post(reverse("gateways:simulator_reply"), {"phone": PHONE, "text": "RET"}, follow=True)
    (request,) = calls(simulator, "/mo")
    assert json.loads(request.content) == {"from": PHONE, "to": "4609", "text": "RET", "account": "peyk"}
    assert [item["text"] for item in response.context["talk"]] == ["Merhaba Şükran", "RET"]


@pytest.mark.parametrize("phone", [OTHER, "+905559998877", "nonsense", ""])
def test_only_visible_phones_can_reply(cast, simulator, phone):
    response = cast.client(cast.ayse).post(reverse("gateways:simulator_reply"), {"phone": phone, "text": "RET"})
    assert response.status_code == 404
    assert calls(simulator, "/mo") == []


def test_an_empty_reply_is_refused(cast, simulator):
    client = cast.client(cast.ayse)
    assert client.post(reverse("gateways:simulator_reply"), {"phone": PHONE, "text": " "}).status_code == 302
    assert calls(simulator, "/mo") == []


def test_viewer_looks_but_does_not_reply(cast, simulator):
    client = cast.client(cast.vildan)
    page = client.get(reverse("gateways:simulator")).content.decode()
    assert reverse("gateways:simulator_reply") not in page
    assert client.post(reverse("gateways:simulator_reply"), {"phone": PHONE, "text": "RET"}).status_code == 403


def test_knobs_are_for_staff(cast, simulator):
    data = {
        "answer_delay": 10, "receipt_delay": 100, "failure_ratio": 0.2, "throttle_ratio": 0, "lost_answer_ratio": 0,
        "rate_limit": 50,
    }  # fmt: skip
    address = reverse("gateways:simulator_script")
    assert cast.client(cast.ayse).post(address, data).status_code == 403
    assert calls(simulator, "/script") == []
    cast.ayse.is_staff = True
    cast.ayse.save()
    client = cast.client(cast.ayse)
    assert client.post(address, {**data, "failure_ratio": 3}).context["script_form"].errors
    assert calls(simulator, "/script") == []
    assert client.post(address, data).status_code == 302
    sent = json.loads(calls(simulator, "/script")[0].content)
    assert (sent["failure_ratio"], sent["receipt_delay"], sent["rate_limit"]) == (0.2, [100, 150.0], 50)


def test_a_simulator_that_is_down_is_said_plainly(cast, simulator):
    simulator.get("/phones").mock(side_effect=httpx.ConnectError("refused"))
    client = cast.client(cast.ayse)
    page = client.get(reverse("gateways:simulator"))
    assert page.status_code == 200
    assert page.context["is_down"]
    reply = client.post(reverse("gateways:simulator_reply"), {"phone": PHONE, "text": "RET"}, follow=True)
    assert [m.level_tag for m in reply.context["messages"]] == ["error"]


def test_garbage_from_the_simulator_is_no_crash(cast, simulator):
    simulator.get("/phones").respond(200, text="<html>")
    assert cast.client(cast.ayse).get(reverse("gateways:simulator")).context["is_down"]


def test_not_in_production(cast, settings, simulator):
    settings.PEYK_ENV, settings.IS_PRODUCTION = "production", True
    client = cast.client(cast.ayse)
    for name in ("simulator", "simulator_phones"):
        assert client.get(reverse(f"gateways:{name}")).status_code == 404
    for name in ("simulator_reply", "simulator_script"):
        assert client.post(reverse(f"gateways:{name}"), {"phone": PHONE, "text": "RET"}).status_code == 404
    assert calls(simulator, "/mo") == []


def test_polling_part_and_wrong_methods(cast, simulator):
    client = cast.client(cast.ayse)
    assert b"<html" not in client.get(reverse("gateways:simulator_phones"), {"number": PHONE}).content
    assert client.post(reverse("gateways:simulator")).status_code == 405
    assert client.post(reverse("gateways:simulator_phones")).status_code == 405
    assert client.get(reverse("gateways:simulator_reply")).status_code == 405
    assert client.get(reverse("gateways:simulator_script")).status_code == 405
