"""What a link that asks for its events reads from the database (`gateways.base.PullDesk`)."""

import time
from collections.abc import Callable
from typing import TypeVar

from django.db import connection

from gateways.types import JobsWanted, PullJob
from messaging.services.pulling import DueJobs, list_due_jobs, load_cursor

from .database import in_one_transaction

T = TypeVar("T")
MOST_ROUNDS = 50  # the next question goes on from there


class AccountDesk:
    """Of one connection; called from threads that come and go, so each call brings its own database connection."""

    def __init__(self, gateway_account_id: int) -> None:
        self._account_id = gateway_account_id
        self._served: dict[int, float] = {}

    def load_cursor(self, stream: str) -> str:
        return _apart("load cursor", lambda: load_cursor(gateway_account_id=self._account_id, stream=stream))

    def list_due_jobs(self, wanted: JobsWanted) -> list[PullJob]:
        for _ in range(MOST_ROUNDS):
            due = self._list_once(wanted)
            if not due.may_have_more:
                break
        self._served |= dict.fromkeys(due.tenants, time.monotonic())
        return due.jobs

    def _list_once(self, wanted: JobsWanted) -> DueJobs:
        return _apart(
            "list due jobs",
            lambda: list_due_jobs(gateway_account_id=self._account_id, wanted=wanted, served=self._served),
        )


def _apart(reason: str, work: Callable[[], T]) -> T:
    try:
        return in_one_transaction(reason, work)
    finally:
        connection.close()
