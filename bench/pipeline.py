"""Everything at once on one machine: queued rows to receipts recorded, over SMPP to the operator simulator.

Real Celery sender workers (one process per slot), a worker for the other queues and beat beside them; suppression
check, ledger, inbox and roll-ups on; PostgreSQL with fsync and synchronous_commit on. ``messages_per_second`` runs
from the start of the run to the moment the roll-ups say that every message's story is over. The floor is the bare SMPP
loop (`bench smpp`) in the same run: both ends, no database. Receipts come 0.3 to 2 s after the answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.rig.journey import POSTGRES, make_parser, measure_journey, set_up_django

NEEDS = ("postgres", "valkey")
RECEIPT_DELAY = [300, 2_000]

__all__ = ["NEEDS", "POSTGRES", "run"]


def run(args: Sequence[str]) -> dict[str, Any]:
    """Measure and return the figures.

    ``args``: --rows N (100,000; the goal is stated for 500,000), --slots N (2), --window N (500),
    --receipt-delay LEAST MOST (ms).
    """
    parser = make_parser("pipeline")
    parser.add_argument("--receipt-delay", type=int, nargs=2, default=RECEIPT_DELAY, metavar="MS")
    options = parser.parse_args(args)
    set_up_django()
    script = {"receipt_delay": options.receipt_delay, "receipt_window": 5_000}
    return measure_journey(options, script, lambda totals: totals.open_count == 0)
