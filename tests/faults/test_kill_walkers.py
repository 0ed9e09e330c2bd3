import random
import signal
import sys
import time

import pytest

from accounts.scope import tenant_scope
from campaigns.models import AudienceStretch
from campaigns.services.audience import prepare_audience
from campaigns.services.snapshot import begin_walk
from tests.db.campaigns.funnel import check_funnel
from tests.shop import Shop, build_shop

from .house import House, wait_for

CONTACTS = 6000
KILLS = 6
SEED = 20261122


@pytest.fixture
def shop(transactional_db, cast) -> Shop:
    return build_shop(cast)


@pytest.mark.slow
def test_kills_of_walkers_lose_and_repeat_nobody(house: House, shop: Shop):
    """W1: two walkers share an audience, one after the other is killed, the last two finish it."""
    rng = random.Random(SEED)
    shop.add_contacts(CONTACTS)
    shop.suppress(*(f"+90532{number:07d}" for number in range(0, CONTACTS, 100)))
    campaign = shop.draft()
    with tenant_scope(shop.pk):
        prepare_audience(campaign=campaign, version=1, actor=shop.cast.ayse)
    left = begin_walk(campaign_id=campaign.pk, tenant_id=shop.pk, chunk_size=20)
    assert left == CONTACTS / 20

    def start(name: str) -> None:
        house._spawn(name, sys.executable, "-m", "tests.faults.walker", str(campaign.pk), str(shop.pk))

    def count_left() -> int:
        with tenant_scope(shop.pk):
            return AudienceStretch.objects.count()

    names = ("first", "second")
    for name in names:
        start(name)
    kills = 0
    while kills < KILLS:
        before = count_left()
        wait_for(lambda before=before: count_left() < before, 60, house.read_logs)
        time.sleep(rng.uniform(0, 0.1))
        victim = names[kills % 2]
        if house.processes[victim].poll() is not None:
            break  # the other was quick
        house.signal(victim, signal.SIGKILL)
        kills += 1
        start(victim)
    assert kills >= 2
    wait_for(lambda: shop.reload(campaign).status == "ready", 60, house.read_logs)
    snapshot = check_funnel(shop, campaign)
    assert snapshot.excluded_counts == {"suppressed": CONTACTS // 100}
    assert snapshot.message_count == CONTACTS - CONTACTS // 100
