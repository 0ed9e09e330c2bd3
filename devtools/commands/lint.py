"""./dev lint [--fix]: every static check, each with its verdict and time; all run even if one fails."""

from __future__ import annotations

import subprocess
import sys
import time

from devtools import translations
from devtools.environment import ROOT
from devtools.places import Place
from devtools.stack import django_environment

IMPORT_LINTER = "from importlinter.cli import lint_imports_command; lint_imports_command()"
CHECKS = {
    "ruff check": ["-m", "ruff", "check", "."],
    "ruff format": ["-m", "ruff", "format", "--check", "."],
    "import contracts": ["-c", IMPORT_LINTER],
    "types": ["-m", "mypy", "."],
    # No server is asked: the warning about that is the only thing silenced.
    "migrations": ["-W", "ignore::RuntimeWarning", "manage.py", "makemigrations", "--check", "--dry-run"],
    "translations": ["-m", "devtools.translations", "check"],
}


def main(arguments: list[str]) -> int:
    """Returns 0 if every check passed."""
    translations.compile_catalogues()
    environment = django_environment(Place("test"))
    if "--fix" in arguments:
        for options in (["check", "--fix", "."], ["format", "."]):
            subprocess.run([sys.executable, "-m", "ruff", *options], cwd=ROOT, env=environment)
    failed = [name for name, command in CHECKS.items() if not passes(name, command, environment)]
    if failed:
        print(f"\n./dev lint: {len(failed)} of {len(CHECKS)} failed: {', '.join(failed)}")
    return 1 if failed else 0


def passes(name: str, command: list[str], environment: dict[str, str]) -> bool:
    started = time.monotonic()
    result = subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True)
    verdict = "ok" if result.returncode == 0 else "FAILED"
    print(f"{name:<18} {verdict:<7} {time.monotonic() - started:5.1f} s", flush=True)
    if result.returncode != 0:
        print((result.stdout + result.stderr).rstrip(), flush=True)
    return result.returncode == 0
