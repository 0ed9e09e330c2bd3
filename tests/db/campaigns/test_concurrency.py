"""Two at once, on real connections: double launch, two walkers, two editors, an edit during the walk."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from accounts.models import AuditEntry
from accounts.scope import tenant_scope
from billing.selectors import get_balance
from campaigns.models import Campaign
from campaigns.services.audience import prepare_audience
from campaigns.services.drafts import save_draft
from campaigns.services.errors import DraftConflict, NotReady
from campaigns.services.launch import launch_campaign
from campaigns.services.snapshot import walk_audience
from contacts.services.merge import create_staging, merge_contacts

from .funnel import check_funnel

pytestmark = pytest.mark.django_db(transaction=True)


def run_together(*functions):
    """Results or exceptions of functions started at the same moment, each on a connection of its own."""
    barrier = Barrier(len(functions))

    def call(function):
        barrier.wait()
        try:
            return function()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(functions)) as pool:
        return list(pool.map(call, functions))


def test_double_launch_is_one(shop):
    campaign = shop.ready(count=20)

    def launch():
        with tenant_scope(shop.pk):
            return launch_campaign(campaign=campaign, version=1, actor=shop.cast.ayse).status

    assert run_together(*[launch] * 4) == ["launched"] * 4
    with tenant_scope(shop.pk):
        assert get_balance(shop.pk).reserved == 20
        assert AuditEntry.objects.filter(action="campaign.launched").count() == 1


def test_two_walkers_write_everybody_once(shop):
    shop.add_contacts(200)
    campaign = shop.draft()
    with tenant_scope(shop.pk):
        prepare_audience(campaign=campaign, version=1, actor=shop.cast.ayse)

    def walk():
        return walk_audience(campaign_id=campaign.pk, tenant_id=shop.pk, chunk_size=7)

    assert run_together(walk, walk, walk) == [True] * 3
    assert check_funnel(shop, campaign).message_count == 200


def test_an_import_that_began_before_the_walk_and_ends_after_it_is_seen(shop):
    shop.add_contacts(5)
    campaign = shop.draft()
    with ThreadPoolExecutor(1) as pool:
        with tenant_scope(shop.pk):
            create_staging()
            rows = [("+905320000000", "Ada", "{}")]
            merge_contacts(tenant_id=shop.pk, group_id=None, contacts=rows, is_updating=True)
            (ready,) = pool.submit(run_together, lambda: shop.prepare(campaign)).result()
        assert ready is True
    with tenant_scope(shop.pk), pytest.raises(NotReady) as refusal:
        launch_campaign(campaign=shop.reload(campaign), version=1, actor=shop.cast.ayse)
    assert [problem.code for problem in refusal.value.problems] == ["audience_stale"]


def test_of_two_editors_one_wins_and_the_other_hears_of_it(shop):
    campaign = shop.draft()

    def save(user, text):
        with tenant_scope(shop.pk):
            return save_draft(campaign=campaign, version=1, actor=user, text=text)

    results = run_together(
        lambda: save(shop.cast.ayse, "Ayşe'nin metni"), lambda: save(shop.cast.burak, "Burak'ın metni")
    )
    assert sum(isinstance(result, Campaign) for result in results) == 1
    assert sum(isinstance(result, DraftConflict) for result in results) == 1


def test_an_edit_during_the_walk_never_leaves_a_ready_campaign_with_the_old_text(shop):
    shop.add_contacts(100)
    campaign = shop.draft()
    with tenant_scope(shop.pk):
        prepare_audience(campaign=campaign, version=1, actor=shop.cast.ayse)

    def edit():
        with tenant_scope(shop.pk):
            return save_draft(campaign=campaign, version=1, actor=shop.cast.burak, text="Yeni metin").version

    walked, version = run_together(
        lambda: walk_audience(campaign_id=campaign.pk, tenant_id=shop.pk, chunk_size=3), edit
    )
    assert version == 2
    with tenant_scope(shop.pk):
        campaign.refresh_from_db()
        assert campaign.status == "draft"
    assert walked in (True, False)
