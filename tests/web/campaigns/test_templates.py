"""Templates: list, form, picker, keeping a campaign's text."""

import pytest
from django.urls import reverse

from accounts.scope import tenant_scope
from campaigns.models import MessageTemplate

pytestmark = pytest.mark.django_db


@pytest.fixture
def template(shop):
    with tenant_scope(shop.pk):
        template = MessageTemplate(tenant=shop.cast.butik, name="Bayram", text="Sayın [İsim], iyi bayramlar")
        template.save()
    return template


def url(name, *args):
    return reverse(f"campaigns:template_{name}", args=args)


def test_create_edit_delete(shop):
    client = shop.cast.client(shop.cast.burak)
    assert client.get(url("list")).status_code == client.get(url("create")).status_code == 200
    assert client.post(url("create"), {"name": "Yeni", "text": "Merhaba [Kod]"}).status_code == 302
    with tenant_scope(shop.pk):
        template = MessageTemplate.objects.get()
    client.post(url("edit", template.public_id), {"name": "Yeni 2", "text": "Selam"})
    assert "Yeni 2" in client.get(url("list"), {"q": "selam"}).content.decode()
    client.post(url("delete", template.public_id))
    with tenant_scope(shop.pk):
        assert not MessageTemplate.objects.exists()


@pytest.mark.parametrize(
    "data", [{"name": "BAYRAM", "text": "x"}, {"name": "", "text": "x"}, {"name": "a", "text": "[Puan]"}]
)
def test_bad_input_changes_nothing(shop, template, data):
    answer = shop.cast.client(shop.cast.ayse).post(url("create"), data)
    assert answer.status_code == 200 and "invalid-feedback" in answer.content.decode()
    with tenant_scope(shop.pk):
        assert MessageTemplate.objects.count() == 1


def test_who_may(shop, template):
    viewer, stranger = shop.cast.client(shop.cast.vildan), shop.cast.client(shop.cast.can)
    assert viewer.get(url("list")).status_code == 200
    for name in ("edit", "delete"):
        assert viewer.post(url(name, template.public_id)).status_code == 403
        assert stranger.post(url(name, template.public_id)).status_code == 404
    assert "Bayram" not in stranger.get(url("list")).content.decode()


def test_picker_and_keeping_a_text(shop, template):
    campaign = shop.draft(text="Saklanacak metin")
    client = shop.cast.client(shop.cast.ayse)
    page = client.get(url("picker", campaign.public_id), {"q": "bay"}).content.decode()
    assert 'data-use-template="Sayın [İsim], iyi bayramlar"' in page
    assert "alert-success" in client.post(url("keep", campaign.public_id), {"name": "Sakla"}).content.decode()
    assert "alert-danger" in client.post(url("keep", campaign.public_id), {"name": "sakla"}).content.decode()
    with tenant_scope(shop.pk):
        assert MessageTemplate.objects.get(name="Sakla").text == "Saklanacak metin"


def test_counter_counts_what_is_typed(shop):
    page = shop.cast.client(shop.cast.ayse).post(url("counter"), {"text": "ş" * 156}).content.decode()
    assert "template-counter" in page and ">3<" in page
