"""Characters that a connection does not carry: another one takes the message, or somebody is told before."""

from collections import Counter

import pytest

from accounts.scope import platform_scope, tenant_scope
from campaigns.models import AudienceExclusion
from campaigns.selectors.checks import list_audience_problems, list_problems
from campaigns.selectors.estimate import estimate_campaign, load_sample
from campaigns.selectors.live import preview_campaign
from campaigns.services.errors import NotReady
from campaigns.services.launch import launch_campaign
from gateways.models import GatewayAccount, RouteRule, RouteTarget
from gateways.routing.book import create_rule
from messaging.models import Message, RouteStep

CAKE = "Afiyet olsun 🍰"


@pytest.fixture
def plain(shop):
    """The shop's only connection is one that knows GSM-7 and Turkish."""
    return change_account("Simülatör", adapter="netgsm")


def change_account(name, **fields):
    with platform_scope(reason="test"):
        GatewayAccount.objects.filter(name=name).update(**fields)
        return GatewayAccount.objects.get(name=name)


def add_account(name, **fields):
    with platform_scope(reason="test"):
        account = GatewayAccount(name=name, adapter="smpp", **fields)
        account.save()
        return account


def add_target(account, **fields):
    with platform_scope(reason="test"):
        RouteTarget(rule=RouteRule.objects.get(), gateway_account=account, **fields).save()


def draft(shop, **changes):
    return shop.draft(**{"content_class": "informational", **changes})


def list_ways(shop, campaign):
    with tenant_scope(shop.pk):
        found = Message.objects.filter(run=shop.reload(campaign).run)
        return Counter(found.values_list("batch__gateway_account__name", "encoding"))


def list_found(shop, campaign, *lists):
    campaign = shop.reload(campaign)
    with tenant_scope(shop.pk):
        return [(p.code, p.level, p.message) for find in lists for p in find(campaign)]


def test_the_fallback_takes_what_the_first_does_not_carry(shop, plain):
    add_target(add_account("İkinci"), tier=2)
    shop.add_contacts(3)
    shop.add_contacts(2, start=10, name="Zeynep 🍰")
    campaign = draft(shop, text="Sayın [İsim], hoş geldiniz")
    shop.prepare(campaign)
    assert list_ways(shop, campaign) == {("Simülatör", "gsm7-tr-single"): 3, ("İkinci", "ucs2"): 2}
    with tenant_scope(shop.pk):
        whys = {tuple(why for _, _, why in step.candidates) for step in RouteStep.objects.all()}
    assert whys == {("chosen", "later"), ("encoding", "chosen")}
    assert list_found(shop, campaign, list_problems, list_audience_problems) == []


def test_numbers_that_are_shared_keep_to_those_that_carry_it(shop, plain):
    with platform_scope(reason="test"):
        RouteRule.objects.update(balance="share")
    for name in ("İkinci", "Üçüncü"):
        add_target(add_account(name), tier=1)
    shop.add_contacts(60)
    campaign = draft(shop, text=CAKE)
    shop.prepare(campaign)
    ways = list_ways(shop, campaign)
    assert ways.keys() == {("İkinci", "ucs2"), ("Üçüncü", "ucs2")} and ways.total() == 60


def test_who_has_no_other_connection_is_left_out_and_named(shop, plain):
    shop.add_contacts(3)
    shop.add_contacts(2, start=10, name="Zeynep 🍰 “Z”")
    campaign = draft(shop, text="Sayın [İsim]")
    shop.prepare(campaign)
    with tenant_scope(shop.pk):
        snapshot = shop.reload(campaign).snapshot
        details = set(AudienceExclusion.objects.values_list("reason", "detail"))
    assert (snapshot.message_count, snapshot.excluded_counts) == (3, {"characters": 2})
    assert details == {("characters", "🍰“”")}
    [(code, level, said)] = list_found(shop, campaign, list_problems, list_audience_problems)
    assert (code, level) == ("characters", "warn")
    assert said.startswith("2 alıcı") and "🍰 “ ”" in said and "kişilerin" in said and "Türkçe karakter" not in said
    with tenant_scope(shop.pk):
        launch_campaign(campaign=shop.reload(campaign), version=campaign.version, actor=shop.cast.ayse)


def test_what_can_be_spelt_otherwise_is_offered_so(shop, plain):
    shop.add_contacts(2, name="“Zeynep”")
    shop.add_contacts(1, start=10)
    campaign = draft(shop, text="Sayın [İsim]")
    shop.prepare(campaign)
    [(_, _, said)] = list_found(shop, campaign, list_audience_problems)
    assert "“Türkçe karakter kullanma”" in said
    spelt = draft(shop, text="Sayın [İsim]", transliterate=True)
    shop.prepare(spelt)
    assert shop.reload(spelt).run.message_count == 3


def test_a_text_that_no_connection_carries_is_not_even_prepared(shop, plain):
    shop.add_contacts(2)
    campaign = draft(shop, text=CAKE)
    [(code, level, said)] = list_found(shop, campaign, list_problems)
    assert (code, level) == ("characters", "stop") and "🍰" in said and "metinden çıkarın" in said
    with pytest.raises(NotReady):
        shop.prepare(campaign)
    change_account("Simülatör", adapter="mutlucell", settings={"unicode_charset": "unicode"})
    assert list_found(shop, campaign, list_problems) == []


def test_a_character_that_nobody_sees_is_named_by_its_code(shop, plain):
    shop.add_contacts(1)
    [(_, _, said)] = list_found(shop, draft(shop, text="Merhaba\u00a0Ayşe\ufe0f"), list_problems)
    assert "U+00A0 U+FE0F" in said


def test_values_alone_that_nobody_gets_stop_the_launch(shop, plain):
    shop.add_contacts(2, name="🍰")
    campaign = draft(shop, text="Sayın [İsim]")
    shop.prepare(campaign)
    found = list_found(shop, campaign, list_audience_problems)
    assert [(code, level) for code, level, _ in found] == [("nobody_left", "stop"), ("characters", "stop")]
    with tenant_scope(shop.pk), pytest.raises(NotReady):
        launch_campaign(campaign=shop.reload(campaign), version=campaign.version, actor=shop.cast.ayse)


def test_a_connection_that_lost_its_unicode_after_preparing(shop):
    campaign = shop.ready(2, content_class="informational", text=CAKE)
    change_account("Simülatör", adapter="vatansms")
    with tenant_scope(shop.pk), pytest.raises(NotReady):
        launch_campaign(campaign=shop.reload(campaign), version=campaign.version, actor=shop.cast.ayse)


def test_turkish_letters_arrive_over_all_of_them(shop):
    """Also where there are no Turkish tables, and they are counted as UCS-2."""
    shop.add_contacts(1)
    for adapter in ("netgsm", "vatansms", "mutlucell", "figensoft"):
        change_account("Simülatör", adapter=adapter)
        campaign = draft(shop, text="Işıl'ın çağrısı")
        assert list_found(shop, campaign, list_problems) == []
        shop.prepare(campaign)
        assert list_ways(shop, campaign).total() == 1


@pytest.mark.parametrize(("fallback", "unwritable", "to_send"), [(False, 2, 3), (True, 0, 5)])
def test_the_estimate_knows_it_before(shop, plain, fallback, unwritable, to_send):
    if fallback:
        with platform_scope(reason="test"):
            create_rule(name="Sonra", accounts=[add_account("İkinci")], prefix="+90", position=200)
    shop.add_contacts(3)
    shop.add_contacts(2, start=10, name="Zeynep 🍰")
    campaign = draft(shop, text="Sayın [İsim]")
    with tenant_scope(shop.pk):
        estimate = estimate_campaign(campaign, load_sample(campaign))
    assert (estimate.unwritable, estimate.to_send) == (unwritable, to_send)
    assert estimate.characters == (() if fallback else ("🍰",))
    assert estimate.otherwise_left_out == 0
    shop.prepare(campaign)
    assert shop.reload(campaign).run.message_count == to_send


def test_the_counter_counts_as_the_connection_does(shop):
    """Without Turkish tables such letters are UCS-2: 70 to a part."""
    shop.add_contacts(1)
    campaign = draft(shop, text="ğ" * 45)
    for adapter, encoding, parts in (("smpp", "gsm7-tr-single", 1), ("twilio", "ucs2", 2)):
        change_account("Simülatör", adapter=adapter)
        with tenant_scope(shop.pk):
            count = preview_campaign(campaign, load_sample(campaign).contacts, 1).count
        assert (count.encoding, count.parts) == (encoding, parts)
