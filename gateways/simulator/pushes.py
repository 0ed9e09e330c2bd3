"""Calls of a double to whoever it tells: a few at once over connections that are kept, each until it is taken."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

import httpx

AT_ONCE = 16
ANSWER_SECONDS = 10.0
KEEP_SECONDS = 1.0
"""Shorter than servers keep an idle connection: a call that meets its closing would have to be made twice."""


class Pusher:
    """Counts ``pushes`` (answered, however) and ``pushes_failed`` (not taken) in ``counts``. ``most_tries`` 0: until it
    is taken. ``wait_before_retry``: seconds after so many tries."""

    def __init__(self, counts: Counter[str], most_tries: int, wait_before_retry: Callable[[int], float]) -> None:
        self._counts = counts
        self._most_tries = most_tries
        self._wait_before_retry = wait_before_retry
        self._seats = asyncio.Semaphore(AT_ONCE)
        self._client: httpx.AsyncClient | None = None
        self._pushes: set[asyncio.Task[None]] = set()

    def start(self, url: str, headers: dict[str, str], body: bytes) -> None:
        task = asyncio.create_task(self._push(url, headers, body))
        self._pushes.add(task)
        task.add_done_callback(self._pushes.discard)

    async def stop(self) -> None:
        for push in list(self._pushes):
            push.cancel()
        await asyncio.gather(*self._pushes, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    async def _push(self, url: str, headers: dict[str, str], body: bytes) -> None:
        """Until it is taken, or given up: a provider tries again after anything but a 2xx."""
        tries = 0
        while not self._most_tries or tries < self._most_tries:
            tries += 1
            async with self._seats:
                is_taken = await self._call(url, headers, body)
            if is_taken:
                return
            self._counts["pushes_failed"] += 1
            await asyncio.sleep(self._wait_before_retry(tries))

    async def _call(self, url: str, headers: dict[str, str], body: bytes) -> bool:
        try:
            answer = await self._open().post(url, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL):
            return False
        self._counts["pushes"] += 1
        return 200 <= answer.status_code < 300

    def _open(self) -> httpx.AsyncClient:
        """One for all: each has certificates to load, which holds up every answer meanwhile."""
        if self._client is None:
            limits = httpx.Limits(max_connections=AT_ONCE, keepalive_expiry=KEEP_SECONDS)
            self._client = httpx.AsyncClient(trust_env=False, timeout=ANSWER_SECONDS, limits=limits)
        return self._client
