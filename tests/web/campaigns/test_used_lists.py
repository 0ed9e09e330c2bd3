"""A list that a campaign still needs is not deleted under it: without it others would be written to."""

import pytest
from django.urls import reverse

from accounts.scope import tenant_scope
from campaigns.services import launch_campaign
from campaigns.services.control import cancel_campaign
from contacts.models import ContactGroup, ContactGroupMember

pytestmark = pytest.mark.django_db


def delete(shop, group) -> str:
    client = shop.cast.client(shop.cast.burak)
    return client.post(reverse("contacts:group_delete", args=[group.public_id]), follow=True).content.decode()


def exists(shop, group) -> bool:
    with tenant_scope(shop.pk):
        return ContactGroup.objects.filter(pk=group.pk).exists()


def test_a_list_left_out_stays_and_the_campaign_is_named(shop):
    left_out = shop.make_group("Şikâyet edenler")
    shop.add_contacts(2, group=left_out, start=100)
    campaign = shop.draft(name="Kış <indirimi>", exclude_group_ids=frozenset([left_out.pk]))
    page = delete(shop, left_out)
    assert "“Kış &lt;indirimi&gt;”" in page and "henüz gönderilmedi" in page
    with tenant_scope(shop.pk):
        assert campaign.group_links.filter(is_excluded=True).count() == 1
        assert ContactGroupMember.objects.filter(group=left_out).count() == 2
        cancel_campaign(campaign=campaign, actor=shop.cast.ayse)
    delete(shop, left_out)
    assert not exists(shop, left_out)


def test_a_list_of_a_campaign_that_was_launched_may_go(shop):
    campaign = shop.ready()
    delete(shop, shop.group)
    assert exists(shop, shop.group)
    with tenant_scope(shop.pk):
        launch_campaign(campaign=campaign, version=1, actor=shop.cast.ayse)
    delete(shop, shop.group)
    assert not exists(shop, shop.group)
