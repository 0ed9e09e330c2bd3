"""The two servers and the environment that every Django process gets. One stack per place (run, test, demo, bench)."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

from devtools import postgres, valkey
from devtools.environment import ROOT, VENV, clean_environment
from devtools.errors import DevError
from devtools.places import Place, read_secret
from devtools.ports import pick_port
from devtools.supervisor import Supervisor

# Tests may lose their cluster with the power; nothing else may.
DISPOSABLE_SETTINGS = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off"}


RECORDED = (
    *("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PEYK_ENV", "PEYK_VAR_DIR", "PUBLIC_URL"),
    *("SIMULATOR_SMPP_PORT", "SIMULATOR_HTTP_URL", "SIMULATOR_CONTROL_URL", "SIMULATOR_JOURNAL"),
)


@dataclass
class Stack:
    """What runs in a place. `environment` is complete for a Django process."""

    place: Place
    supervisor: Supervisor
    environment: dict[str, str]
    ports: dict[str, int] = field(default_factory=dict)

    def record(self, **fields: Any) -> None:
        """Writes down what another command needs to join: ports, pids, the environment of a Django process."""
        environment = {name: self.environment[name] for name in RECORDED if name in self.environment}
        processes = self.supervisor.pids()
        self.place.write_record(ports=self.ports, environment=environment, processes=processes, **fields)

    def run_manage(self, *arguments: str) -> None:
        """Runs a management command to its end; its output goes to the log, and into the error if it fails."""
        command = [sys.executable, "manage.py", *arguments]
        with open(self.supervisor.log_path(arguments[0]), "w+") as log:
            result = subprocess.run(command, cwd=ROOT, env=self.environment, stdout=log, stderr=subprocess.STDOUT)
            log.seek(0)
            if result.returncode != 0:
                tail = "\n".join(log.read().splitlines()[-20:])
                raise DevError(f"manage.py {arguments[0]} failed:\n{tail}\n(all of it: {log.name})")


def start_servers(
    place: Place,
    supervisor: Supervisor,
    *,
    needs: tuple[str, ...] = ("postgres", "valkey"),
    is_disposable: bool = False,
    is_fresh: bool = False,
    settings: dict[str, str] | None = None,
) -> Stack:
    """Starts PostgreSQL and Valkey unless DATABASE_URL / REDIS_URL name others, and returns when both answer.

    `is_disposable`: faster, and lost with the power. `is_fresh`: forgets what an earlier run has left.
    """
    if is_fresh:
        place.clear()
    # A demo or a benchmark must not write into the person's own database.
    takes_given = place.name == "" or place.name.startswith("test")
    stack = Stack(place, supervisor, django_environment(place))
    processes = []
    if "postgres" in needs and not (takes_given and os.environ.get("DATABASE_URL")):
        home, programs = postgres.prepare(place, is_disposable=is_disposable, is_fresh=is_fresh)
        chosen = {**(DISPOSABLE_SETTINGS if is_disposable else {}), **(settings or {})}
        port = stack.ports["postgres"] = pick_port()
        processes.append(postgres.server(place, home, programs, port, chosen))
        stack.environment["DATABASE_URL"] = postgres.url(port)
    if "valkey" in needs and not (takes_given and os.environ.get("REDIS_URL")):
        port = stack.ports["valkey"] = pick_port()
        processes.append(valkey.server(place, port, is_durable=not is_disposable))
        stack.environment["REDIS_URL"] = valkey.url(port)
    supervisor.start(*processes)
    stack.record()
    return stack


def django_environment(place: Place) -> dict[str, str]:
    """The environment of Django processes. What the person has set stays, except in tests, which set all of it."""
    is_test = place.name.startswith("test")
    defaults = {
        "PEYK_ENV": "test" if is_test else place.name or "dev",
        "PEYK_VAR_DIR": str(place.work),
        "SECRET_KEY": secrets.token_urlsafe(48) if is_test else read_secret("secret"),
        "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "smsplatform.settings",
        # As root Celery warns about root at every start.
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
    }
    given = clean_environment()
    merged = {**given, **defaults} if is_test else {**defaults, **given}
    path = os.pathsep.join([str(VENV / "bin"), given.get("PATH", os.defpath)])
    return {**merged, "PYTHONPATH": str(ROOT), "PATH": path}
