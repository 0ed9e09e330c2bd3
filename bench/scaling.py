"""What a second worker machine adds: the same run sent by one machine, by two, and by two of which one is cut off.

Machines are simulated (`rig/machines.py`): network namespaces, each allowed a share of a core (``--cores``), so that
the senders are the bottleneck and not the hub with PostgreSQL, Valkey, simulator and the other queues. One slot each.
``ratio_to_one_machine`` is the point. With ``--cut`` a third run loses one machine's network half way: nobody tells
the hub, the lease ends by the database's clock, the other machine takes the slot. PostgreSQL's CPU per message says
where one database ends.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import Any

from bench.rig.journey import POSTGRES, set_up_django
from bench.rig.machines import require_machines

NEEDS = ("postgres", "valkey")

__all__ = ["NEEDS", "POSTGRES", "run"]


def run(args: Sequence[str]) -> dict[str, Any]:
    """Measure and return the figures. ``args``: --rows N a run (100,000), --cores SHARE a machine (0.25), --cut."""
    parser = argparse.ArgumentParser(prog="bench scaling")
    parser.add_argument("--rows", type=int, default=100_000, help="messages of each run")
    parser.add_argument("--cores", type=float, default=0.25, help="share of a core that a worker machine has")
    parser.add_argument("--window", type=int, default=500, help="unanswered submits per bind")
    parser.add_argument("--cut", action="store_true", help="a third run, in which one of two machines is cut off")
    options = parser.parse_args(args)
    require_machines()
    # What stays without an answer is settled within the benchmark; receipts come within seconds here.
    os.environ["ENGINE_UNKNOWN_SECONDS"] = "45"
    set_up_django()
    from bench.rig.crew import measure_crew

    one = measure_crew(options, machines=1)
    two = measure_crew(options, machines=2)
    parts = {"one_machine": one, "two_machines": two}
    if options.cut:
        parts["one_cut_off"] = measure_crew(options, machines=2, cuts=True)
    return {
        "messages": options.rows,
        "cores_per_machine": options.cores,
        "messages_per_second": two["messages_per_second"],
        "one_machine_per_second": one["messages_per_second"],
        "ratio_to_one_machine": round(two["messages_per_second"] / one["messages_per_second"], 2),
        **parts,
        "violations": sum(part["violations"] for part in parts.values()),
    }
