"""Brings a database to the state of the code: migrations, then demo data. Skipped when nothing has changed since."""

from __future__ import annotations

import hashlib
from pathlib import Path

from devtools.environment import ROOT, fingerprint, say
from devtools.places import Place
from devtools.stack import Stack

STAMP = "prepared"


def prepare_database(stack: Stack, *, with_demo: bool) -> None:
    """Migrates and seeds. A stamp beside the cluster's data spares a warm start two starts of Django (3 s)."""
    stamp = stamp_path(stack.place)
    wanted = migrations_fingerprint() + (" demo" if with_demo else "")
    is_ours = "postgres" in stack.ports
    if is_ours and stamp is not None and stamp.exists() and stamp.read_text() == wanted:
        return
    say("Preparing the database …")
    stack.run_manage("migrate", "--no-input")
    if with_demo:
        stack.run_manage("seed_demo")
    if is_ours and stamp is not None:
        stamp.write_text(wanted)


def stamp_path(place: Place) -> Path | None:
    """In the cluster's own folder, so that it goes when the cluster goes; None if that lies elsewhere."""
    return place.postgres / STAMP if place.postgres.exists() else None


def forget_preparation(place: Place) -> None:
    """For commands that may change the schema or the demo data by hand."""
    stamp = stamp_path(place)
    if stamp is not None:
        stamp.unlink(missing_ok=True)


def migrations_fingerprint() -> str:
    """sha256 over our migrations, whatever makes the demo data, and the packages that bring migrations of their own."""
    digest = hashlib.sha256(fingerprint("run").encode())
    for pattern in ("*/migrations/*.py", "*/management/commands/seed_demo.py", "*/demo*.py"):
        for path in sorted(ROOT.glob(pattern)):
            digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
