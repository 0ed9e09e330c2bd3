"""./dev faults [--long] [--seed N] [pytest arguments]: the fault tests, on servers that write to disk as in production.

`--long` is the long one: 200 kills and 25 stops in 100,000 messages; its figures are the last line, as JSON. `--seed`
moves the random moments. `./dev faults demo|disk [--rows N]`: the servers fail in the middle of a demo run.
"""

from __future__ import annotations

import argparse
import sys

from devtools import translations
from devtools.errors import DevError
from devtools.faulty_demo import run_faulty_demo
from devtools.foreground import run_child
from devtools.places import Place
from devtools.stack import start_servers
from devtools.supervisor import Supervisor

TESTS = "tests/faults"
LONG_TEST = f"{TESTS}/test_kill_senders.py::test_two_hundred_kills_and_twenty_five_stops"


def main(arguments: list[str]) -> int:
    """Returns pytest's exit code, or the demo's."""
    translations.compile_catalogues()
    if arguments and arguments[0] in ("demo", "disk"):
        return run_faulty_demo(arguments[0], arguments[1:])
    parser = argparse.ArgumentParser(prog="./dev faults", add_help=False)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--seed", type=int)
    options, rest = parser.parse_known_args(arguments)
    return run_tests(rest, is_long=options.long, seed=options.seed)


def run_tests(arguments: list[str], *, is_long: bool, seed: int | None) -> int:
    # A place of its own, but with a test's environment: see django_environment.
    place = Place("test-faults")
    if not place.take():
        raise DevError("the fault tests are running already in this checkout.")
    try:
        with Supervisor(place.logs) as supervisor:
            stack = start_servers(place, supervisor)
            summary = place.work / "faults.json"
            summary.unlink(missing_ok=True)
            stack.environment["PEYK_FAULTS_SUMMARY"] = str(summary)
            if seed is not None:
                stack.environment["PEYK_FAULTS_SEED"] = str(seed)
            if is_long:
                stack.environment["PEYK_FAULTS_LONG"] = "1"
            given = [argument for argument in arguments if argument.startswith("tests/")]
            chosen = [] if given else [LONG_TEST if is_long else TESTS]
            code = run_child([sys.executable, "-m", "pytest", *chosen, *arguments], stack.environment)
            if summary.exists():
                print(summary.read_text(), flush=True)
            return code
    finally:
        place.release()
