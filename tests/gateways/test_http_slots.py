"""Limits that a provider sets for an account, over all links of the account."""

import time

import pytest

from gateways.http.gateway import HttpGateway
from gateways.http.link import RequestLink
from gateways.models import GatewayAccount
from gateways.opening import open_account_gateway
from gateways.types import OutcomeKind, SubmitOutcome
from tests.gateways.wire_cases import Recorder, messages, run, until

SECRETS = {"username": "u", "password": "p"}


@pytest.mark.parametrize(("slots", "rate", "links"), [(1, 100, 1), (2, 100, 2), (4, 3, 3)])
@pytest.mark.parametrize(("settings", "limit"), [({}, 4.0), ({"requests_per_second": 2}, 2.0)])
def test_calls_a_second_are_split_over_slots(slots, rate, links, settings, limit, monkeypatch) -> None:
    """Verimor takes four calls a second, or as many as the account says."""
    monkeypatch.setattr("gateways.opening._complete", lambda adapter, stored, secret, *, is_own: {**stored, **SECRETS})
    account = GatewayAccount(adapter="verimor", rate_per_second=rate, slots=slots, settings=settings)
    called_at: list[float] = []

    async def submit(self, batch):  # type: ignore[no-untyped-def]
        called_at.append(time.monotonic())
        return [SubmitOutcome(m.token, OutcomeKind.ACCEPTED, "1") for m in batch]

    monkeypatch.setattr(HttpGateway, "submit", submit)

    async def scenario() -> None:
        recorder = Recorder()
        gateways = [open_account_gateway(account, slot) for slot in range(len(account.slot_rates))]
        assert len(gateways) == links
        opened = [RequestLink(gateway, recorder) for gateway in gateways]  # type: ignore[arg-type]
        for link in opened:
            link.start()
            for sender in "ABCDE":  # each a call of its own
                link.submit_many([m._replace(sender=sender) for m in messages(1)], is_urgent=True)
        await until(lambda: len(recorder.outcomes) == 5 * links, 30.0)
        for link in opened:
            await link.close()

    run(scenario())
    # Each link may begin at once; from then on all of them together keep the limit.
    assert called_at[-1] - called_at[0] >= (len(called_at) - links) / limit * 0.98
