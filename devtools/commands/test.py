"""./dev test [pytest arguments]: the tests, on a PostgreSQL and a Valkey of their own that are kept between runs."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from devtools import translations
from devtools.environment import say
from devtools.errors import DevError
from devtools.foreground import run_child
from devtools.places import Place
from devtools.stack import start_servers
from devtools.supervisor import Supervisor

SLOTS = 8  # runs side by side in one checkout
CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")


def main(arguments: list[str]) -> int:
    """Returns pytest's exit code."""
    translations.compile_catalogues()
    chromium = find_chromium()
    if chromium is None:
        say("!!! No Chromium on this machine: the browser tests are SKIPPED (Debian: apt-get install chromium) !!!")
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
