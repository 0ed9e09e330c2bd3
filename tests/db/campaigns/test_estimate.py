"""The live estimate: exact for small audiences, bounded and near for large ones, by the snapshot's own rules."""

import pytest

from accounts.scope import tenant_scope
from campaigns.selectors.estimate import estimate_campaign, load_sample
from campaigns.selectors.sampling import WHOLE_UPTO, WINDOW_SIZE, WINDOWS, draw_sample

from .funnel import check_funnel

pytestmark = pytest.mark.django_db


def estimate(shop, campaign):
    with tenant_scope(shop.pk):
        campaign = type(campaign).objects.select_related("tenant").get(pk=campaign.pk)
        return estimate_campaign(campaign, load_sample(campaign))


def test_small_audiences_agree_with_the_snapshot(shop):
    contacts = shop.add_contacts(40)
    shop.add_contacts(5, start=100, attributes={})
    shop.add_contacts(3, start=200, attributes={"kod": "x" * 200})
    vip, staff = shop.make_group("VIP"), shop.make_group("Personel")
    shop.add_members(contacts[:12], vip)
    shop.add_members(contacts[10:14], staff)
    shop.suppress(contacts[0].msisdn, contacts[30].msisdn)
    campaign = shop.draft(
        text="Kodunuz [Kod]",
        include_group_ids=frozenset([shop.group.pk, vip.pk]),
        exclude_group_ids=frozenset([staff.pk]),
    )
    found = estimate(shop, campaign)
    shop.prepare(campaign)
    snapshot = check_funnel(shop, campaign)
    assert found.is_exact
    assert (found.listed, found.to_send, found.parts, found.credits) == (
        snapshot.listed_count,
        snapshot.message_count,
        snapshot.part_count,
        snapshot.credits,
    )
    left_out = snapshot.excluded_counts
    assert (found.duplicates, found.excluded, found.suppressed, found.missing) == (
        left_out["duplicate"],
        left_out["excluded_list"],
        left_out["suppressed"],
        left_out["missing_value"],
    )
    assert (found.longer.count, found.longer.parts, found.longer.cause, found.longer.field) == (3, 2, "value", "Kod")


def test_characters_in_values_are_told_apart_from_long_ones(shop):
    shop.add_contacts(3, name="Ece")
    shop.add_contacts(1, start=9, name="Ece 🎉")
    campaign = shop.draft(text="Merhaba [İsim], " + "a" * 60)
    assert estimate(shop, campaign).longer.cause == "characters"


def test_large_audiences_are_sampled_within_bounds(shop):
    contacts = shop.add_contacts(3000)
    vip, staff = shop.make_group("VIP"), shop.make_group("Personel")
    shop.add_members(contacts[::3], vip)
    shop.add_members(contacts[::10], staff)
    shop.suppress(*[contact.msisdn for contact in contacts[::20]])
    campaign = shop.draft(include_group_ids=frozenset([shop.group.pk, vip.pk]), exclude_group_ids=frozenset([staff.pk]))
    with tenant_scope(shop.pk):
        sample = draw_sample(shop.pk, [shop.group.pk, vip.pk], [staff.pk])
    assert len(sample.contacts) <= WINDOWS * WINDOW_SIZE <= WHOLE_UPTO
    assert len({contact.contact_id for contact in sample.contacts}) == len(sample.contacts)
    found = estimate(shop, campaign)
    assert not found.is_exact
    assert (found.listed, found.duplicates, found.excluded) == (4000, 1000, 300)  # small lists are compared exactly
    # Everybody suppressed is also on the staff's list (every 20th is a 10th), so nobody is left to be suppressed.
    assert (found.suppressed, found.to_send) == (0, 2700)


def test_nobody_chosen_is_nobody(shop):
    found = estimate(shop, shop.draft(include_group_ids=frozenset()))
    assert (found.listed, found.to_send, found.credits, found.longer) == (0, 0, 0, None)
