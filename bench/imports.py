"""Rows per second of an import, from the upload on disk to contacts in a list, beside a bare COPY of the same rows.

The floor is COPY of ready-made rows into a table with the same indexes and nothing else: no file to check, no numbers
to read, no duplicates, no tenants, no list. `floor_ratio` is our speed as a share of that.
"""

import argparse
import os
import resource
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

NEEDS = ("postgres",)


def run(args: Sequence[str]) -> dict[str, Any]:
    """Measure and return the figures.

    `args`: --rows N (default 300,000), --kind csv|xlsx, --seed N.
    """
    parser = argparse.ArgumentParser(prog="bench imports")
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--kind", choices=("csv", "xlsx"), default="csv")
    parser.add_argument("--seed", type=int, default=20261122)
    options = parser.parse_args(args)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smsplatform.settings")
    import django

    django.setup()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"liste.{options.kind}"
        from contacts.demo_files import write_messy_file

        expected = write_messy_file(path, options.rows, kind=options.kind, seed=options.seed)
        memory = _MemoryWatch()
        with memory:
            reading, seconds, finished = _import(path, "birinci")
        _reading, again_seconds, again = _import(path, "birinci")
        floor_seconds = _copy_bare(finished.tenant_id)
    violations = (
        abs(finished.imported_count - expected.imported)
        + abs(finished.duplicate_count - expected.duplicates)
        + abs(finished.rejected_count - expected.rejected.total())
        + again.imported_count
    )
    rows_per_second = expected.rows / seconds
    return {
        "rows": expected.rows,
        "kind": options.kind,
        "upload_seconds": round(reading, 2),
        "import_seconds": round(seconds, 2),
        "rows_per_second": round(rows_per_second),
        "rows_per_second_again": round(expected.rows / again_seconds),
        "bare_copy_rows_per_second": round(expected.imported / floor_seconds),
        "floor_ratio": round(rows_per_second / (expected.imported / floor_seconds), 2),
        "peak_mb": round(memory.grown_mb, 1),
        "violations": violations,
    }


def _import(path: Path, slug: str) -> tuple[float, float, Any]:
    """Seconds of the upload (detection, XLSX to rows), seconds of the import, the finished import."""
    from django.core.files import File

    from accounts.models import Tenant
    from accounts.scope import tenant_scope
    from accounts.services import create_tenant
    from contacts.services.import_run import run_import
    from contacts.services.imports import create_import, queue_import

    tenant = Tenant.objects.filter(slug=slug).first() or create_tenant(name=slug, slug=slug)
    started = time.perf_counter()
    with tenant_scope(tenant.pk), path.open("rb") as file:
        created = create_import(tenant=tenant, file=File(file, path.name), user=None)
        queue_import(contact_import=created, mapping=created.mapping, list_name="Liste")
    uploaded = time.perf_counter()
    finished = run_import(import_id=created.pk, tenant_id=tenant.pk)
    assert finished.state == "completed", finished.error
    return uploaded - started, time.perf_counter() - uploaded, finished


def _copy_bare(tenant_id: int) -> float:
    """Seconds of a COPY of the imported contacts into a table with the same indexes."""
    from django.db import connection, transaction

    from accounts.scope import tenant_scope

    columns = "public_id, tenant_id, msisdn, name, attributes, created_at, updated_at"
    with tempfile.TemporaryFile() as rows, connection.cursor() as cursor:
        with tenant_scope(tenant_id):
            cursor.copy_expert(f"COPY (SELECT {columns} FROM contacts_contact) TO STDOUT", rows)
        cursor.execute("CREATE TABLE bench_floor (LIKE contacts_contact INCLUDING ALL)")
        rows.seek(0)
        started = time.perf_counter()
        with transaction.atomic():
            cursor.copy_expert(f"COPY bench_floor ({columns}) FROM STDIN", rows)
        seconds = time.perf_counter() - started
        cursor.execute("DROP TABLE bench_floor")
    return seconds


class _MemoryWatch:
    """How much this process grew while it imported, in MB (the largest of samples every 20 ms)."""

    def __enter__(self) -> "_MemoryWatch":
        self._before = self._peak = _resident_mb()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            self._peak = max(self._peak, _resident_mb())

    @property
    def grown_mb(self) -> float:
        return self._peak - self._before


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20
