"""Makes .venv, installs the locked packages, and goes on with the Python inside it.

Two tiers: `run` is the product and the servers it brings; `test` adds the tools. The lock files carry hashes and
nothing else, so where packages come from is the machine's own setting. A stamp with the locks' sha256 in .venv makes
the second start a no-op. Several checkouts may share one .venv through a symlink.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
import venv
from pathlib import Path

from devtools.errors import DevError

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCKS = {
    "run": ["requirements.lock", "requirements-local.lock"],
    "test": ["requirements-test.lock"],
}
STARTED = "PEYK_STARTED"  # when the person pressed Enter, before packages were installed


def ensure(tier: str, arguments: list[str]) -> None:
    """Returns inside .venv's Python with the tier's packages in place; replaces the process to get there."""
    python = VENV / "bin" / "python"
    started = time.time()
    if not is_complete(tier):
        build(tier)
    if os.path.realpath(sys.prefix) != os.path.realpath(VENV):
        here = {**clean_environment(), STARTED: str(started)}
        os.execve(python, [str(python), str(ROOT / "dev"), *arguments], here)


def clean_environment() -> dict[str, str]:
    """The environment without settings that would make .venv's Python look elsewhere for modules."""
    dropped = {"PYTHONHOME", "PYTHONPATH", "__PYVENV_LAUNCHER__", "PYENV_VERSION", STARTED}
    return {key: value for key, value in os.environ.items() if key not in dropped}


def is_complete(tier: str) -> bool:
    """A tier is in place if its stamp, or that of the larger tier, fits today's lock files."""
    if not os.access(VENV / "bin" / "python", os.X_OK):
        return False
    tiers = [tier] if tier == "test" else [tier, "test"]
    return any(read_stamp(name) == fingerprint(name) for name in tiers)


def fingerprint(tier: str) -> str:
    digest = hashlib.sha256()
    for name in LOCKS[tier]:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def stamp_path(tier: str) -> Path:
    return VENV / f".peyk-{tier}.sha256"


def read_stamp(tier: str) -> str:
    try:
        return stamp_path(tier).read_text().strip()
    except OSError:
        return ""


def build(tier: str) -> None:
    """Creates .venv where it is missing and installs the tier; one at a time per .venv."""
    if VENV.is_symlink() and not VENV.exists():
        raise DevError(f".venv points to {os.readlink(VENV)}, which does not exist; remove the link.")
    VENV.mkdir(exist_ok=True)
    with open(VENV / ".peyk-install.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_complete(tier):  # another ./dev was faster
            return
        started = time.monotonic()
        if not os.access(VENV / "bin" / "python", os.X_OK):
            say("Making the Python environment in .venv …")
            # Without pip: Debian splits ensurepip into another package, and pip from outside does the same.
            venv.create(VENV, with_pip=False, symlinks=True)
        install(tier)
        for name in LOCKS:
            stamp_path(name).unlink(missing_ok=True)
        stamp_path(tier).write_text(fingerprint(tier) + "\n")
        say(f"Packages ready in {time.monotonic() - started:.0f} s.")


def install(tier: str) -> None:
    """Installs the tier's locks exactly: every hash checked, nothing resolved."""
    locks = [argument for name in LOCKS[tier] for argument in ("-r", str(ROOT / name))]
    python = str(VENV / "bin" / "python")
    uv = shutil.which("uv")
    if uv:
        say("Installing packages with uv …")
        command = [uv, "pip", "install", "--quiet", "--python", python, "--no-deps", "--require-hashes", *locks]
        if subprocess.run(command, env=clean_environment()).returncode == 0:
            return
        say("uv could not install them; trying pip.")
    # --no-compile: Python compiles what it imports, which is a third of what is installed.
    options = ["--no-deps", "--require-hashes", "--no-compile", "--no-input", "--disable-pip-version-check"]
    lines = [line for name in LOCKS[tier] for line in (ROOT / name).read_text().splitlines()]
    total = sum("==" in line for line in lines if line[:1].isalpha())
    run_pip([*pip_command(python), "install", *options, *locks], total)


def pip_command(python: str) -> list[str]:
    """A pip that installs into .venv: the one of this Python, else one that ensurepip can put there."""
    outside = [sys.executable, "-m", "pip", "--python", python]
    if subprocess.run([*outside, "--version"], capture_output=True, env=clean_environment()).returncode == 0:
        return outside
    inside = [python, "-m", "pip"]
    for attempt in ([*inside, "--version"], [python, "-m", "ensurepip"]):
        if subprocess.run(attempt, capture_output=True, env=clean_environment()).returncode == 0:
            return inside
    raise DevError("neither uv nor pip is here. Install one of: python3-pip, python3-venv, uv.")


def run_pip(command: list[str], total: int) -> None:
    """Runs pip and turns its output into one moving line (one line every few seconds in a log)."""
    # Merged and kept: when pip fails, what it said is the only explanation.
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=clean_environment()
    )
    assert process.stdout is not None
    seen, last_shown = 0, 0.0
    tail: list[str] = []
    every = 0.1 if sys.stderr.isatty() else 5.0
    for line in process.stdout:
        tail = [*tail[-30:], line.rstrip()]
        seen += line.startswith("Collecting ")
        step = "installing" if line.startswith("Installing collected") else "fetching"
        if time.monotonic() - last_shown > every or step == "installing":
            last_shown = time.monotonic()
            say(f"Packages: {step} {min(seen, total)} of {total}", moving=True)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    if process.wait() != 0:
        raise DevError("pip could not install the packages:\n" + "\n".join(tail))


def say(text: str, *, moving: bool = False) -> None:
    """Progress goes to stderr: stdout may carry a command's JSON."""
    if moving and sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
    else:
        print(text, file=sys.stderr, flush=True)
