"""Drafts keep themselves: versions, conflicts, copies, deletion."""

import pytest

from accounts.scope import tenant_scope
from campaigns.models import Campaign
from campaigns.services.drafts import delete_campaign, duplicate_campaign, read_content, save_draft
from campaigns.services.errors import DraftConflict, NotEditable
from campaigns.services.launch import launch_campaign
from contacts.models import ContactGroup
from gateways.models import SenderId
from messaging.models import Message

pytestmark = pytest.mark.django_db


def test_saving_raises_the_version_and_names_the_editor(shop):
    campaign = shop.draft()
    other = shop.make_group("VIP")
    with tenant_scope(shop.pk):
        saved = save_draft(
            campaign=campaign,
            version=1,
            actor=shop.cast.burak,
            text="Yeni",
            exclude_group_ids=frozenset([other.pk]),
        )
        assert (saved.version, saved.updated_by) == (2, shop.cast.burak)
        assert read_content(saved).exclude_group_ids == {other.pk}


def test_an_autosave_without_a_change_keeps_version_and_audience(shop):
    campaign = shop.ready()
    with tenant_scope(shop.pk):
        saved = save_draft(campaign=campaign, version=1, actor=shop.cast.burak, text=campaign.text)
    assert (saved.version, saved.status) == (1, "ready")


def test_two_editors_of_one_draft(shop):
    campaign = shop.draft()
    with tenant_scope(shop.pk):
        save_draft(campaign=campaign, version=1, actor=shop.cast.burak, text="Burak'ın metni")
        with pytest.raises(DraftConflict) as conflict:
            save_draft(campaign=campaign, version=1, actor=shop.cast.ayse, text="Ayşe'nin metni")
    standing = conflict.value.campaign
    assert (standing.text, standing.updated_by, standing.version) == ("Burak'ın metni", shop.cast.burak, 2)


def test_repeat_of_a_lost_answer_is_no_conflict(shop):
    campaign = shop.draft()
    with tenant_scope(shop.pk):
        for _ in range(2):
            saved = save_draft(campaign=campaign, version=1, actor=shop.cast.ayse, text="Aynı metin")
    assert saved.version == 2


def test_a_launched_campaign_stands(shop):
    campaign = shop.ready()
    with tenant_scope(shop.pk):
        launch_campaign(campaign=campaign, version=1, actor=shop.cast.ayse)
        for act in (
            lambda: save_draft(campaign=campaign, version=1, actor=shop.cast.ayse, text="Geç kaldı"),
            lambda: delete_campaign(campaign=campaign, actor=shop.cast.ayse),
        ):
            with pytest.raises(NotEditable):
                act()
        assert Message.objects.count() == 5


def test_rows_of_another_account_are_refused(shop):
    campaign = shop.draft()
    with tenant_scope(shop.cast.rakip.pk):
        foreign_group = ContactGroup(tenant=shop.cast.rakip, name="Onlar")
        foreign_group.save()
        foreign_sender = SenderId(tenant=shop.cast.rakip, name="CAN", status="approved")
        foreign_sender.save()
    with tenant_scope(shop.pk):
        with pytest.raises(ContactGroup.DoesNotExist):
            save_draft(
                campaign=campaign,
                version=1,
                actor=shop.cast.ayse,
                include_group_ids=frozenset([foreign_group.pk]),
            )
        with pytest.raises(SenderId.DoesNotExist):
            save_draft(campaign=campaign, version=1, actor=shop.cast.ayse, sender_id=foreign_sender.pk)


def test_a_copy_is_a_draft_of_its_own(shop):
    campaign = shop.ready()
    with tenant_scope(shop.pk):
        launch_campaign(campaign=campaign, version=1, actor=shop.cast.ayse)
        copy = duplicate_campaign(campaign=shop.reload(campaign), actor=shop.cast.burak, name="Kopya")
        assert (copy.status, copy.run_id, copy.name, copy.text) == ("draft", None, "Kopya", campaign.text)
        assert read_content(copy).include_group_ids == {shop.group.pk}


def test_deleting_takes_the_prepared_audience_along(shop):
    campaign = shop.ready()
    with tenant_scope(shop.pk):
        delete_campaign(campaign=campaign, actor=shop.cast.ayse)
        assert not Campaign.objects.exists()
        assert not Message.objects.exists()
