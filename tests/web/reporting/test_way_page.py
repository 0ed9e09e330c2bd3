"""Why did this message go there? One file per view."""

from decimal import Decimal

import pytest
from django.urls import reverse

from accounts.models import User
from accounts.scope import platform_scope, tenant_scope
from billing.services import top_up_credits
from campaigns.models import Campaign
from gateways.models import AccountHealth, GatewayAccount
from gateways.routing.book import create_rule
from messaging.models import Message
from messaging.scope import engine_scope
from messaging.services.rerouting import reroute_waiting
from tests.engine_runs import make_routed_run, make_rows


@pytest.fixture
def moved(cast):
    """A campaign's message that was moved away from a connection that rested."""
    top_up_credits(tenant=cast.butik, amount=Decimal(10), reference="test", actor=None)
    with platform_scope(reason="test"):
        accounts = [GatewayAccount(name=name, adapter="smpp") for name in ("Birinci hat", "İkinci hat")]
        for account in accounts:
            account.save()
        create_rule(name="Türkiye kuralı", accounts=accounts, prefix="+90")
    run = make_routed_run(cast.butik, make_rows(1))
    with platform_scope(reason="test"):
        AccountHealth(gateway_account=accounts[0], state="open", share=0, cause="failures").save()
    with engine_scope(reason="test"):
        reroute_waiting()
    with tenant_scope(cast.butik.pk):
        campaign = Campaign(tenant=cast.butik, name="Sonbahar", status="launched", run=run)
        campaign.save()
        message = Message.objects.get(run=run)
    return campaign, message


def address(campaign, message):
    return reverse("reporting:recipient_way", args=[campaign.public_id, message.pk])


def test_tells_the_story(cast, moved):
    page = cast.client(cast.vildan).get(address(*moved)).content.decode()
    assert page.index("Birinci hat") < page.index("İkinci hat")
    assert "Türkiye kuralı" in page
    assert "üst üste birkaç hata" in page
    assert "Sırası gelince" in page  # what the other connection was when it was decided


def test_the_recipient_page_leads_there(cast, moved):
    campaign, message = moved
    page = cast.client(cast.burak).get(reverse("reporting:recipient", args=[campaign.public_id, message.pk]))
    assert address(*moved) in page.content.decode()


def test_a_message_from_before(cast, moved):
    campaign, message = moved
    with platform_scope(reason="test"):
        message.batch.route_step_id = None
        message.batch.save()
    page = cast.client(cast.ayse).get(address(campaign, message))
    assert page.status_code == 200
    assert "Birinci hat" not in page.content.decode()


@pytest.mark.parametrize("method", ["post", "put"])
def test_reading_only(cast, moved, method):
    assert getattr(cast.client(cast.ayse), method)(address(*moved)).status_code == 405


def test_strangers_and_wrong_ids_get_404(cast, moved):
    campaign, message = moved
    assert cast.client(cast.can).get(address(campaign, message)).status_code == 404
    wrong = reverse("reporting:recipient_way", args=[campaign.public_id, message.pk + 1])
    assert cast.client(cast.ayse).get(wrong).status_code == 404


def test_staff_read_it_in_the_administration(cast, moved):
    staff = cast.client(User.objects.create_superuser("staff@example.com", None))
    page = staff.get(reverse("admin:messaging_message_change", args=[moved[1].pk])).content.decode()
    assert "İkinci hat" in page and "Birinci hat: Seçildi" in page
