"""Where a stack keeps its data, and who holds it. Everything lies under var/, so each checkout has its own."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import IO, Any

from devtools.environment import ROOT
from devtools.errors import DevError

VAR = ROOT / "var"
LONGEST_SOCKET_FOLDER = 80  # bytes; the kernel takes 107 for the whole path, PostgreSQL adds .s.PGSQL.NNNNN.lock


class Place:
    """Folders of one stack: "" is ./dev run's, "test", "demo" and "bench" never touch its data."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        suffix = f"-{name}" if name else ""
        self.postgres = VAR / f"pg{suffix}"
        self.valkey = VAR / f"valkey{suffix}"
        self.logs = VAR / f"log{suffix}"
        self.work = VAR / f"work{suffix}" if name else VAR  # uploads, exports, the demo's logins
        self.record = VAR / f"run{suffix}.json"
        self._lock_path = VAR / f"run{suffix}.lock"
        self._lock: IO[str] | None = None
        for folder in (VAR, self.logs, self.work):
            folder.mkdir(parents=True, exist_ok=True)

    def clear(self) -> None:
        """Forgets everything but the cluster (postgres.prepare knows where that lies)."""
        if not self.name:
            raise DevError("the development data is never cleared by a command; remove var/ yourself.")
        for folder in (self.valkey, self.logs, self.work):
            shutil.rmtree(folder, ignore_errors=True)
        for folder in (self.logs, self.work):
            folder.mkdir(parents=True, exist_ok=True)

    def take(self) -> bool:
        """Takes the place for this process's life; False if another process holds it."""
        handle = open(self._lock_path, "a")  # noqa: SIM115 - held until release() or the end of the process
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.close()
            return False
        self._lock = handle
        self.record.unlink(missing_ok=True)
        return True

    def wait_and_take(self) -> None:
        with open(self._lock_path, "a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
        if not self.take():
            self.wait_and_take()

    def release(self) -> None:
        if self._lock is not None:
            self.record.unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def write_record(self, **fields: Any) -> None:
        """Adds to the JSON that tells other commands what runs here. It holds passwords: owner only."""
        content = {"pid": os.getpid(), **self.read_record(), **fields}
        fresh = self.record.with_suffix(".new")
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
            json.dump(content, handle, indent=2)
        fresh.replace(self.record)

    def read_record(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self.record.read_text()))
        except (OSError, ValueError):
            return {}

    def socket_folder(self) -> Path:
        """A folder for PostgreSQL's socket whose path is short enough; only its owner may enter."""
        folder = self.work / "sock"
        if len(os.fsencode(folder)) > LONGEST_SOCKET_FOLDER:
            digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
            folder = Path(tempfile.gettempdir()) / f"peyk-{os.getuid()}-{digest}"
        return private_folder(folder)


def private_folder(folder: Path) -> Path:
    """Makes the folder for its owner only; refuses one that somebody else put in its place."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if folder.is_symlink() or found.st_uid not in {os.getuid(), *_own_drop_uids()}:
        raise DevError(f"{folder} belongs to somebody else; remove it.")
    folder.chmod(0o700)
    return folder


def _own_drop_uids() -> set[int]:
    """Root may have given the folder to the account that PostgreSQL runs under."""
    if os.getuid() != 0:
        return set()
    from devtools.identity import drop_account

    return {drop_account()[0]}


def read_secret(name: str) -> str:
    """A random value made once per checkout and kept in var/, readable by its owner only."""
    path = VAR / name
    VAR.mkdir(exist_ok=True)
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            handle.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    return path.read_text().strip()
