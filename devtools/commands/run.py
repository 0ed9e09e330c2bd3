"""./dev run [--port N]: the whole product on this machine, until Ctrl-C."""

from __future__ import annotations

import argparse
import json
import os
import time

from devtools import translations
from devtools.environment import STARTED, say
from devtools.errors import DevError
from devtools.places import Place
from devtools.preparation import prepare_database
from devtools.processes import PREFERRED_WEB_PORT, application, choose_ports
from devtools.stack import start_servers
from devtools.supervisor import Supervisor


def main(arguments: list[str]) -> int:
    """Returns 0 after Ctrl-C or SIGTERM, 1 if it already runs."""
    parser = argparse.ArgumentParser(prog="./dev run")
    parser.add_argument("--port", type=int, default=PREFERRED_WEB_PORT, help="of the panel, if it is free")
    options = parser.parse_args(arguments)
    started = float(os.environ.get(STARTED, time.time()))
    place = Place()
    if not place.take():
        raise DevError(describe_running(place))
    try:
        with Supervisor(place.logs) as supervisor:
            place.write_record(command="run")
            serve(place, supervisor, options.port, started)
    except KeyboardInterrupt:
        say("Stopped.")
    finally:
        place.release()
    return 0


def serve(place: Place, supervisor: Supervisor, port: int, started: float) -> None:
    """Starts everything, says where it is, watches until a signal comes."""
    translations.compile_catalogues()
    stack = start_servers(place, supervisor)
    prepare_database(stack, with_demo=True)
    choose_ports(stack, port)
    address = f"http://127.0.0.1:{stack.ports['web']}/"
    supervisor.start(*application(stack, ["simulator", "web"]))
    stack.record(address=address)
    print(f"\nPeyk answers after {time.time() - started:.1f} s:  {address}\n{describe_logins(place)}", flush=True)
    supervisor.start(*application(stack, ["worker", "urgent", "senders", "beat"]))
    stack.record()
    print(f"Workers are ready. Logs: {place.logs}   Stop with Ctrl-C.", flush=True)
    while True:
        if supervisor.check():
            stack.record()
        time.sleep(0.3)


def describe_running(place: Place) -> str:
    record = place.read_record()
    pid = record.get("pid", "?")
    if record.get("address"):
        return f"Peyk already runs at {record['address']} (pid {pid}). Stop it with Ctrl-C there, or: kill {pid}"
    if record.get("command") == "run":
        return f"Peyk is just starting in another terminal (pid {pid})."
    return f"another ./dev command uses the development database (pid {pid}); try again when it has ended."


def describe_logins(place: Place) -> str:
    """One line for each demo login that seed_demo wrote to demo.json."""
    try:
        logins = json.loads((place.work / "demo.json").read_text())["logins"]
    except (OSError, ValueError, KeyError):
        return ""
    lines = [f"  {row['email']:<28} {row['password']:<22} {row.get('about', '')}" for row in logins]
    return "\n".join(["Sign in with one of these:", *lines, ""])
