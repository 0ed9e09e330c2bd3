import pytest

from gateways import backoff


@pytest.fixture
def quick(monkeypatch) -> None:
    monkeypatch.setattr(backoff, "LOST_FIRST", 0.05)
    monkeypatch.setattr(backoff, "REFUSED_FIRST", 0.05)
