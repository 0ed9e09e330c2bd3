"""The list of campaigns: search, states, order, pages; new, copied and deleted ones."""

import pytest
from django.urls import reverse

from accounts.scope import tenant_scope
from campaigns.models import Campaign

pytestmark = pytest.mark.django_db
LIST = reverse("campaigns:list")


def test_empty_list_teaches_the_next_step(shop):
    page = shop.cast.client(shop.cast.ayse).get(LIST).content.decode()
    assert "empty-state" in page and reverse("campaigns:create") in page


def test_search_and_state(shop):
    shop.draft(name="Yaz indirimi")
    shop.draft(name="Kış indirimi")
    scheduled = shop.draft(name="Bahar")
    with tenant_scope(shop.pk):
        Campaign.objects.filter(pk=scheduled.pk).update(status="scheduled")
    client = shop.cast.client(shop.cast.vildan)
    page = client.get(LIST, {"q": "yaz"}).content.decode()
    assert "Yaz indirimi" in page and "Kış indirimi" not in page
    page = client.get(LIST, {"state": "scheduled"}).content.decode()
    assert "Bahar" in page and "Yaz indirimi" not in page
    assert client.get(LIST, {"state": "x", "order": "y", "after": "zzz"}).status_code == 200
    partial = client.get(LIST, {"q": "yaz"}, headers={"hx-request": "true"}).content.decode()
    assert "<html" not in partial and "Yaz indirimi" in partial


@pytest.mark.parametrize("order", ["newest", "oldest", "name", "edited"])
def test_pages_hold_every_campaign_once(shop, order):
    for number in range(30):
        shop.draft(name=f"Kampanya {number:02d}")
    client = shop.cast.client(shop.cast.ayse)
    first = client.get(LIST, {"order": order})
    cursor = first.context["page"].next_cursor
    second = client.get(LIST, {"order": order, "after": cursor})
    names = [c.name for c in [*first.context["page"].items, *second.context["page"].items]]
    assert len(names) == len(set(names)) == 30


def test_another_accounts_campaigns_are_not_there(shop):
    shop.draft(name="Gizli")
    assert "Gizli" not in shop.cast.client(shop.cast.can).get(LIST).content.decode()


def test_new_campaign_by_button_and_by_form(shop):
    client = shop.cast.client(shop.cast.burak)
    assert client.get(reverse("campaigns:create")).status_code == 200
    assert client.post(reverse("campaigns:create")).status_code == 302
    client.post(reverse("campaigns:create"), {"name": "Adı var"})
    with tenant_scope(shop.pk):
        assert Campaign.objects.count() == 2
        assert Campaign.objects.filter(name="Adı var", created_by=shop.cast.burak).exists()
    assert shop.cast.client(shop.cast.vildan).post(reverse("campaigns:create")).status_code == 403


def test_copy_and_delete(shop):
    campaign = shop.draft()
    client = shop.cast.client(shop.cast.ayse)
    client.post(reverse("campaigns:duplicate", args=[campaign.public_id]))
    client.post(reverse("campaigns:delete", args=[campaign.public_id]))
    with tenant_scope(shop.pk):
        assert [c.text for c in Campaign.objects.all()] == [campaign.text]
        assert not Campaign.objects.filter(pk=campaign.pk).exists()


def test_a_launched_campaign_is_not_deleted(shop):
    campaign = shop.ready()
    client = shop.cast.client(shop.cast.ayse)
    client.post(reverse("campaigns:launch", args=[campaign.public_id]), {"version": 1, "now": "1"})
    client.post(reverse("campaigns:delete", args=[campaign.public_id]))
    assert shop.reload(campaign).status == "launched"
    assert campaign.name in client.get(LIST).content.decode()
