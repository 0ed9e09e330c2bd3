"""The audience snapshot: the funnel adds up, a crash anywhere is resumed, edits make it stale."""

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.scope import platform_scope, tenant_scope
from campaigns.models import AudienceExclusion, Campaign
from campaigns.selectors.estimate import estimate_campaign, load_sample
from campaigns.selectors.funnel import REASONS, build_funnel
from campaigns.services import snapshot as snapshot_service
from campaigns.services.audience import discard_stale_audience, prepare_audience
from campaigns.services.control import cancel_campaign
from campaigns.services.drafts import save_draft
from campaigns.services.errors import DraftConflict, NotReady
from campaigns.services.snapshot import walk_audience
from contacts.models import Contact
from gateways.adapters.smpp.settings import SmppSettings
from gateways.adapters.smpp.wire import SubmitEncoder
from gateways.models import GatewayAccount
from gateways.types import OutboundMessage
from messaging.models import Message, SendRun

from .funnel import check_funnel

pytestmark = pytest.mark.django_db


def test_funnel_of_overlapping_lists(shop):
    contacts = shop.add_contacts(40)
    shop.add_contacts(3, start=100, attributes={})
    second, staff = shop.make_group("VIP"), shop.make_group("Personel")
    shop.add_members(contacts[:10], second)
    shop.add_members(contacts[5:8], staff)
    shop.suppress(contacts[0].msisdn, contacts[39].msisdn)
    campaign = shop.draft(
        include_group_ids=frozenset([shop.group.pk, second.pk]),
        exclude_group_ids=frozenset([staff.pk]),
        text="Kodunuz [Kod]",
    )
    assert shop.prepare(campaign, chunk_size=7)
    snapshot = check_funnel(shop, campaign)
    assert snapshot.listed_count == 53
    assert snapshot.excluded_counts == {"duplicate": 10, "excluded_list": 3, "suppressed": 2, "missing_value": 3}
    assert snapshot.message_count == 35
    assert campaign.status == Campaign.Status.READY
    with tenant_scope(shop.pk):
        missing = AudienceExclusion.objects.filter(reason="missing_value").first()
        assert missing.detail == "Kod"


def test_the_funnel_names_the_reasons_in_the_order_of_the_walk():
    """A number without a route is not looked at for its length: what is named first was decided first."""
    walk = ["duplicate", "excluded_list", "suppressed", "missing_value", "no_route", "characters", "too_long"]
    rows = build_funnel(10, dict.fromkeys(reversed(walk), 1), 3)
    assert [row.label for row in rows if row.kind == "left_out"] == [REASONS[reason] for reason in walk]


def test_text_of_each_recipient_is_rendered_counted_and_has_the_way_out(shop):
    shop.add_contacts(1, name="Zeynep")
    shop.add_contacts(1, start=5, name="")
    campaign = shop.draft()
    shop.prepare(campaign)
    with tenant_scope(shop.pk):
        texts = set(Message.objects.values_list("text", flat=True))
        assert texts == {
            "Merhaba Zeynep, %20 indirim sizi bekliyor.\nRET AYSEBUTIK yaz 4609'a gönder",
            "Merhaba değerli müşterimiz, %20 indirim sizi bekliyor.\nRET AYSEBUTIK yaz 4609'a gönder",
        }
        # ğ in the fallback; the line itself costs nobody the default alphabet.
        assert set(Message.objects.values_list("encoding", "parts")) == {("gsm7", 1), ("gsm7-tr-single", 1)}


class Crash(Exception):
    """A worker died here."""


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.integers(0, 30),
    chunk=st.integers(1, 9),
    crashes=st.lists(st.integers(0, 12), max_size=4),
    repeated=st.integers(0, 30),
    left_out=st.integers(0, 8),
)
def test_crash_at_any_point_loses_and_repeats_nobody(shop, size, chunk, crashes, repeated, left_out, monkeypatch):
    from django.db import transaction

    with transaction.atomic():
        contacts = shop.add_contacts(size)
        second, staff = shop.make_group("VIP"), shop.make_group("Personel")
        shop.add_members(contacts[:repeated], second)
        shop.add_members(contacts[:left_out], staff)
        campaign = shop.draft(
            include_group_ids=frozenset([shop.group.pk, second.pk]), exclude_group_ids=frozenset([staff.pk])
        )
        with tenant_scope(shop.pk):
            prepare_audience(campaign=campaign, version=1, actor=shop.cast.ayse)
        for point in crashes:
            crash_after(point, campaign, shop, chunk, monkeypatch)
        assert walk_audience(campaign_id=campaign.pk, tenant_id=shop.pk, chunk_size=chunk)
        snapshot = check_funnel(shop, campaign)
        assert snapshot.message_count == size - min(left_out, size)
        transaction.set_rollback(True)


def crash_after(steps, campaign, shop, chunk, monkeypatch):
    """Die inside the transaction of the chunk after `steps` good ones, with its rows written."""
    original, done = snapshot_service.write_exclusions, []

    def die(stretch, exclusions):
        counts = original(stretch, exclusions)
        if len(done) == steps:
            raise Crash
        done.append(1)
        return counts

    with monkeypatch.context() as patch:
        patch.setattr(snapshot_service, "write_exclusions", die)
        with contextlib.suppress(Crash):
            walk_audience(campaign_id=campaign.pk, tenant_id=shop.pk, chunk_size=chunk)


def test_contacts_that_come_in_later_are_not_walked(shop):
    shop.add_contacts(10)
    campaign = shop.draft()
    added = []

    def add_once():
        if not added:
            added.extend(shop.add_contacts(5, start=900))

    shop.prepare(campaign, chunk_size=4, on_chunk=add_once)
    assert check_funnel(shop, campaign).message_count == 10


def test_an_edit_stops_the_walk_and_makes_the_audience_stale(shop):
    shop.add_contacts(10)
    campaign = shop.draft()

    def edit():
        with tenant_scope(shop.pk):
            current = Campaign.objects.get(pk=campaign.pk)
            save_draft(campaign=current, version=current.version, actor=shop.cast.burak, text="Yeni metin")

    assert shop.prepare(campaign, chunk_size=4, on_chunk=edit) is False
    with tenant_scope(shop.pk):
        campaign.refresh_from_db()
        assert (campaign.status, campaign.version) == ("draft", 2)
        assert discard_stale_audience(campaign_id=campaign.pk)
        assert not Message.objects.exists()
    assert shop.prepare(campaign)
    assert check_funnel(shop, campaign).message_count == 10
    with tenant_scope(shop.pk):
        assert set(Message.objects.values_list("text", flat=True)) == {"Yeni metin\nRET AYSEBUTIK yaz 4609'a gönder"}


def test_preparing_again_replaces_the_stale_audience(shop):
    shop.add_contacts(3)
    campaign = shop.draft()
    shop.prepare(campaign)
    with tenant_scope(shop.pk):
        campaign = save_draft(campaign=campaign, version=1, actor=shop.cast.ayse, text="İkinci hali")
    assert shop.prepare(campaign)
    check_funnel(shop, campaign)
    with tenant_scope(shop.pk):
        assert Message.objects.count() == 3
        assert SendRun.objects.filter(state="discarded").count() == 1


def test_preparing_twice_is_once(shop):
    shop.add_contacts(3)
    campaign = shop.draft()
    shop.prepare(campaign)
    with tenant_scope(shop.pk):
        prepare_audience(campaign=campaign, version=1, actor=shop.cast.ayse)
        campaign.refresh_from_db()
        assert campaign.status == "ready"
    assert walk_audience(campaign_id=campaign.pk, tenant_id=shop.pk)
    assert check_funnel(shop, campaign).message_count == 3


def test_numbers_without_route_and_texts_too_long_are_excluded(shop):
    shop.add_contacts(1)
    with tenant_scope(shop.pk):
        foreign = shop.add_contacts(1, start=50)[0]  # no tariff and no route outside +90
        foreign.msisdn = "+4915112345678"
        foreign.save()
    shop.add_contacts(1, start=70, attributes={"kod": "ş" * 900})
    campaign = shop.draft(text="Kodunuz [Kod|yok]")
    shop.prepare(campaign)
    snapshot = check_funnel(shop, campaign)
    assert (snapshot.excluded_counts, snapshot.message_count) == ({"no_route": 1, "too_long": 1}, 1)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"include_group_ids": frozenset()}, "no_lists"),
        ({"text": "  "}, "no_text"),
        ({"text": "Merhaba [Isım], puanınız [Puan]"}, "unknown_fields"),
        ({"text": "a" * 1600}, "too_many_parts"),
        ({"sender_id": None}, "no_sender"),
        ({"content_class": ""}, "no_class"),
        ({"content_class": "informational"}, "class_reason"),
    ],
)
def test_a_draft_with_problems_is_not_prepared(shop, changes, code):
    campaign = shop.draft(**changes)
    with tenant_scope(shop.pk):
        with pytest.raises(NotReady) as refusal:
            prepare_audience(campaign=campaign, version=1, actor=shop.cast.ayse)
        assert [problem.code for problem in refusal.value.problems] == [code]
        campaign.refresh_from_db()
        assert campaign.status == "draft"


def test_an_unknown_field_is_named_and_the_known_ones_listed(shop):
    campaign = shop.draft(text="Puanınız [Puan]")
    with tenant_scope(shop.pk), pytest.raises(NotReady) as refusal:
        prepare_audience(campaign=campaign, version=1, actor=shop.cast.ayse)
    message = refusal.value.problems[0].message
    assert "[Puan]" in message and "[Kod]" in message


def test_an_older_version_is_not_prepared(shop):
    shop.add_contacts(1)
    campaign = shop.draft()
    with tenant_scope(shop.pk):
        save_draft(campaign=campaign, version=1, actor=shop.cast.burak, text="Başka")
        with pytest.raises(DraftConflict):
            prepare_audience(campaign=campaign, version=1, actor=shop.cast.ayse)


def test_cancel_frees_the_audience(shop):
    shop.add_contacts(4)
    campaign = shop.draft()
    shop.prepare(campaign)
    with tenant_scope(shop.pk):
        cancel_campaign(campaign=campaign, actor=shop.cast.ayse)
        campaign.refresh_from_db()
        assert campaign.status == "cancelled"
        assert not Message.objects.exists()
    assert walk_audience(campaign_id=campaign.pk, tenant_id=shop.pk) is False


def test_a_membership_without_its_contact_cuts_nobody_off(shop):
    """Memberships have no foreign key: one that is left over must not look like the end of the list."""
    contacts = shop.add_contacts(9)
    with tenant_scope(shop.pk):
        gone = Contact.objects.filter(pk=contacts[1].pk)
        gone._raw_delete(gone.db)
    campaign = shop.draft()
    assert shop.prepare(campaign, chunk_size=3)
    assert shop.reload(campaign).run.message_count == 8


@pytest.mark.parametrize(("long_mode", "parts"), [("udh8", 2), ("udh16", 3)])
def test_parts_are_counted_as_they_travel(shop, long_mode, parts):
    """306 septets: two parts behind a header of six octets, three behind one of seven."""
    with platform_scope(reason="test"):
        GatewayAccount.objects.update(settings={"long_mode": long_mode})
    campaign = shop.ready(count=1, text="x" * 306, content_class="informational", append_opt_out=False)
    assert (campaign.run.part_count, campaign.run.credits) == (parts, parts)
    with tenant_scope(shop.pk):
        message = Message.objects.get()
    wire = SubmitEncoder(SmppSettings(long_mode=long_mode)).encode(
        OutboundMessage(message.pk, message.msisdn, "PEYK", message.text, message.encoding, message.parts)
    )
    assert len(wire) == parts
    with tenant_scope(shop.pk):
        assert estimate_campaign(campaign, load_sample(campaign)).parts == parts
