"""Redis gone: limits are neither open nor shut."""

import pytest

from common.cache import FallbackCache

NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
def cache():
    FallbackCache._asks_redis_after = 0.0
    made = FallbackCache(NOWHERE, {"OPTIONS": {"socket_connect_timeout": 0.2}})
    made._local.clear()
    yield made
    FallbackCache._asks_redis_after = 0.0


def test_counts_in_memory_while_redis_is_down(cache):
    assert cache.add("tries", 1, 60)
    assert not cache.add("tries", 1, 60)
    assert cache.incr("tries") == 2
    assert cache.get("tries") == 2
    assert "tries" in cache
    cache.set_many({"a": 1, "b": 2})
    assert cache.get_many(["a", "b", "c"]) == {"a": 1, "b": 2}
    cache.delete("a")
    assert cache.get("a") is None


def test_one_failure_spares_the_next_calls_the_wait(cache, monkeypatch):
    cache.get("x")
    monkeypatch.setattr(cache._redis, "get", lambda *a, **k: pytest.fail("Redis was asked again"))
    assert cache.get("x") is None
