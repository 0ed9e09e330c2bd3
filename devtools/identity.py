"""Which user PostgreSQL runs as. It refuses uid 0, and containers and CI often give nothing else.

Three ways, in this order: a user namespace (files stay root's, works below a 0700 home), the account `postgres` or
`nobody`, and that account with copies outside of root's folders.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from devtools.errors import DevError

CHILD = Path(__file__).with_name("child.py")


@dataclass(frozen=True)
class Identity:
    """Options for child.py and the uid and gid that files must belong to (None: leave them)."""

    options: tuple[str, ...] = ()
    owner: tuple[int, int] | None = None

    def command(self, arguments: list[str], *, death_signal: int = 0, parent: int = 0) -> list[str]:
        """The command line that becomes `arguments` under this identity."""
        shim = [sys.executable, "-I", "-S", str(CHILD), str(death_signal), str(parent)]
        return [*shim, *self.options, "--", *arguments]

    def give(self, folder: Path) -> None:
        if self.owner is not None:
            os.chown(folder, *self.owner)


@dataclass(frozen=True)
class Home:
    """How and from where PostgreSQL runs: identity, folder of its programs, folder of its data."""

    identity: Identity
    binaries: Path
    data: Path


def drop_account() -> tuple[int, int]:
    """uid and gid of the account that root steps down to."""
    for name in ("postgres", "nobody"):
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        return account.pw_uid, account.pw_gid
    raise DevError("PostgreSQL refuses to run as root, and there is no account 'postgres' or 'nobody'.")


@cache
def has_user_namespaces() -> bool:
    probe = Identity(("--userns",)).command([sys.executable, "-I", "-S", "-c", "import os; print(os.geteuid())"])
    found = subprocess.run(probe, capture_output=True, text=True)
    return found.returncode == 0 and found.stdout.strip() not in {"", "0"}


def choose_home(binaries: Path, data: Path) -> Home:
    """Picks the first way that works here. `data` may move out of root's folders, see the module's text."""
    if os.geteuid() != 0:
        # initdb asks for the account's name; in a container a uid may have none, in the namespace it is nobody's.
        needs_name = not _has_name(os.geteuid()) and has_user_namespaces()
        return Home(Identity(("--userns",)) if needs_name else Identity(), binaries, data)
    if not os.environ.get("PEYK_NO_USERNS") and has_user_namespaces() and not _belongs_to_other(data):
        return Home(Identity(("--userns",)), binaries, data)
    owner = drop_account()
    identity = Identity(("--user", f"{owner[0]}:{owner[1]}"), owner)
    if _can_run(identity, binaries) and _can_enter(identity, data.parent):
        return Home(identity, binaries, data)
    outside = _outside_folder(data)
    if not _can_run(identity, binaries):
        binaries = _copy_programs(binaries, outside)
    return Home(identity, binaries, outside / data.name)


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _belongs_to_other(data: Path) -> bool:
    """A cluster once made under another account is not readable from the namespace."""
    return data.exists() and data.stat().st_uid != 0


def _can_run(identity: Identity, binaries: Path) -> bool:
    return subprocess.run(identity.command([str(binaries / "postgres"), "-V"]), capture_output=True).returncode == 0


def _can_enter(identity: Identity, folder: Path) -> bool:
    return (
        subprocess.run(identity.command(["/bin/sh", "-c", 'cd "$0"', str(folder)]), capture_output=True).returncode == 0
    )


def _outside_folder(data: Path) -> Path:
    digest = hashlib.sha256(os.fsencode(data.parent)).hexdigest()[:16]
    folder = Path("/var/tmp") / f"peyk-{digest}"
    folder.mkdir(mode=0o755, exist_ok=True)
    if folder.is_symlink() or folder.lstat().st_uid != 0:
        raise DevError(f"{folder} belongs to somebody else; remove it.")
    folder.chmod(0o755)
    return folder


def _copy_programs(binaries: Path, outside: Path) -> Path:
    """Copies the package and the libraries that must stay beside it (41 MB), once."""
    package = binaries.parent.parent
    for source in (package, package.with_name(package.name + ".libs")):
        target = outside / source.name
        if source.exists() and not target.exists():
            fresh = outside / f"{source.name}.new"
            shutil.rmtree(fresh, ignore_errors=True)
            shutil.copytree(source, fresh, symlinks=True)
            fresh.chmod(0o755)
            fresh.rename(target)
    return outside / package.name / binaries.relative_to(package)
