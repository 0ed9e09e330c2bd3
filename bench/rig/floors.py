"""Floors: what the same work costs without the engine, measured in the same run."""

from __future__ import annotations

import tempfile
from pathlib import Path


def measure_bare_smpp(rows: int, window: int) -> int:
    """Messages per second of the SMPP loop alone: our client, the simulator, receipts, no database."""
    from bench.smpp import _measure

    with tempfile.TemporaryDirectory() as folder:
        figures, _centre = _measure(Path(folder), rows, window)
    return int(figures["messages_per_second"])
