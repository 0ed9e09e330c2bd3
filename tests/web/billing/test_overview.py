import json
from decimal import Decimal

import pytest
from django.urls import reverse

from accounts.scope import platform_scope, tenant_scope
from billing.run_names import RunName, find_run_names
from billing.selectors import list_ledger
from billing.services import Settlement, hold_credits, open_credit_account, settle_credits, top_up_credits
from messaging.models import SendRun
from tests.launched import launch

URL = "billing:overview"


@pytest.fixture
def funded(cast):
    with tenant_scope(cast.butik.pk):
        open_credit_account(cast.butik)
        for number in range(60):
            top_up_credits(
                tenant=cast.butik, amount=Decimal(10), reference=f"t{number}", actor=None, note=f"Fatura {number}"
            )
        hold_credits(tenant_id=cast.butik.pk, run_id=7, amount=Decimal("12.5"))
    return cast


def test_shows_balance_hold_and_a_running_balance(funded):
    page = funded.client(funded.vildan).get(reverse(URL))
    assert page.context["balance"] == (Decimal("587.5"), Decimal("12.5"))
    newest, second, *_ = page.context["rows"]
    assert (newest["movement"].kind, newest["balance"]) == ("hold", Decimal("587.5"))
    assert second["balance"] == Decimal(600)
    text = page.content.decode()
    assert "587,5" in text
    assert "−12,5" in text


def test_the_running_balance_goes_on_over_pages(funded):
    client = funded.client(funded.vildan)
    first = client.get(reverse(URL)).context
    last = first["rows"][-1]
    following = client.get(reverse(URL), {"after": first["page"].next_cursor}).context
    assert len(following["rows"]) == 11
    assert following["rows"][0]["balance"] == last["balance"] - last["movement"].available_delta
    assert following["rows"][-1]["balance"] == Decimal(10)
    assert following["page"].next_cursor == ""
    back = client.get(reverse(URL), {"before": following["page"].previous_cursor}).context
    assert [row["movement"].pk for row in back["rows"]] == [row["movement"].pk for row in first["rows"]]


def test_filters_by_kind_without_a_running_balance(funded):
    rows = funded.client(funded.vildan).get(reverse(URL), {"kind": "hold"}).context["rows"]
    assert [(row["movement"].kind, row["balance"]) for row in rows] == [("hold", None)]
    assert funded.client(funded.vildan).get(reverse(URL), {"kind": "nonsense", "after": "%%"}).status_code == 200


def test_strangers_see_their_own(funded):
    assert funded.client(funded.can).get(reverse(URL)).context["rows"] == []


def test_wrong_method(cast):
    assert cast.client(cast.ayse).post(reverse(URL)).status_code == 405


def test_usage_does_not_bury_the_statement(funded):
    with platform_scope(reason="test"):
        settle_credits([Settlement(funded.butik.pk, 7, "capture", Decimal(2), 2, "c1")])
    client = funded.client(funded.vildan)
    assert "capture" not in {row["movement"].kind for row in client.get(reverse(URL)).context["rows"]}
    assert [row["movement"].kind for row in client.get(reverse(URL), {"kind": "capture"}).context["rows"]] == [
        "capture"
    ]


def test_a_hold_is_called_by_its_campaign_and_leads_to_its_report(cast):
    campaign = launch(cast, 3, name="Sonbahar indirimi")
    page = cast.client(cast.ayse).get(reverse(URL))
    (hold,) = [row for row in page.context["rows"] if row["movement"].kind == "hold"]
    report = reverse("reporting:campaign_report", args=[campaign.public_id])
    assert hold["run_name"] == RunName("Sonbahar indirimi", report)
    assert f'<a href="{report}">Sonbahar indirimi</a>' in page.content.decode()


def test_test_sends_say_so_and_foreign_runs_have_no_name(cast):
    campaign = launch(cast, 3, name="Sonbahar indirimi")
    with tenant_scope(cast.butik.pk):
        SendRun.objects.filter(pk=campaign.run_id).update(origin_type="test")
        names = find_run_names(cast.butik.pk, [campaign.run_id])
        assert names == {campaign.run_id: RunName("Test gönderimi: Sonbahar indirimi")}
        campaign.delete()
        assert find_run_names(cast.butik.pk, [campaign.run_id]) == {campaign.run_id: RunName("Test gönderimi")}
    with tenant_scope(cast.rakip.pk):
        assert find_run_names(cast.rakip.pk, [campaign.run_id]) == {}


def test_a_page_reads_the_lines_of_its_own_movements(funded):
    """Not those of all movements there ever were: usage is booked many times a minute."""
    with tenant_scope(funded.butik.pk):
        plan = list_ledger(funded.butik.pk)[:5].explain(analyze=True, format="json")
    scans = list(iter_scans(json.loads(plan)[0]["Plan"], "billing_ledgerentry"))
    assert scans and sum(scan["Actual Rows"] * scan["Actual Loops"] for scan in scans) <= 20


def iter_scans(node, table):
    if node.get("Relation Name") == table:
        yield node
    for child in node.get("Plans", []):
        yield from iter_scans(child, table)
