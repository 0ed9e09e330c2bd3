"""The failover drill: the primary connection refuses, then hangs, then is well again."""

import time

import pytest
from django.urls import reverse

from accounts.scope import platform_scope
from campaigns.models import Campaign
from gateways.routing.book import create_rule
from gateways.simulator.journal import find_duplicates
from messaging.models import Message, RouteStep
from messaging.services import writing
from messaging.services.check import check_engine
from tests.engine_runs import count_states, make_routed_run, make_rows

from .house import read_run_state
from .two_operators import Operators, make_account, read_health, sending, tick

MESSAGES = 2000
BREAKER = {"streak": 10, "open_seconds": 1.0, "step_seconds": 0.4, "window_least": 20}


@pytest.fixture
def operators(tmp_path):
    operators = Operators(tmp_path, "primary", "spare")
    yield operators
    operators.close()


@pytest.fixture
def fast(settings, monkeypatch):
    """Timers for a test; small batches, so that there is something to bring back."""
    settings.ROUTING_BREAKER = BREAKER
    settings.ENGINE_UNKNOWN_SECONDS = 4
    monkeypatch.setattr(writing, "BATCH_SIZE", 50)


class Drill:
    def __init__(self, operators, tenant):
        self.operators = operators
        # The spare is too slow to do it alone: the run needs the primary back.
        self.primary = make_account("primary", operators.ports["primary"], rate_per_second=400, window_size=20)
        self.spare = make_account("spare", operators.ports["spare"], rate_per_second=100, window_size=20)
        with platform_scope(reason="test"):
            create_rule(name="Türkiye", accounts=[self.primary, self.spare], prefix="+90")
        self.run = make_routed_run(tenant, make_rows(MESSAGES))

    def wait(self, what, seconds=15.0):
        began = time.monotonic()
        while not what():
            assert time.monotonic() - began < seconds, (read_health(self.primary), count_states(self.run))
            tick(self.run.pk)
            time.sleep(0.1)
        return time.monotonic() - began

    def taken(self, name):
        return self.operators.count_taken(name)

    def list_moves(self):
        with platform_scope(reason="test"):
            steps = RouteStep.objects.filter(run_id=self.run.pk).order_by("pk")
            return [(step.cause, step.detail, step.gateway_account_id) for step in steps]


def read_the_story(drill, cast):
    """The page of a message that went away and came back."""
    with platform_scope(reason="test"):
        campaign = Campaign(tenant_id=drill.run.tenant_id, name="Sonbahar", status="launched", run=drill.run)
        campaign.save()
        message = Message.objects.filter(run=drill.run, batch__route_step__cause="returned").first()
    url = reverse("reporting:recipient_way", args=[campaign.public_id, message.pk])
    page = cast.client(cast.ayse).get(url).content.decode()
    parts = ["Mesajlar hazırlanırken karar verildi", "bağlantıda sorun vardı", "bağlantı düzeldi"]
    places = [page.index(part) for part in parts]
    assert places == sorted(places)


@pytest.mark.slow
def test_refuses_then_hangs_then_returns(operators, tenant, fast, cast):
    drill = Drill(operators, tenant)
    operators.change("primary", refusals=[{"pattern": ".*", "status": 0x08}])
    with sending(drill.primary, drill.spare):
        assert drill.wait(lambda: drill.taken("spare") >= 100) < 10
        assert drill.taken("primary") == 0

        operators.change("primary", lost_answer_ratio=1.0)  # takes them, and says nothing any more
        drill.wait(lambda: drill.taken("primary") > 0)
        drill.wait(lambda: read_health(drill.primary)[0] == "open")
        assert drill.taken("primary") <= 10  # a few to try, not a stride

        operators.change("primary")
        began = time.monotonic()
        drill.wait(lambda: read_health(drill.primary) == ("closed", 100))
        before = drill.taken("primary")
        drill.wait(lambda: drill.taken("primary") >= before + 400)
        assert time.monotonic() - began < 60
        drill.wait(lambda: read_run_state(drill.run) == "completed", 25)

    states = count_states(drill.run)
    assert set(states) <= {"delivered", "unconfirmed"} and sum(states.values()) == MESSAGES
    journals = [operators.read_journal(name) for name in ("primary", "spare")]
    assert not any(list(find_duplicates(journal)) for journal in journals)
    first, second = ({entry.token for entry in journal if not entry.status} for journal in journals)
    assert not first & second  # nobody was written to over both
    assert len(first | second) == MESSAGES
    with platform_scope(reason="test"):
        assert check_engine() == []
    read_the_story(drill, cast)
    moves = drill.list_moves()
    assert ("resting", "failures", drill.spare.pk) in moves
    assert ("returned", "", drill.primary.pk) in moves
