"""Queued rows to answers recorded, over SMPP to an operator that sends no receipts.

As `bench pipeline` without its second half: claims, intent with suppression check, link, answers with provider ids,
ledger and roll-ups. The floor is the bare SMPP loop of the same run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.rig.journey import POSTGRES, make_parser, measure_journey, set_up_django

NEEDS = ("postgres", "valkey")

__all__ = ["NEEDS", "POSTGRES", "run"]


def run(args: Sequence[str]) -> dict[str, Any]:
    """Measure and return the figures. ``args``: --rows N (100,000), --slots N (2), --window N (500)."""
    options = make_parser("dispatch").parse_args(args)
    set_up_django()
    return measure_journey(options, {"receipts": False}, lambda totals: totals.get("queued").messages == 0)
