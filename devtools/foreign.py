"""SMPP peers that nobody here wrote, in var/foreign: installed from lock files with hashes, run by the cross-tests.

They never share the product's packages: node-smpp lives in a folder of its own, smpp.twisted in an environment of its
own.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

from devtools.environment import ROOT, clean_environment, pip_command, say
from devtools.errors import DevError
from devtools.places import VAR

SOURCES = ROOT / "tests" / "foreign"
FOREIGN = VAR / "foreign"
LOCKS = {
    "node": ("package.json", "package-lock.json"),
    "twisted": ("requirements.lock",),
}


def prepare(peer: str) -> None:
    """Installs the peer unless it is there as its lock says. Raises DevError if it cannot be had."""
    folder = FOREIGN / peer
    stamp = folder / "stamp"
    wanted = fingerprint(peer)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    say(f"Installing the foreign SMPP peer {peer} into var/foreign …")
    INSTALLERS[peer](folder)
    stamp.write_text(wanted)


def fingerprint(peer: str) -> str:
    digest = hashlib.sha256()
    for name in LOCKS[peer]:
        digest.update((SOURCES / peer / name).read_bytes())
    return digest.hexdigest()


def install_node(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise DevError("node and npm are missing (Debian: apt-get install nodejs npm).")
    for name in LOCKS["node"]:
        shutil.copy(SOURCES / "node" / name, folder)
    # Scripts of packages stay switched off: these need none.
    run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], folder)


def install_twisted(folder: Path) -> None:
    lock = SOURCES / "twisted" / "requirements.lock"
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    python = str(folder / "venv" / "bin" / "python")
    pip = [*pip_command(python), "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    exact = ["--no-deps", "--require-hashes", "--no-build-isolation"]
    # The build tool first: one package comes as source only, and is built with what is pinned here.
    builder = folder / "builder.lock"
    builder.write_text(cut_entry(lock.read_text(), "setuptools"))
    run([*pip, *exact, "-r", str(builder)], folder)
    run([*pip, *exact, "-r", str(lock)], folder)


def cut_entry(lock: str, name: str) -> str:
    """The entry of one package out of a lock file's text, with its hashes."""
    lines = lock.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"{name}=="))
    end = next((i for i, line in enumerate(lines) if i > start and not line.startswith(" ")), len(lines))
    return "\n".join(lines[start:end]) + "\n"


def run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, env=clean_environment(), stdin=subprocess.DEVNULL, stdout=sys.stderr)
    if done.returncode:
        raise DevError(f"{Path(command[0]).name} could not install a foreign peer (exit code {done.returncode}).")


INSTALLERS: dict[str, Callable[[Path], None]] = {"node": install_node, "twisted": install_twisted}
