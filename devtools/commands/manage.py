"""./dev manage …: a Django management command on the development database, beside ./dev run or without it."""

from __future__ import annotations

import subprocess
import sys

from devtools import translations
from devtools.environment import ROOT, say
from devtools.places import Place
from devtools.stack import django_environment, start_servers
from devtools.supervisor import Supervisor


def main(arguments: list[str]) -> int:
    """Returns the command's exit code."""
    translations.compile_catalogues()
    place = Place()
    if not place.take():
        record = place.read_record()
        if record.get("command") == "run":
            environment = {**django_environment(place), **record.get("environment", {})}
            return run_manage(arguments, environment)
        say("Waiting for another ./dev manage to finish …")
        place.wait_and_take()
    try:
        with Supervisor(place.logs) as supervisor:
            stack = start_servers(place, supervisor)
            return run_manage(arguments, stack.environment)
    finally:
        place.release()


def run_manage(arguments: list[str], environment: dict[str, str]) -> int:
    return run_child([sys.executable, "manage.py", *arguments], environment)


def run_child(command: list[str], environment: dict[str, str]) -> int:
    """Runs a command in this terminal and its foreground group: prompts and Ctrl-C work as usual."""
    child = subprocess.Popen(command, cwd=ROOT, env=environment)
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue  # the command got the same Ctrl-C and decides
