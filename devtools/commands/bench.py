"""./dev bench NAME [--json] [arguments]: runs bench/NAME.py (`-` in a name stands for `_`) and prints what it measured.

A benchmark is a module with `run(arguments: list[str]) -> dict`. If it needs servers or processes it names them:
`NEEDS = ("postgres", "valkey", "simulator", "worker", "urgent", "senders", "beat")`. They start on ports and data of
their own, made anew, with fsync on, migrated, and their addresses are in the environment before `run` is called.
`POSTGRES = {"max_wal_size": "8GB"}` gives the server settings of its own.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any

from devtools.environment import ROOT
from devtools.errors import DevError
from devtools.places import Place
from devtools.preparation import prepare_database
from devtools.processes import application, choose_ports
from devtools.stack import django_environment, start_servers
from devtools.supervisor import Supervisor


def main(arguments: list[str]) -> int:
    """Returns 0, or 1 if the result counts violations."""
    names = [argument for argument in arguments if not argument.startswith("-")]
    known = sorted(path.stem for path in (ROOT / "bench").glob("[a-z]*.py"))
    name = names[0].replace("-", "_") if names else ""
    if name not in known:
        shown = ", ".join(stem.replace("_", "-") for stem in known)
        raise DevError(f"give the name of a benchmark: {shown or 'there is none yet'}")
    rest = [argument for argument in arguments if argument != "--json"]
    rest.remove(names[0])
    result = measure(name, rest)
    print_table(names[0], result)
    if "--json" in arguments:
        print(json.dumps(result, ensure_ascii=False), flush=True)
    return 1 if result.get("violations") else 0


def measure(name: str, arguments: list[str]) -> dict[str, Any]:
    place = Place("bench")
    os.environ.update(django_environment(place))
    module = importlib.import_module(f"bench.{name}")
    needs = tuple(getattr(module, "NEEDS", ()))
    if not needs:
        return dict(module.run(arguments))
    if not place.take():
        raise DevError("another benchmark is running; two at once would measure each other.")
    try:
        with Supervisor(place.logs) as supervisor:
            settings = dict(getattr(module, "POSTGRES", {}))
            stack = start_servers(place, supervisor, needs=needs, is_fresh=True, settings=settings)
            os.environ.update(stack.environment)
            if "postgres" in needs:
                prepare_database(stack, with_demo=False)
            choose_ports(stack)
            os.environ.update(stack.environment)
            supervisor.start(*application(stack, needs))
            return dict(module.run(arguments))
    finally:
        place.release()


def print_table(name: str, result: dict[str, Any]) -> None:
    """For people; goes to stderr so that stdout's last line stays the JSON."""
    print(f"\n{name}", file=sys.stderr)
    for key, value in result.items():
        shown = f"{value:,.2f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else value
        print(f"  {key:<28} {shown}", file=sys.stderr)
