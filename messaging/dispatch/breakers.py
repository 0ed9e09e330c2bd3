"""Tells the breakers of connections what this process sees, and its slots what they may send."""

import logging
import time
from collections.abc import Callable, Sequence

from gateways.routing.breaker import Seen
from gateways.routing.health import Health, Turn, report_health

from .database import try_in_one_transaction
from .slot import Slot

log = logging.getLogger(__name__)
CALM_SECONDS = 5.0
NEWS_SECONDS = 0.5


class BreakerKeeper:
    """Called again and again by the thread that keeps the leases; a database that is away leaves all as it is."""

    def __init__(self, withdraw: Callable[[Slot], None]) -> None:
        self._withdraw = withdraw
        self._told_at = 0.0

    def tell(self, slots: Sequence[Slot]) -> None:
        waited = time.monotonic() - self._told_at
        has_news = any(slot.valve.has_news for slot in slots)
        if not slots or waited < (NEWS_SECONDS if has_news else CALM_SECONDS):
            return
        self._told_at = time.monotonic()
        seen: dict[int, list[Seen]] = {}
        for slot in slots:
            told = slot.valve.tell(str(slot.session_id), str(slot.link_state))
            seen.setdefault(slot.gateway_account_id, []).append(told)
        nothing: tuple[dict[int, Health], list[Turn]] = {}, []
        held, turns = try_in_one_transaction("health of connections", lambda: report_health(seen), nothing)
        for turn in turns:
            where = {"account": turn.gateway_account_id, "state": turn.state, "cause": turn.cause}
            log.warning("gateway.breaker", extra=where)
        for slot in slots:
            health = held.get(slot.gateway_account_id)
            if health is not None:
                self._turn(slot, health)

    def _turn(self, slot: Slot, health: Health) -> None:
        was_shut = slot.valve.is_shut
        slot.valve.set(health)
        if slot.valve.is_shut and not was_shut:
            self._withdraw(slot)
        slot.wake.set()
