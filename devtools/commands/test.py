"""./dev test [pytest arguments]: the tests, on a PostgreSQL and a Valkey of their own that are kept between runs.

Without a choice everything runs, in two halves side by side: the fault tests spend their time waiting for processes
that were killed, the others spend it computing. Each half has its own servers; what the fault tests print comes last.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from devtools import translations
from devtools.environment import ROOT, say
from devtools.errors import DevError
from devtools.foreground import run_child
from devtools.places import Place
from devtools.stack import start_servers
from devtools.supervisor import Supervisor

FAULTS = "tests/faults"
PLAIN = ("-q", "-v", "-x", "--durations")
SLOTS = 8  # runs side by side in one checkout
CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")


def main(arguments: list[str]) -> int:
    """Returns pytest's exit code."""
    translations.compile_catalogues()
    chromium = find_chromium()
    if chromium is None:
        say("!!! No Chromium on this machine: the browser tests are SKIPPED (Debian: apt-get install chromium) !!!")
    if can_halve(arguments):
        return run_halves(arguments, chromium)
    return run_tests(arguments, chromium)


def can_halve(arguments: list[str]) -> bool:
    """Nothing is chosen or written to a file, and the servers are ours: two runs cannot share a given database."""
    is_plain = all(argument.startswith(PLAIN) for argument in arguments)
    return is_plain and not os.environ.get("DATABASE_URL") and not os.environ.get("REDIS_URL")


def run_halves(arguments: list[str], chromium: Path | None) -> int:
    """Both halves; 0 if both passed, else the exit code of one that did not."""
    with tempfile.TemporaryFile("w+") as output:
        command = [sys.executable, str(ROOT / "dev"), "test", FAULTS, *arguments]
        faults = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
        try:
            say("The fault tests run beside the others; what they print comes at the end.")
            code = run_tests([f"--ignore={FAULTS}", *arguments], chromium)
            faults_code = faults.wait()
        finally:
            if faults.poll() is None:
                faults.terminate()
                faults.wait()
        output.seek(0)
        print(f"\n{FAULTS}\n{output.read()}", flush=True)
    return code or faults_code


def run_tests(arguments: list[str], chromium: Path | None) -> int:
    place = take_free_place()
    try:
        with Supervisor(place.logs) as supervisor:
            stack = start_servers(place, supervisor, is_disposable=True)
            if chromium is not None:
                stack.environment.setdefault("PEYK_CHROMIUM", str(chromium))
            return run_child([sys.executable, "-m", "pytest", *arguments], stack.environment)
    finally:
        place.release()


def take_free_place() -> Place:
    """The first cluster nobody uses: several runs of one checkout do not wait for each other."""
    for number in range(1, SLOTS + 1):
        place = Place("test" if number == 1 else f"test{number}")
        if place.take():
            return place
    raise DevError(f"{SLOTS} test runs are going on in this checkout already.")


def find_chromium() -> Path | None:
    on_path = [found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))]
    return next((Path(name) for name in (*CHROMIUM, *on_path) if Path(name).exists()), None)
