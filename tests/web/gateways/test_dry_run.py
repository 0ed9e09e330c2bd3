"""Drafts of routing rules, tried on last month's traffic."""

from decimal import Decimal

import pytest
from django.urls import reverse

from accounts.models import AuditEntry, User
from accounts.scope import platform_scope
from billing.services import top_up_credits
from gateways.models import GatewayAccount, RouteRule, RouteTarget
from gateways.routing.book import create_rule
from messaging.selectors.dry_run import Load, try_rules
from tests.engine_runs import make_routed_run, make_rows

URL = "admin:messaging_routestep_dry_run"


@pytest.fixture
def staff(cast):
    return cast.client(User.objects.create_superuser("staff@example.com", None))


@pytest.fixture
def drafts(cast):
    """Ten Turkcell and six Vodafone messages over one connection; drafts that part them by operator and share."""
    top_up_credits(tenant=cast.butik, amount=Decimal(1000), reference="test", actor=None)
    with platform_scope(reason="test"):
        first, second = (GatewayAccount(name=name, adapter="smpp") for name in ("Birinci", "İkinci"))
        first.save()
        second.save()
        rule = create_rule(name="Hepsi", accounts=[first], prefix="+90")
        RouteTarget.objects.update(cost_per_part=Decimal("0.04"))
    make_routed_run(cast.butik, make_rows(10))
    make_routed_run(cast.butik, make_rows(6, operator="vodafone", parts=2))
    with platform_scope(reason="test"):
        vodafone = create_rule(name="Vodafone", accounts=[second], prefix="+90", operator="vodafone", state="draft")
        shared = create_rule(name="Paylaş", accounts=[first, second], prefix="+90", state="draft", balance="share")
        shared.replaces = rule
        shared.save()
        RouteTarget.objects.filter(rule=shared).update(tier=1, cost_per_part=Decimal("0.04"))
        RouteTarget.objects.filter(rule=vodafone).update(cost_per_part=Decimal("0.03"))
    return [vodafone, shared]


def test_where_it_would_have_gone(drafts):
    with platform_scope(reason="test"):
        found = try_rules(drafts)
    lines = {line.connection: line for line in found.lines}
    assert lines["Birinci"].now == Load(16, 22, Decimal("0.88"))
    assert lines["Birinci"].then == Load(5, 5, Decimal("0.20"))
    assert lines["İkinci"].then == Load(11, 17, Decimal("0.56"))  # six to Vodafone, and half of the rest
    assert found.total.difference == Load(0, 0, Decimal("-0.12"))


def test_without_any_rule_nothing_gets_through(drafts):
    with platform_scope(reason="test"):
        RouteRule.objects.filter(state="active").update(state="off")
        (line,) = try_rules([]).lines
    assert (line.connection, line.now.messages) == ("", 16)


def test_the_page_shows_it_and_puts_it_into_force(staff, drafts):
    asked = {"drafts": [draft.pk for draft in drafts]}
    page = staff.get(reverse(URL), asked).content.decode()
    assert "Birinci" in page and "0,88" in page and "-0,12" in page
    answer = staff.post(reverse(URL), asked)
    assert answer["Location"] == reverse("admin:gateways_routerule_changelist")
    with platform_scope(reason="test"):
        states = dict(RouteRule.objects.values_list("name", "state"))
        assert AuditEntry.objects.filter(action="route.drafts_applied").count() == 2
    assert states == {"Hepsi": "off", "Vodafone": "active", "Paylaş": "active"}


def test_no_draft_no_form(staff, db):
    assert "Taslak yok" in staff.get(reverse(URL)).content.decode()


def test_what_is_no_draft_cannot_be_tried(staff, drafts):
    with platform_scope(reason="test"):
        active = RouteRule.objects.get(state="active")
    page = staff.get(reverse(URL), {"drafts": [active.pk]})
    assert page.status_code == 200
    assert page.context["found"] is None


def test_staff_only(cast, drafts):
    assert cast.client(cast.ayse).get(reverse(URL)).status_code == 302
    helper = User.objects.create_user("helper@example.com", None, is_staff=True)
    assert cast.client(helper).get(reverse(URL)).status_code == 403
