"""A sender process looks whether the database is the one that was confirmed (W4), and says so when it is not."""

import logging
import time

from messaging.selectors.doubt import Doubt
from messaging.services.restore import recognise_database

from .database import try_in_one_transaction

log = logging.getLogger(__name__)
REPEAT_SECONDS = 60.0


class DoubtWatch:
    """Thread-safe enough: at worst two threads write the same line."""

    def __init__(self) -> None:
        self._is_in_doubt = False
        self._told_at = 0.0

    def may_open(self) -> bool:
        """Whether slots may be opened: not while the database is in doubt, or away."""
        found: tuple[Doubt | None, ...] = try_in_one_transaction("is it ours", lambda: (recognise_database(),), ())
        if found:
            self._tell(found[0])
        return found == (None,)

    def _tell(self, doubt: Doubt | None) -> None:
        if doubt is None:
            if self._is_in_doubt:
                log.warning("engine.database_confirmed")
            self._is_in_doubt = False
        elif not self._is_in_doubt or time.monotonic() - self._told_at >= REPEAT_SECONDS:
            self._is_in_doubt, self._told_at = True, time.monotonic()
            facts = {"cause": doubt.cause, "confirmed": str(doubt.confirmed), "found": str(doubt.found)}
            log.error("engine.database_in_doubt", extra={**facts, "remedy": "manage.py confirm_database"})
