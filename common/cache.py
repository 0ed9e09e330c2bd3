"""Redis while it answers, this process's memory while it does not.

Sign-in limits count in the cache. With Redis down they must be neither open nor shut (reliability, section 6): each
process then counts for itself. Nothing that must not be lost is ever kept here.
"""

import logging
import time
from typing import Any

from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

RETRY_SECONDS = 5.0
logger = logging.getLogger(__name__)


class FallbackCache(BaseCache):
    """Django's Redis cache that asks local memory instead for a few seconds after each failure."""

    _asks_redis_after = 0.0  # of the process: one failure spares every thread the wait

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._redis = RedisCache(server, params)
        self._local = LocMemCache("redis-is-down", {})

    def _call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() >= FallbackCache._asks_redis_after:
            try:
                return getattr(self._redis, method)(*args, **kwargs)
            except RedisError as error:
                FallbackCache._asks_redis_after = time.monotonic() + RETRY_SECONDS
                logger.warning("cache_fell_back_to_memory", extra={"error": type(error).__name__})
        return getattr(self._local, method)(*args, **kwargs)

    def add(self, *args: Any, **kwargs: Any) -> Any:
        return self._call("add", *args, **kwargs)

    def get(self, *args: Any, **kwargs: Any) -> Any:
        return self._call("get", *args, **kwargs)

    def set(self, *args: Any, **kwargs: Any) -> Any:
        return self._call("set", *args, **kwargs)

    def touch(self, *args: Any, **kwargs: Any) -> Any:
        return self._call("touch", *args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        return self._call("delete", *args, **kwargs)

    def get_many(self, *args: Any, **kwargs: Any) -> Any:
        return self._call("get_many", *args, **kwargs)

    def set_many(self, *args: Any, **kwargs: Any) -> Any:
        return self._call("set_many", *args, **kwargs)

    def delete_many(self, *args: Any, **kwargs: Any) -> Any:
        return self._call("delete_many", *args, **kwargs)

    def has_key(self, *args: Any, **kwargs: Any) -> Any:
        return self._call("has_key", *args, **kwargs)

    def incr(self, *args: Any, **kwargs: Any) -> Any:
        return self._call("incr", *args, **kwargs)

    def clear(self) -> Any:
        self._local.clear()
        return self._call("clear")
