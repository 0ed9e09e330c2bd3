import pytest
from django.urls import reverse

from accounts.scope import platform_scope
from contacts.models import Contact
from gateways.models import GatewayAccount
from messaging.models import InboundMessage

NUMBER = "+905321112233"


def receive(tenant, text, *, msisdn=NUMBER, keyword=""):
    with platform_scope(reason="test"):
        account, _ = GatewayAccount.objects.get_or_create(name="Operator", adapter="smpp")
        message = InboundMessage(
            tenant=tenant, gateway_account=account, msisdn=msisdn, recipient="4609", text=text, keyword=keyword
        )
        message.save()
    return message


@pytest.fixture
def replies(cast):
    with platform_scope(reason="test"):
        Contact(tenant=cast.butik, msisdn=NUMBER, name="Şükran Öz").save()
    receive(cast.butik, "RET AYSEBUTIK", keyword="RET")
    receive(cast.butik, "Mağaza <b>kaçta</b> açılıyor?", msisdn="+905441112233")
    receive(cast.rakip, "yabancı mesaj")
    receive(None, "sahipsiz mesaj")


def test_shows_own_messages_with_name_and_keyword(cast, replies):
    page = cast.client(cast.vildan).get(reverse("messaging:inbox"))
    text = page.content.decode()
    assert len(page.context["rows"]) == 2
    assert "Şükran Öz" in text
    assert reverse("optout:list") + "?q=%2B905321112233" in text
    assert "&lt;b&gt;kaçta" in text
    assert "yabancı" not in text
    assert "sahipsiz" not in text


def test_a_message_with_missing_parts_says_so(cast):
    message = receive(cast.butik, "Adresim […] Kadıköy")
    message.part_count, message.pieces = 3, {"1": "Adresim", "3": "Kadıköy"}
    with platform_scope(reason="test"):
        message.save()
    text = cast.client(cast.ayse).get(reverse("messaging:inbox")).content.decode()
    assert "3 parçadan 2 tanesi geldi" in text
    message.pieces["2"] = " Moda, "
    with platform_scope(reason="test"):
        message.save()
    assert "parçadan" not in cast.client(cast.ayse).get(reverse("messaging:inbox")).content.decode()


@pytest.mark.parametrize(
    ("params", "count"),
    [
        ({"q": "mağaza"}, 1),
        ({"q": "0544 111"}, 1),
        ({"q": "yok böyle"}, 0),
        ({"kind": "opt_out"}, 1),
        ({"kind": "nonsense"}, 2),
        ({"after": "nonsense"}, 2),
    ],
)
def test_searches_texts_and_numbers(cast, replies, params, count):
    response = cast.client(cast.ayse).get(reverse("messaging:inbox"), params, headers={"hx-request": "true"})
    assert len(response.context["rows"]) == count
    assert b"<html" not in response.content


def test_pages_by_key(cast):
    for n in range(55):
        receive(cast.butik, f"mesaj {n}")
    client = cast.client(cast.ayse)
    first = client.get(reverse("messaging:inbox"))
    second = client.get(reverse("messaging:inbox"), {"after": first.context["page"].next_cursor})
    seen = [row.message.text for page in (first, second) for row in page.context["rows"]]
    assert seen == [f"mesaj {n}" for n in reversed(range(55))]


def test_stranger_sees_their_own_only(cast, replies):
    page = cast.client(cast.can).get(reverse("messaging:inbox"))
    assert [row.message.text for row in page.context["rows"]] == ["yabancı mesaj"]


def test_empty_inbox_teaches(cast):
    assert "empty-state" in cast.client(cast.ayse).get(reverse("messaging:inbox")).content.decode()


def test_wrong_method_and_signed_out(cast, client):
    assert cast.client(cast.ayse).post(reverse("messaging:inbox")).status_code == 405
    assert client.get(reverse("messaging:inbox")).status_code == 302
