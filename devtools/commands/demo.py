"""./dev demo --rows N --json: the main job without a browser, on fresh data and ports of its own."""

from __future__ import annotations

import sys

from devtools import translations
from devtools.environment import say
from devtools.errors import DevError
from devtools.foreground import run_child
from devtools.places import Place
from devtools.preparation import prepare_database
from devtools.processes import application, choose_ports
from devtools.stack import start_servers
from devtools.supervisor import Supervisor


def main(arguments: list[str]) -> int:
    """All arguments go to `manage.py demo`, whose exit code and last line are this command's."""
    translations.compile_catalogues()
    place = Place("demo")
    if not place.take():
        raise DevError(f"a demo is running already (pid {place.read_record().get('pid', '?')}).")
    try:
        with Supervisor(place.logs) as supervisor:
            place.write_record(command="demo")
            stack = start_servers(place, supervisor, is_fresh=True)
            prepare_database(stack, with_demo=False)
            choose_ports(stack)
            say("Starting the simulator and the workers …")
            supervisor.start(*application(stack, ["simulator", "worker", "urgent", "senders", "beat"]))
            stack.record()
            return run_child([sys.executable, "manage.py", "demo", *arguments], stack.environment, supervisor.check)
    finally:
        place.release()
