"""./dev screenshots: takes the README's pictures from a stack of its own with fresh demo data."""

from __future__ import annotations

import sys

from devtools import translations
from devtools.commands.test import find_chromium
from devtools.environment import ROOT
from devtools.errors import DevError
from devtools.foreground import run_child
from devtools.places import Place
from devtools.preparation import prepare_database
from devtools.processes import application, choose_ports
from devtools.stack import start_servers
from devtools.supervisor import Supervisor

SCRIPT = ROOT / "tests" / "e2e" / "screenshots.py"


def main(arguments: list[str]) -> int:
    """Runs tests/e2e/screenshots.py with PEYK_ADDRESS, PEYK_VAR_DIR (demo.json is there) and PEYK_CHROMIUM set."""
    chromium = find_chromium()
    if chromium is None:
        raise DevError("pictures need Chromium (Debian: apt-get install chromium).")
    if not SCRIPT.exists():
        raise DevError(f"{SCRIPT.relative_to(ROOT)} is missing.")
    translations.compile_catalogues()
    place = Place("screenshots")
    if not place.take():
        raise DevError("another ./dev screenshots is running.")
    try:
        with Supervisor(place.logs) as supervisor:
            stack = start_servers(place, supervisor, is_fresh=True)
            choose_ports(stack, 0)
            prepare_database(stack, with_demo=True)
            supervisor.start(*application(stack))
            address = f"http://127.0.0.1:{stack.ports['web']}/"
            stack.environment |= {"PEYK_ADDRESS": address, "PEYK_CHROMIUM": str(chromium)}
            return run_child([sys.executable, str(SCRIPT), *arguments], stack.environment, supervisor.check)
    finally:
        place.release()
