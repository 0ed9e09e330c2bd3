"""An audience prepared before lists, contacts or prices changed is not sent to; a scheduled one is prepared anew."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.scope import platform_scope, tenant_scope
from billing.models import CreditAccount, Tariff
from billing.selectors import get_balance
from campaigns import tasks
from campaigns.models import AudienceSnapshot, Campaign
from campaigns.services.audience import prepare_audience
from campaigns.services.drafts import save_draft
from campaigns.services.errors import DraftConflict, NotReady
from campaigns.services.launch import launch_campaign, schedule_campaign
from campaigns.services.snapshot import walk_audience
from contacts.models import Contact, ContactField
from contacts.services.contacts import delete_contacts, update_contact
from contacts.services.fields import delete_field
from contacts.services.groups import add_to_group, remove_from_group, rename_group
from contacts.services.merge import create_staging, merge_contacts
from messaging.models import Message, SendRun

pytestmark = pytest.mark.django_db


def delete_first(shop) -> None:
    delete_contacts(tenant=shop.cast.butik, contact_ids=[Contact.objects.earliest("pk").pk])


def rewrite_first(shop) -> None:
    first = Contact.objects.earliest("pk")
    update_contact(contact=first, msisdn=first.msisdn, name="Ada", attributes={}, groups={shop.group: True})


def take_out_first(shop) -> None:
    remove_from_group(group=shop.group, contact_ids=[Contact.objects.earliest("pk").pk])


def add_one(shop) -> None:
    contact = Contact(tenant=shop.cast.butik, msisdn="+905339999999")
    contact.save()
    add_to_group(group=shop.group, contact_ids=[contact.pk])


def merge(shop, group=None, **values) -> None:
    """An import of the first contact alone, with other values or the same."""
    first = Contact.objects.earliest("pk")
    row = first.msisdn, values.get("name", first.name), json.dumps(values.get("attributes", first.attributes))
    create_staging()
    merge_contacts(tenant_id=shop.pk, group_id=group and group.pk, contacts=[row], is_updating=True)


def import_into_another_list(shop) -> None:
    merge(shop, shop.make_group("Başkaları"), name="Ada")


def import_into_no_list(shop) -> None:
    merge(shop, attributes={"kod": "YENI"})


def delete_filled_field(shop) -> None:
    delete_field(field=ContactField.objects.get(key="kod"))


def raise_price(shop) -> None:
    with platform_scope(reason="test"):
        Tariff(tenant=shop.cast.butik, prefix="+90", credits_per_part=Decimal(2)).save()


def change_opt_out(shop) -> None:
    with platform_scope(reason="test"):
        tenant = shop.cast.butik
        tenant.opt_out_code, tenant.opt_out_number = "YENI", "4609"
        tenant.save()


CHANGES = [
    delete_first,
    rewrite_first,
    take_out_first,
    add_one,
    import_into_another_list,
    import_into_no_list,
    delete_filled_field,
    raise_price,
    change_opt_out,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_what_changed_since_stops_the_launch_until_it_is_prepared_again(shop, change):
    campaign = shop.ready()
    with tenant_scope(shop.pk):
        change(shop)
    campaign = shop.reload(campaign)
    with tenant_scope(shop.pk), pytest.raises(NotReady) as refusal:
        launch_campaign(campaign=campaign, version=1, actor=shop.cast.ayse)
    assert [problem.code for problem in refusal.value.problems] == ["audience_stale"]
    assert get_reserved(shop) == 0
    with tenant_scope(shop.pk):
        prepare_audience(campaign=campaign, version=1, actor=shop.cast.ayse, again=True)
        prepare_audience(campaign=campaign, version=1, actor=shop.cast.ayse, again=True)  # a second click
    assert walk_audience(campaign_id=campaign.pk, tenant_id=shop.pk)
    with tenant_scope(shop.pk):
        with pytest.raises(DraftConflict):  # a page that shows the old figures
            launch_campaign(campaign=campaign, version=1, actor=shop.cast.ayse)
        launch_campaign(campaign=campaign, version=2, actor=shop.cast.ayse)
        assert set(Message.objects.values_list("msisdn", flat=True)) == set(list_numbers(shop))
        assert get_reserved(shop) == sum(Message.objects.values_list("price", flat=True))
        assert SendRun.objects.exclude(state="discarded").count() == 1


def test_what_does_not_concern_the_campaign_leaves_it_ready(shop):
    campaign = shop.ready()
    other = shop.make_group("Başkaları")
    shop.add_contacts(3, group=other, start=100)
    with tenant_scope(shop.pk):
        stranger = Contact.objects.latest("pk")
        update_contact(contact=stranger, msisdn=stranger.msisdn, name="Ada", attributes={}, groups={other: True})
        rename_group(group=shop.group, name="Sadık müşteriler")
        first = Contact.objects.earliest("pk")
        update_contact(contact=first, msisdn=first.msisdn, name=first.name, attributes={}, groups={shop.group: True})
        merge(shop, shop.group)
        merge(shop, other)
        launch_campaign(campaign=campaign, version=1, actor=shop.cast.ayse)
    assert shop.reload(campaign).status == "launched"


def schedule(shop) -> Campaign:
    campaign = shop.ready(scheduled_at=timezone.now() + timedelta(days=90))
    with tenant_scope(shop.pk):
        schedule_campaign(campaign=campaign, version=1, actor=shop.cast.ayse)
    return campaign


def bring_time(shop, campaign: Campaign) -> None:
    """The day has come: what was prepared and changed lies before it."""
    with tenant_scope(shop.pk):
        Campaign.objects.filter(pk=campaign.pk).update(scheduled_at=timezone.now())


@pytest.fixture
def direct(monkeypatch) -> None:
    monkeypatch.setattr(tasks.walk_audience, "delay", tasks.walk_audience)
    monkeypatch.setattr(tasks.ring_senders, "delay", lambda *args, **kwargs: None)


def list_numbers(shop) -> list[str]:
    return list(Contact.objects.filter(group_links__group=shop.group).values_list("msisdn", flat=True))


def get_reserved(shop) -> Decimal:
    with tenant_scope(shop.pk):
        return get_balance(shop.pk).reserved


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_scheduled_campaign_goes_to_who_is_there_when_its_time_comes(shop, change, direct):
    campaign = schedule(shop)
    with tenant_scope(shop.pk):
        change(shop)
    bring_time(shop, campaign)
    tasks.start_due_campaigns()
    assert (shop.reload(campaign).status, get_reserved(shop)) == ("scheduled", 0)
    with tenant_scope(shop.pk):
        latest = Contact.objects.latest("pk")  # a shop that writes all day long does not hold the campaign up for ever
        update_contact(contact=latest, msisdn=latest.msisdn, name="Can", attributes={}, groups={shop.group: True})
    tasks.start_due_campaigns()
    campaign = shop.reload(campaign)
    assert (campaign.status, campaign.run.state, campaign.launched_by) == ("launched", "running", shop.cast.ayse)
    with tenant_scope(shop.pk):
        assert set(Message.objects.values_list("msisdn", flat=True)) == set(list_numbers(shop))
        assert get_reserved(shop) == sum(Message.objects.values_list("price", flat=True))


def test_a_scheduled_campaign_whose_lists_stand_is_not_walked_again(shop, direct):
    campaign = schedule(shop)
    bring_time(shop, campaign)
    tasks.start_due_campaigns()
    campaign = shop.reload(campaign)
    assert (campaign.status, campaign.version) == ("launched", 1)


def test_credits_that_no_longer_suffice_stop_it_with_the_reason(shop, direct):
    campaign = schedule(shop)
    with tenant_scope(shop.pk):
        raise_price(shop)
    with platform_scope(reason="test"):
        CreditAccount.objects.filter(tenant=shop.cast.butik).update(available=9)
    bring_time(shop, campaign)
    for _ in range(2):
        tasks.start_due_campaigns()
    campaign = shop.reload(campaign)
    assert (campaign.status, campaign.failure, get_reserved(shop)) == ("ready", "not_enough_credits", 0)


def test_nobody_left_at_its_time_stops_it(shop, direct):
    campaign = schedule(shop)
    with tenant_scope(shop.pk):
        delete_contacts(tenant=shop.cast.butik, contact_ids=list(Contact.objects.values_list("pk", flat=True)))
    bring_time(shop, campaign)
    for _ in range(2):
        tasks.start_due_campaigns()
    campaign = shop.reload(campaign)
    assert (campaign.status, campaign.failure) == ("ready", "not_ready")


def test_an_edit_while_it_is_prepared_again_takes_it_off_the_schedule(shop, monkeypatch):
    monkeypatch.setattr(tasks.walk_audience, "delay", lambda **kwargs: None)
    campaign = schedule(shop)
    with tenant_scope(shop.pk):
        delete_first(shop)
    bring_time(shop, campaign)
    tasks.start_due_campaigns()
    campaign = shop.reload(campaign)
    assert (campaign.status, campaign.version) == ("preparing", 2)
    with tenant_scope(shop.pk):
        save_draft(campaign=campaign, version=2, actor=shop.cast.ayse, text="Yeni", scheduled_at=None)
    assert shop.prepare(shop.reload(campaign))
    assert shop.reload(campaign).status == "ready"


def test_an_audience_from_before_the_upgrade_is_prepared_again(shop):
    campaign = shop.ready()
    with tenant_scope(shop.pk):
        AudienceSnapshot.objects.update(basis={})
        with pytest.raises(NotReady):
            launch_campaign(campaign=shop.reload(campaign), version=1, actor=shop.cast.ayse)
