"""A house whose processes go on from test to test; each test gets a connection to the operator of its own."""

import itertools
import os
import signal
from collections.abc import Callable
from typing import Any

from django.db import InterfaceError, OperationalError, connection

from accounts.scope import platform_scope
from gateways.models import GatewayAccount
from gateways.simulator.journal import JournalEntry, read_journal
from messaging.models import Message, MessageBatch, SendRun
from messaging.services.check import Violation
from tests.engine_runs import count_states, make_rows, make_run

from ..house import House, find_violations, read_run_state, wait_for

CALM: dict[str, Any] = {
    "answer_delay": [0, 20],
    "receipt_delay": [20, 200],
    "rate_limit": 0,
    "throttle_ratio": 0,
    "queue_full_ratio": 0,
    "refusals": [],
    "lost_answer_ratio": 0,
    "slow_answer_ratio": 0,
    "early_receipt_ratio": 0,
    "late_receipt_ratio": 0,
    "double_receipt_ratio": 0,
    "lost_receipt_ratio": 0,
    "stray_receipt_ratio": 0,
    "receipt_id_format": "dec",
    "failure_ratio": 0,
    "cut_after": 0,
    "garbage_after": 0,
    "is_half_open": False,
}


class Town:
    """What tests do to the house, and what they see of it."""

    def __init__(self, house: House, tenant: Any) -> None:
        self.house, self.tenant = house, tenant
        self._numbers = itertools.count(1)

    def calm_down(self) -> None:
        self.house.change_script(**CALM)
        for name in ("senders", "worker", "beat"):
            if self.house.processes[name].poll() is not None:
                self.house.restart(name)

    def make_account(self, settings: dict[str, Any] | None = None, **fields: Any) -> GatewayAccount:
        """A system id of its own: receipts come over the bind that the messages left by. Earlier ones rest."""
        number = next(self._numbers)
        with platform_scope(reason="test"):
            GatewayAccount.objects.update(is_active=False)
        values = {"rate_per_second": 200, "window_size": 20, **fields}
        account = self.house.make_account(**values)
        account.settings = {**account.settings, "system_id": f"peyk{number}", **(settings or {})}
        with platform_scope(reason="test"):
            account.save()
        return account

    def send(self, messages: int, account: GatewayAccount, **fields: Any) -> SendRun:
        return make_run(self.tenant, account, make_rows(messages), **fields)

    def list_submits(self, *runs: SendRun) -> list[JournalEntry]:
        with platform_scope(reason="test"):
            tokens = set(Message.objects.filter(run__in=runs).values_list("pk", flat=True))
        return [entry for entry in read_journal(self.house.journal) if entry.token in tokens]

    def wait_for_submits(self, run: SendRun, count: int, seconds: float = 120) -> None:
        wait_for(lambda: len(self.list_submits(run)) >= count, seconds, lambda: str(count_states(run)))

    def wait_until(self, run: SendRun, state: str, seconds: float = 180) -> dict[str, int]:
        """The run's messages by state, once the run has come this far; a database that restarts is waited for."""
        wait_for(lambda: _patiently(lambda: read_run_state(run)) == state, seconds, lambda: str(count_states(run)))
        return count_states(run)

    def wait_until_quiet(self) -> None:
        """Nothing on the wire: what the journal has and what the database says can be compared."""
        with platform_scope(reason="test"):
            wait_for(lambda: not MessageBatch.objects.filter(state=MessageBatch.State.LEASED).exists(), 30)

    def find_violations(self) -> list[Violation]:
        return find_violations(self.house)

    def kill_database(self) -> None:
        """kill -9 of a part of PostgreSQL: all its connections are lost, and it recovers from its log."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (pid,) = cursor.fetchone()
        os.kill(pid, signal.SIGKILL)
        connection.close()


def _patiently(look: Callable[[], Any]) -> Any:
    try:
        return look()
    except (OperationalError, InterfaceError):
        connection.close()
        return None
