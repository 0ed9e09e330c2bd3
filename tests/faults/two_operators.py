"""Two operators and a sender process inside this one: a drill that takes seconds, over real sockets and real rows."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import connection

from accounts.scope import platform_scope
from gateways.models import AccountHealth, GatewayAccount
from gateways.routing.health import advance_health
from gateways.simulator.centre import Centre
from gateways.simulator.journal import JournalEntry, read_journal
from gateways.simulator.script import Script
from messaging.dispatch.runtime import SenderRuntime
from messaging.scope import engine_scope
from messaging.services.completion import complete_run, expire_messages
from messaging.services.receipts import match_receipts
from messaging.services.rerouting import reroute_waiting


class Operators:
    """Message centres by name, on an event loop of their own."""

    def __init__(self, folder: Path, *names: str) -> None:
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="operators", daemon=True)
        self._thread.start()
        self._centres: dict[str, Centre] = {}
        self.ports = {name: self._ask(self._open(name)) for name in names}

    async def _open(self, name: str) -> int:
        centre = self._centres[name] = Centre(Script().changed({"receipt_delay": [20, 100]}), self._folder / name)
        return await centre.start(0)

    def _ask(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def change(self, name: str, **script: Any) -> None:
        async def apply() -> None:
            centre = self._centres[name]
            centre.apply_script(Script().changed({"receipt_delay": [20, 100], **script}))

        self._ask(apply())

    def read_journal(self, name: str) -> list[JournalEntry]:
        return list(read_journal(self._folder / name))

    def count_taken(self, name: str) -> int:
        return sum(not entry.status for entry in self.read_journal(name))

    def close(self) -> None:
        for centre in self._centres.values():
            self._ask(centre.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)


def make_account(name: str, port: int, **fields: Any) -> GatewayAccount:
    settings = {"host": "127.0.0.1", "port": port, "system_id": name, "send_token": True, "answer_timeout": 0.5}
    with platform_scope(reason="test"):
        account = GatewayAccount(name=name, adapter="smpp", settings=settings, **fields)
        account.save()
    return account


@contextmanager
def sending(*accounts: GatewayAccount) -> Iterator[None]:
    """A sender process's runtime, with a thread per slot in the place of Celery's tasks."""
    runtime = SenderRuntime("drill")
    runtime.start()

    def work(account: GatewayAccount) -> None:
        slot = runtime.get_slot(account.pk, 0)
        assert slot is not None
        while not runtime.stopping.is_set():
            with slot.working:
                slot.work(seconds=0.5, linger_seconds=0.5, stopping=runtime.stopping)
            runtime.stopping.wait(0.01)
        connection.close()

    threads = [threading.Thread(target=work, args=[account], daemon=True) for account in accounts]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        runtime.stopping.set()
        for thread in threads:
            thread.join(10)
        runtime.stop()


def tick(run_id: int) -> None:
    """What the clock makes workers do."""
    with engine_scope(reason="test"):
        advance_health()
    with engine_scope(reason="test"):
        reroute_waiting()
    with engine_scope(reason="test"):
        match_receipts()
    with engine_scope(reason="test"):
        expire_messages(run_id)
    with engine_scope(reason="test"):
        complete_run(run_id)


def read_health(account: GatewayAccount) -> tuple[str, int]:
    with platform_scope(reason="test"):
        row = AccountHealth.objects.filter(gateway_account=account).first()
    return (row.state, row.share) if row else ("closed", 100)
