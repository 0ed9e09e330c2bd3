import pytest

from tests.shop import shop

from .connecting import add, get_account

__all__ = ["shop"]


@pytest.fixture
def asked(monkeypatch):
    """Tests of connections that were handed to a worker; none is made."""
    found = []
    monkeypatch.setattr("gateways.tasks.check_connection.delay", found.append)
    return found


@pytest.fixture
def account(cast):
    assert add(cast.client(cast.ayse)).status_code == 302
    return get_account(cast)
