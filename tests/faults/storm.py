"""Kills and stops at random moments of a run, and what is left when the run has ended by itself."""

import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.db.models import Sum

from accounts.scope import tenant_scope
from gateways.simulator.journal import find_duplicates, read_journal
from messaging.models import RunTally, SendRun
from tests.engine_runs import count_states, make_rows, make_run

from .house import House, find_violations, read_run_state, wait_for

SENDERS = ("senders", "others")
SLOTS = len(SENDERS)
# Who is hit how often: mostly who sends, now and then who sweeps and who rings.
TARGETS = {"senders": 10, "others": 10, "worker": 3, "beat": 1}
SHORT_STOPS, LONG_STOPS = (0.2, 4.0), (21.0, 26.0)  # seconds; a lease lasts 20
WINDOW = 20


@dataclass(frozen=True)
class Storm:
    """`kills` of any process with -9 and `stops` (SIGSTOP, later SIGCONT), spread over the run's submits.

    Of the stops one in four outlasts the lease: the process wakes up as a zombie whose slot another has taken.
    """

    messages: int
    kills: int
    stops: int
    seed: int
    rate: int

    @property
    def stride(self) -> int:
        return max(WINDOW, int(self.rate / SLOTS * 0.2))

    def plan(self) -> list[tuple[int, str, str, float]]:
        """(after so many submits, "kill" or "stop", process, seconds stopped), in order."""
        rng = random.Random(self.seed)
        kinds = ["kill"] * self.kills + ["stop"] * self.stops
        rng.shuffle(kinds)
        moments = sorted(rng.uniform(0, 0.95 * self.messages) for _ in kinds)
        names, weights = list(TARGETS), list(TARGETS.values())
        events, stops = [], 0
        for moment, kind in zip(moments, kinds, strict=True):
            stops += kind == "stop"
            span = LONG_STOPS if kind == "stop" and stops % 4 == 0 else SHORT_STOPS
            events.append((int(moment), kind, rng.choices(names, weights)[0], rng.uniform(*span)))
        return events


def weather(house: House, tenant: Any, storm: Storm) -> dict[str, Any]:
    """Run the storm to its end; returns the figures. Fails if the run does not end by itself."""
    account = house.make_account(rate_per_second=storm.rate, window_size=WINDOW, slots=SLOTS)
    run = make_run(tenant, account, make_rows(storm.messages))
    for name in SENDERS:
        house.start_senders(name)
    house.start_ticks()
    began = time.monotonic()
    hits = _strike(house, storm.plan())
    calm = time.monotonic()
    wait_for(lambda: read_run_state(run) == SendRun.State.COMPLETED, 300, lambda: str(count_states(run)))
    return {
        "seed": storm.seed,
        "messages": storm.messages,
        "kills": storm.kills,
        "stops": storm.stops,
        "hits": dict(sorted(hits.items())),
        "seconds": round(time.monotonic() - began, 1),
        "seconds_after_last_hit": round(time.monotonic() - calm, 1),
        **_count_results(house, run, storm, hits),
    }


def _strike(house: House, events: list[tuple[int, str, str, float]]) -> Counter[str]:
    hits: Counter[str] = Counter()
    for moment, kind, name, seconds in events:
        wait_for(lambda moment=moment: house.count_submits() >= moment, 120, house.read_logs)
        hits[f"{kind} {name}"] += 1
        if kind == "kill":
            house.restart(name)
            continue
        house.signal(name, signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(house.processes[name].pid, signal.SIGCONT)
    return hits


def _count_results(house: House, run: SendRun, storm: Storm, hits: Counter[str]) -> dict[str, Any]:
    states = count_states(run)
    entries = list(read_journal(house.journal))
    arrived = {entry.token for entry in entries if not entry.status}
    with tenant_scope(run.tenant_id):
        doubted = RunTally.objects.filter(run=run, state="unknown").aggregate(n=Sum("entered"))["n"] or 0
        taken = set(run.messages.exclude(state="unconfirmed").values_list("pk", flat=True))
    disturbed = sum(count for name, count in hits.items() if name.split()[1] in SENDERS)
    return {
        "submits": len(entries),
        "duplicates": len(find_duplicates(entries)),
        "lost": len(taken - arrived),
        "states": states,
        "ever_unknown": doubted,
        # Each disturbed sender may have held every slot: its stride in the air, and a flush not written down.
        "most_unknown": disturbed * SLOTS * 2 * storm.stride,
        "unconfirmed": states.get("unconfirmed", 0),
        "violations": [list(violation) for violation in find_violations(house)][:20],
    }
