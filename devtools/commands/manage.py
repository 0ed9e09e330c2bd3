"""./dev manage …: a Django management command on the development database, beside ./dev run or without it."""

from __future__ import annotations

import sys

from devtools import translations
from devtools.environment import say
from devtools.errors import DevError
from devtools.foreground import run_child
from devtools.places import Place
from devtools.preparation import forget_preparation
from devtools.stack import django_environment, start_servers
from devtools.supervisor import Supervisor


def main(arguments: list[str]) -> int:
    """Returns the command's exit code."""
    translations.compile_catalogues()
    place = Place()
    if not place.take():
        record = place.read_record()
        if record.get("address"):
            return run_manage(arguments, {**django_environment(place), **record["environment"]})
        if record.get("command") == "run":
            raise DevError("./dev run is just starting; try again when it answers.")
        say("Waiting for another ./dev manage to finish …")
        place.wait_and_take()
    try:
        with Supervisor(place.logs) as supervisor:
            stack = start_servers(place, supervisor)
            if arguments[:1] != ["runserver"]:
                forget_preparation(place)
            return run_manage(arguments, stack.environment)
    finally:
        place.release()


def run_manage(arguments: list[str], environment: dict[str, str]) -> int:
    return run_child([sys.executable, "manage.py", *arguments], environment)
