"""The snapshot asks the routing rules: shares, operators, ported numbers, and the decision written with the batch."""

from collections import Counter

import pytest
from django.core.management import call_command

from accounts.scope import platform_scope, tenant_scope
from campaigns.selectors.estimate import estimate_campaign, load_sample
from campaigns.selectors.live import preview_campaign
from gateways.models import BilledProfile, GatewayAccount, PortedNumber, RouteRule, RouteTarget
from gateways.routing.book import create_rule
from messaging.models import Message, MessageBatch, RouteStep


@pytest.fixture
def accounts(shop):
    """The connection of the shop's rule, and another one."""
    with platform_scope(reason="test"):
        other = GatewayAccount(name="İkinci", adapter="smpp")
        other.save()
        return GatewayAccount.objects.exclude(pk=other.pk).get(), other


def count_by_account(campaign):
    with tenant_scope(campaign.tenant_id):
        return Counter(Message.objects.filter(run=campaign.run).values_list("batch__gateway_account_id", flat=True))


def test_the_batch_names_the_decision(shop, accounts):
    campaign = shop.ready(5)
    with tenant_scope(shop.pk):
        (step,) = RouteStep.objects.filter(run=campaign.run)
        (batch,) = MessageBatch.objects.filter(run=campaign.run)
    assert batch.route_step_id == step.pk
    assert batch.encoding == "gsm7"
    assert (step.cause, step.rule_name, step.gateway_account_id) == ("decided", "Türkiye", accounts[0].pk)
    assert step.candidates == [[accounts[0].pk, "Simülatör", "chosen"]]


def test_shares_part_an_audience(shop, accounts):
    with platform_scope(reason="test"):
        rule = RouteRule.objects.get()
        rule.balance = "share"
        rule.save()
        RouteTarget(rule=rule, gateway_account=accounts[1], tier=1, weight=3).save()
    campaign = shop.ready(400)
    counts = count_by_account(campaign)
    assert counts[accounts[1].pk] == pytest.approx(300, abs=40)
    assert counts.total() == 400
    with tenant_scope(shop.pk):
        assert RouteStep.objects.filter(run=campaign.run).count() == 2


def test_walkers_share_the_rows_of_decisions(shop, accounts):
    shop.add_contacts(30)
    campaign = shop.draft()
    shop.prepare(campaign, chunk_size=10)
    with tenant_scope(shop.pk):
        assert RouteStep.objects.count() == 1


def test_a_ported_number_goes_where_it_is(shop, accounts, tmp_path):
    with platform_scope(reason="test"):
        create_rule(name="Vodafone", accounts=[accounts[1]], prefix="+90", operator="vodafone")
    shop.add_contacts(3)
    numbers = tmp_path / "ported.csv"
    numbers.write_text("0532 000 00 01;Vodafone\n+905320000002;turkcell\nkimse;vodafone\n0532 000 00 09;uzay\n")
    call_command("load_ported_numbers", str(numbers))
    assert PortedNumber.objects.count() == 2
    campaign = shop.draft()
    shop.prepare(campaign)
    campaign = shop.reload(campaign)
    with tenant_scope(shop.pk):
        found = Message.objects.filter(run=campaign.run).values_list(
            "msisdn", "operator", "batch__gateway_account__name"
        )
        assert set(found) == {
            ("+905320000000", "turkcell", "Simülatör"),
            ("+905320000001", "vodafone", "İkinci"),
            ("+905320000002", "turkcell", "Simülatör"),
        }


def test_parts_are_what_the_provider_bills(shop, accounts):
    with platform_scope(reason="test"):
        BilledProfile(gateway_account=accounts[0], suffix_units=5).save()
    campaign = shop.ready(1, content_class="informational", text="a" * 158, append_opt_out=False)
    assert campaign.run.part_count == 2  # with the operator's code behind it
    assert campaign.run.credits == 2


def test_parts_are_what_the_provider_is_known_to_bill(shop, accounts):
    """İleti Merkezi counts the operator's code, unless staff say otherwise."""
    with platform_scope(reason="test"):
        GatewayAccount.objects.filter(pk=accounts[0].pk).update(adapter="iletimerkezi")
    campaign = shop.draft(content_class="informational", text="a" * 156, append_opt_out=False)
    shop.add_contacts(1)
    with tenant_scope(shop.pk):
        sample = load_sample(campaign)
        count = preview_campaign(campaign, sample.contacts, 1).count
        assert (count.parts, count.units, count.capacity, count.left) == (2, 156, 301, 145)
        assert estimate_campaign(campaign, sample).parts == 2
    shop.prepare(campaign)
    assert shop.reload(campaign).run.part_count == 2
    with platform_scope(reason="test"):
        BilledProfile(gateway_account=accounts[0]).save()
    with tenant_scope(shop.pk):
        assert preview_campaign(campaign, sample.contacts, 1).count.parts == 1
        assert estimate_campaign(campaign, sample).parts == 1


def test_vatansms_counts_an_umlaut_as_turkish(shop, accounts):
    """Sent as `turkce`, where a part has 155 characters; over other connections it may go on as what it is, GSM-7."""
    with platform_scope(reason="test"):
        GatewayAccount.objects.filter(pk=accounts[0].pk).update(adapter="vatansms")
    shop.add_contacts(1)
    campaign = shop.draft(content_class="informational", text="Ü" + "a" * 157, append_opt_out=False)
    with tenant_scope(shop.pk):
        sample = load_sample(campaign)
        count = preview_campaign(campaign, sample.contacts, 1).count
        assert (count.parts, count.encoding, count.capacity) == (2, "gsm7-tr-single", 298)
        assert estimate_campaign(campaign, sample).parts == 2
    shop.prepare(campaign)
    run = shop.reload(campaign).run
    assert run.part_count == run.credits == 2
    with tenant_scope(shop.pk):
        assert Message.objects.get(run=run).encoding == "gsm7"


def test_no_turkish_tables_over_an_adapter_without_them(shop, accounts):
    with platform_scope(reason="test"):
        GatewayAccount.objects.filter(pk=accounts[0].pk).update(adapter="figensoft")
    campaign = shop.ready(1, content_class="informational", text="ğ" * 71)
    with tenant_scope(shop.pk):
        assert Message.objects.get(run=campaign.run).encoding == "ucs2"
    assert campaign.run.part_count == 2


def test_not_over_a_connection_that_does_not_know_the_sender_id(shop, accounts):
    with platform_scope(reason="test"):
        rule = RouteRule.objects.get()
        RouteTarget(rule=rule, gateway_account=accounts[1], tier=2).save()
        GatewayAccount.objects.filter(pk=accounts[0].pk).update(needs_sender_approval=True)
    campaign = shop.ready(2)
    assert count_by_account(campaign) == {accounts[1].pk: 2}
    with tenant_scope(shop.pk):
        (step,) = RouteStep.objects.filter(run=campaign.run)
    assert [why for _, _, why in step.candidates] == ["sender", "chosen"]
