"""A PostgreSQL cluster of a test's own: crashed, copied, put back. Django's connections go there meanwhile."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection, connections

from devtools import postgres
from devtools.identity import choose_home
from devtools.places import read_secret
from devtools.ports import pick_port

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "64MB",
    "fsync": "off",
    "log_min_messages": "log",
    "restore_command": "/bin/false",  # the backup is all there is: recovery ends with what lies in the folder
}


class Cluster:
    """In a folder of its own; `close` ends it."""

    def __init__(self, folder: Path) -> None:
        programs = postgres.find_programs()
        self.home = choose_home(programs.folder, folder / "pg")
        self.backup = self.home.data.with_name("backup")
        postgres.make_cluster(self.home, programs)
        self.port, self._log = pick_port(), folder / "postgres.log"
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = [part for key, value in {**SETTINGS, "port": self.port}.items() for part in ("-c", f"{key}={value}")]
        command = [str(self.home.binaries / "postgres"), "-D", str(self.home.data), *options]
        shim = self.home.identity.command(command, death_signal=signal.SIGQUIT, parent=os.getpid())
        (self.home.data / "postmaster.pid").unlink(missing_ok=True)
        with self._log.open("ab") as log:
            environment = postgres.server_environment()
            self._server = subprocess.Popen(shim, env=environment, stdout=log, stderr=log, start_new_session=True)
        end = time.monotonic() + 30
        while not postgres.is_ready(self.home.data):
            assert self._server.poll() is None and time.monotonic() < end, self._log.read_text()[-3000:]
            time.sleep(0.05)

    def crash(self) -> None:
        """No checkpoint, no good-bye; what was committed is in the log."""
        assert self._server is not None
        self._server.send_signal(signal.SIGQUIT)
        self._server.wait(20)

    def copy(self) -> None:
        self._copy(self.home.data, self.backup)

    def put_back(self) -> None:
        """What was written since the copy is gone; the history that goes on from there is another timeline."""
        shutil.rmtree(self.home.data)
        self._copy(self.backup, self.home.data)
        signal_file = self.home.data / "recovery.signal"
        signal_file.touch()
        self.home.identity.give(signal_file)

    def _copy(self, source: Path, target: Path) -> None:
        shutil.copytree(source, target, symlinks=True)
        for path in (target, *target.rglob("*")):
            self.home.identity.give(path)

    def close(self) -> None:
        if self._server is not None and self._server.poll() is None:
            self.crash()
        for folder in (self.home.data, self.backup):
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def as_default(self) -> Iterator[None]:
        """For all threads: they make their connections from the same settings."""
        settings = connections.settings["default"]
        before = {key: settings[key] for key in ("HOST", "PORT", "NAME", "USER", "PASSWORD")}
        own = {"NAME": postgres.DATABASE, "USER": postgres.ROLE, "PASSWORD": read_secret("pg-password")}
        connection.close()
        settings.update(HOST="127.0.0.1", PORT=str(self.port), **own)
        try:
            yield
        finally:
            connection.close()
            settings.update(before)
