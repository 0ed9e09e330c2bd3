"""What a link that asks for its events reads from the database (`gateways.base.PullDesk`)."""

import time
from collections.abc import Callable
from typing import TypeVar

from django.db import connection

from gateways.types import JobsWanted, PullJob
from messaging.services.pulling import list_due_jobs, load_cursor

from .database import in_one_transaction

T = TypeVar("T")


class AccountDesk:
    """Of one connection; called from threads that come and go, so each call brings its own database connection."""

    def __init__(self, gateway_account_id: int) -> None:
        self._account_id = gateway_account_id
        self._served: dict[int, float] = {}

    def load_cursor(self, stream: str) -> str:
        return _apart("load cursor", lambda: load_cursor(gateway_account_id=self._account_id, stream=stream))

    def list_due_jobs(self, wanted: JobsWanted) -> list[PullJob]:
        jobs, tenants = _apart(
            "list due jobs",
            lambda: list_due_jobs(gateway_account_id=self._account_id, wanted=wanted, served=self._served),
        )
        self._served |= dict.fromkeys(tenants, time.monotonic())
        return jobs


def _apart(reason: str, work: Callable[[], T]) -> T:
    try:
        return in_one_transaction(reason, work)
    finally:
        connection.close()
