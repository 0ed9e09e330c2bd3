"""Texts of more parts than a connection takes: another one takes the message, or somebody is told before."""

from collections import Counter

import pytest

from accounts.scope import platform_scope, tenant_scope
from campaigns.models import AudienceExclusion
from campaigns.selectors.checks import list_audience_problems, list_problems
from campaigns.selectors.estimate import estimate_campaign, load_sample
from campaigns.selectors.lengths import find_estimated_problems
from campaigns.services.errors import NotReady
from campaigns.services.test_send import send_test
from gateways.models import BilledProfile, GatewayAccount, RouteRule, RouteTarget
from messaging.models import Message, RouteStep
from smscore import parse_msisdn

TWO, FOUR = {"kod": "a" * 200}, {"kod": "a" * 500}


@pytest.fixture
def short(shop):
    """The shop's only connection takes three parts at most."""
    with platform_scope(reason="test"):
        account = GatewayAccount.objects.get()
        BilledProfile(gateway_account=account, most_parts=3).save()
    return account


@pytest.fixture
def fallback(short):
    with platform_scope(reason="test"):
        account = GatewayAccount(name="İkinci", adapter="smpp")
        account.save()
        RouteTarget(rule=RouteRule.objects.get(), gateway_account=account, tier=2).save()
    return account


def draft(shop, text="Kodunuz [Kod]"):
    shop.add_contacts(3, attributes=TWO)
    shop.add_contacts(2, start=10, attributes=FOUR)
    return shop.draft(content_class="informational", text=text)


def list_found(shop, campaign, *lists):
    campaign = shop.reload(campaign)
    with tenant_scope(shop.pk):
        return [(p.code, p.level) for find in lists for p in find(campaign)]


def test_the_fallback_takes_what_is_too_long_for_the_first(shop, fallback):
    campaign = draft(shop)
    with tenant_scope(shop.pk):
        estimate = estimate_campaign(campaign, load_sample(campaign))
    assert (estimate.too_long, estimate.to_send) == (0, 5)
    shop.prepare(campaign)
    with tenant_scope(shop.pk):
        ways = Counter(Message.objects.values_list("batch__gateway_account__name", "parts"))
        whys = {tuple(why for _, _, why in step.candidates) for step in RouteStep.objects.all()}
    assert ways == {("Simülatör", 2): 3, ("İkinci", 4): 2}
    assert whys == {("chosen", "later"), ("length", "chosen")}
    assert list_found(shop, campaign, list_problems, list_audience_problems) == []


def test_who_has_no_other_connection_is_left_out_and_somebody_told(shop, short):
    campaign = draft(shop)
    with tenant_scope(shop.pk):
        estimate = estimate_campaign(campaign, load_sample(campaign))
        [told] = find_estimated_problems(campaign, estimate)
    assert (estimate.too_long, estimate.to_send, estimate.unreachable) == (2, 3, 0)
    assert (told.code, told.level) == ("too_long", "warn") and told.message.startswith("2 alıcı bu mesajı alamaz")
    shop.prepare(campaign)
    with tenant_scope(shop.pk):
        snapshot = shop.reload(campaign).snapshot
        details = set(AudienceExclusion.objects.values_list("reason", "detail"))
    assert (snapshot.message_count, snapshot.excluded_counts) == (3, {"too_long": 2})
    assert details == {("too_long", "4")}
    assert list_found(shop, campaign, list_problems, list_audience_problems) == [("too_long", "warn")]


def test_a_text_too_long_for_every_connection_is_not_even_prepared(shop, short):
    campaign = draft(shop, "a" * 500)
    assert list_found(shop, campaign, list_problems) == [("too_long", "stop")]
    with pytest.raises(NotReady):
        shop.prepare(campaign)
    with tenant_scope(shop.pk):
        [told] = find_estimated_problems(campaign, estimate_campaign(campaign, load_sample(campaign)))
    assert (told.code, told.level) == ("too_long", "stop")


def test_a_text_too_long_for_us_is_named_once(shop, short):
    campaign = draft(shop, "a" * 1600)
    assert list_found(shop, campaign, list_problems) == [("too_many_parts", "stop")]
    with tenant_scope(shop.pk):
        assert find_estimated_problems(campaign, estimate_campaign(campaign, load_sample(campaign))) == []


def test_a_test_message_is_refused_with_the_reason(shop, short):
    campaign = draft(shop)
    [contact] = shop.add_contacts(1, start=20, attributes=FOUR)
    with tenant_scope(shop.pk), pytest.raises(NotReady) as refusal:
        send_test(campaign=campaign, msisdn=parse_msisdn("05551112233"), contact=contact, actor=shop.cast.ayse)
    assert [problem.code for problem in refusal.value.problems] == ["too_long"]
