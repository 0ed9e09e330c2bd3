"""What a demo through a provider's double counts as a violation: nothing may hide behind "unknown" or a good day."""

import pytest

from accounts.scope import tenant_scope
from gateways.registry import get_gateway_class
from gateways.simulator.journal import JournalEntry
from messaging.models import Message
from reporting.management.provider_day import count_ever_unknown, find_good_days, find_unheard
from tests.launched import launch, move

BAD_DAY = {"throttled": 5, "lost_answers": 2, "late_receipts": 9, "doubled_receipts": 20}


@pytest.fixture
def campaign(cast):
    return launch(cast, 4)


def entry(token, status=0):
    return JournalEntry(0.0, 1, "905320000000", "PEYKDEMO", "Merhaba", 0, 1, 1, token, 7, status)


@pytest.mark.parametrize(
    ("gateway", "is_told"),
    [
        ("netgsm", True),  # it can be asked what it took
        ("verimor", True),
        ("vonage", True),  # it calls us
        ("figensoft", False),  # neither: nobody can know
        ("mutlucell", False),
    ],
)
def test_unconfirmed_is_a_violation_where_the_provider_tells(campaign, gateway, is_told):
    move(campaign, range(3), "unknown")
    move(campaign, [0, 1], "unconfirmed")
    with tenant_scope(campaign.tenant_id):
        first, second, third, fourth = Message.objects.filter(run=campaign.run).order_by("position")
    journal = [entry(first.pk, None), entry(second.pk, 0x58), entry(third.pk, 0), entry(fourth.pk, 0), entry(None)]
    found = find_unheard(get_gateway_class(gateway).capabilities, campaign.run, journal)
    expected = [f"message {m.pk} is unconfirmed, but the provider told of it" for m in (first, third)]
    assert sorted(found) == (expected if is_told else [])


def test_what_was_ever_unknown_is_counted_after_it_was_cleared(campaign):
    move(campaign, range(3), "unknown")
    move(campaign, [0, 1], "delivered")
    assert count_ever_unknown(campaign.run) == 3


def test_a_day_without_mischief_proves_nothing():
    assert find_good_days(BAD_DAY, 1900) == []
    good = {**BAD_DAY, "throttled": 0, "doubled_receipts": 0}
    assert find_good_days(good, 1900) == [
        "the double had none of these: throttled",
        "the double had none of these: doubled_receipts",
    ]
    assert find_good_days(good, 100) == [], "so few may have it by chance"
