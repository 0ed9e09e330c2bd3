"""Chooses the command and makes sure it runs with the packages it needs."""

from __future__ import annotations

import importlib
import sys

from devtools import environment
from devtools.errors import DevError

# name: (package tier, one line for the list). The module is devtools.commands.<name>.
COMMANDS = {
    "run": ("run", "start everything: servers, simulator, web, workers, senders, beat"),
    "test": ("test", "run the tests on servers of their own; arguments go to pytest"),
    "lint": ("test", "ruff, mypy, import contracts, migrations, translations (--fix repairs style)"),
    "manage": ("run", "a Django management command on the development database"),
    "faults": ("test", "the fault tests: --long, --seed N; or a demo run with faults: demo, disk"),
    "crosstest": ("test", "SMPP against foreign message centres and clients; arguments go to pytest"),
    "fuzz": ("test", "broken PDUs through the codec: smpp --count N --seed N"),
    "demo": ("run", "the main job without a browser: --rows N --json"),
    "bench": ("test", "one benchmark: NAME --json"),
    "screenshots": ("test", "take the pictures of the README"),
}


def main(arguments: list[str]) -> int:
    """Runs one command and returns its exit code (2 for a wrong command, 1 for a refusal)."""
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        print(usage())
        return 0
    name, rest = arguments[0], arguments[1:]
    if name not in COMMANDS:
        print(f"./dev has no command {name!r}.\n\n{usage()}", file=sys.stderr)
        return 2
    try:
        environment.ensure(COMMANDS[name][0], arguments)
        command = importlib.import_module(f"devtools.commands.{name}")
        return command.main(rest)
    except DevError as error:
        print(f"./dev {name}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def usage() -> str:
    lines = [f"  ./dev {name:<12} {text}" for name, (_, text) in COMMANDS.items()]
    return "\n".join(["Commands:", *lines])
