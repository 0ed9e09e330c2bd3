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
from devtools.ports import describe_holder, is_free, pick_port
from devtools.preparation import prepare_database
from devtools.processes import PREFERRED_WEB_PORT, application, choose_ports
from devtools.stack import start_servers
from devtools.supervisor import Supervisor


def main(arguments: list[str]) -> int:
    """Returns 0 after Ctrl-C or SIGTERM, 1 if it already runs."""
    parser = argparse.ArgumentParser(prog="./dev run")
    parser.add_argument(
        "--port", type=int, help=f"of the panel; without it {PREFERRED_WEB_PORT}, or a free one if that is taken"
    )
    options = parser.parse_args(arguments)
    started = float(os.environ.get(STARTED, time.time()))
    place = Place()
    if not place.take():
        raise DevError(describe_running(place))
    try:
        port = choose_web_port(options.port)
        with Supervisor(place.logs) as supervisor:
            place.write_record(command="run")
            serve(place, supervisor, port, started)
    except KeyboardInterrupt:
        say("Stopped.")
    finally:
        place.release()
    return 0


def choose_web_port(wanted: int | None) -> int:
    """The port that was asked for, or an error that names who holds it; without a wish 8000 or, said aloud, another."""
    port = PREFERRED_WEB_PORT if wanted is None else wanted
    if not 0 < port < 65536:
        raise DevError(f"{port} is no port; choose one from 1 to 65535.")
    if is_free(port):
        return port
    holder = describe_holder(port)
    taken = f"port {port} is taken by {holder}" if holder else f"port {port} is taken, or not for this user"
    if wanted is not None:
        raise DevError(f"{taken}. Choose another, or leave --port out.")
    other = pick_port()
    say(f"P{taken[1:]}; the panel gets port {other}.")
    return other


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
