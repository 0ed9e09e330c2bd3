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

UNKNOWN_SECONDS = "60"


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
            names = ["simulator", "worker", "urgent", "senders", "beat"]
            if any(argument.startswith("--gateway") for argument in arguments):
                # Providers over HTTP: some call us; and a call without an answer is not to be waited for three days.
                names.insert(1, "web")
                stack.environment["PUBLIC_URL"] = f"http://127.0.0.1:{stack.ports['web']}"
                stack.environment["ENGINE_UNKNOWN_SECONDS"] = UNKNOWN_SECONDS
            say("Starting the simulator and the workers …")
            supervisor.start(*application(stack, names))
            stack.record()
            return run_child([sys.executable, "manage.py", "demo", *arguments], stack.environment, supervisor.check)
    finally:
        place.release()
