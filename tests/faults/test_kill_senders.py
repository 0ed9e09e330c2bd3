"""S1, S4, W3: whatever process is killed or stopped at whatever moment, nobody is written to twice, nobody is lost,
and the run ends by itself."""

import json
import os
from pathlib import Path

import pytest

from .house import House
from .storm import Storm, weather

SEED = int(os.environ.get("PEYK_FAULTS_SEED", "20261122"))


def expect_no_harm(result):
    assert result["violations"] == [] and result["duplicates"] == 0 and result["lost"] == 0, result
    assert sum(result["states"].values()) == result["messages"], result
    assert set(result["states"]) <= {"delivered", "unconfirmed"}, result
    # Each kill leaves at most one stride and one flush of every slot in doubt; receipts clear most of it.
    assert result["ever_unknown"] <= result["most_unknown"], result
    assert result["submits"] >= result["states"]["delivered"], result


@pytest.mark.slow
def test_ten_kills_in_five_thousand_messages(house: House, tenant):
    house.start_simulator(receipt_delay=[20, 300], answer_delay=[0, 60])
    result = weather(house, tenant, Storm(messages=5000, kills=10, stops=1, seed=SEED, rate=600))
    expect_no_harm(result)
    assert result["seconds_after_last_hit"] < 60


@pytest.mark.slow
@pytest.mark.skipif("PEYK_FAULTS_LONG" not in os.environ, reason="takes half an hour: ./dev faults --long")
def test_two_hundred_kills_and_twenty_five_stops(house: House, tenant):
    house.environment["ENGINE_UNKNOWN_SECONDS"] = "90"  # time for receipts that wait for a bind
    house.start_simulator(receipt_delay=[20, 300], answer_delay=[0, 60])
    result = weather(house, tenant, Storm(messages=100_000, kills=200, stops=25, seed=SEED, rate=250))
    Path(os.environ["PEYK_FAULTS_SUMMARY"]).write_text(json.dumps(result))
    expect_no_harm(result)
