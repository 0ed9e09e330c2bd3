from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from billing.services import top_up_credits

from .house import House


@pytest.fixture
def tenant(transactional_db, cast):
    top_up_credits(tenant=cast.butik, amount=Decimal(1_000_000), reference="start", actor=None)
    return cast.butik


@pytest.fixture
def house(transactional_db, tmp_path: Path) -> Iterator[House]:
    """Timers short enough for a test: what nobody can find out is unconfirmed after 5 s."""
    house = House(tmp_path, ENGINE_UNKNOWN_SECONDS="5", TICK_SECONDS="1")
    try:
        yield house
    finally:
        house.close()
        print(house.read_logs())
