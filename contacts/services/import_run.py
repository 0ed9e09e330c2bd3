"""Runs an import: chunk by chunk, each in a transaction of its own together with the progress it makes.

A worker may die anywhere: the sweep puts the import back in the queue, and the next worker reads the file from its
first row (so that duplicates are known again) and commits from where the last one stopped. A chunk commits only while
the import carries this worker's attempt, so two workers cannot count or write the same chunk twice.
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from accounts.scope import tenant_scope
from accounts.services import record_audit
from common.tabular.detection import FileSettings
from common.tabular.problems import FileProblem
from common.tabular.reading import inspect_table, iter_records

from ..models import ContactImport
from ..tabular.normalising import Chunk, RowNormaliser
from .imports import build_plan, read_columns
from .merge import create_staging, merge_contacts, record_rejects
from .uploads import discard_upload, locate_rows

CHUNK_ROWS = 20_000
# A chunk takes about a second; a worker silent for this long is dead.
STALE_AFTER = timedelta(seconds=90)
# A worker that claims an import, and a sweep that takes it back, count one each: a file that kills ten workers in a
# row is given up instead of being tried for ever.
MOST_ATTEMPTS = 20

State = ContactImport.State


class _Superseded(Exception):
    """Another worker has taken over, or the import was ended."""


def run_import(*, import_id: int, tenant_id: int) -> ContactImport:
    """Do a queued import to its end and return it: completed, cancelled, or failed with its `error`.

    Opens its own scopes. Started twice, or after a crash, it does the work once. A file that is bad anywhere
    (`inspect_table`) fails before its first row is written.
    """
    contact_import = _claim(import_id, tenant_id)
    if contact_import is not None:
        try:
            _run(contact_import)
        except FileProblem as problem:
            _finish(contact_import, State.FAILED, {"code": problem.code, "params": problem.params})
        except FileNotFoundError:
            _finish(contact_import, State.FAILED, {"code": "file_gone", "params": {}})
        except _Superseded:
            pass
    with tenant_scope(tenant_id):
        finished: ContactImport = ContactImport.objects.get(pk=import_id)
    return finished


def requeue_stale_imports() -> list[tuple[int, int]]:
    """Put imports of dead workers back in the queue; return (import id, tenant id) of all that wait to be nudged.

    Needs platform scope.
    """
    long_ago = timezone.now() - STALE_AFTER
    silent = ContactImport.objects.filter(state=State.RUNNING, heartbeat_at__lt=long_ago)
    given_up = silent.filter(attempt__gte=MOST_ATTEMPTS)
    stored_paths = list(given_up.values_list("stored_path", flat=True))
    given_up.update(state=State.FAILED, error={"code": "gave_up", "params": {}}, finished_at=timezone.now())
    for stored_path in stored_paths:
        transaction.on_commit(partial(discard_upload, stored_path))
    silent.update(state=State.QUEUED, attempt=F("attempt") + 1)
    a_moment_ago = timezone.now() - timedelta(seconds=15)
    waiting = ContactImport.objects.filter(state=State.QUEUED, heartbeat_at__lt=a_moment_ago)
    found = list(waiting.values_list("pk", "tenant_id")[:100])
    # One nudge per sweep and queue time: without it, every tick would add another task for the same import.
    ContactImport.objects.filter(pk__in=[pk for pk, _ in found], state=State.QUEUED).update(
        heartbeat_at=timezone.now() + STALE_AFTER
    )
    return found


def discard_abandoned_uploads() -> int:
    """End uploads that nobody went on with for a week and remove their files. Needs platform scope."""
    week_ago = timezone.now() - timedelta(days=7)
    abandoned = list(ContactImport.objects.filter(state=State.UPLOADED, created_at__lt=week_ago)[:500])
    for contact_import in abandoned:
        discard_upload(contact_import.stored_path)
        ContactImport.objects.filter(pk=contact_import.pk, state=State.UPLOADED).update(
            state=State.CANCELLED, finished_at=timezone.now()
        )
    return len(abandoned)


def _claim(import_id: int, tenant_id: int) -> ContactImport | None:
    now = timezone.now()
    with tenant_scope(tenant_id):
        claimed = ContactImport.objects.filter(pk=import_id, state=State.QUEUED).update(
            state=State.RUNNING, attempt=F("attempt") + 1, heartbeat_at=now
        )
        if not claimed:
            return None
        ContactImport.objects.filter(pk=import_id, started_at=None).update(started_at=now)
        own: ContactImport = ContactImport.objects.select_related("tenant", "created_by").get(pk=import_id)
    return own


def _run(contact_import: ContactImport) -> None:
    settings = FileSettings.from_json(contact_import.settings)
    path = locate_rows(contact_import.stored_path, settings.kind)
    facts = inspect_table(path, settings.encoding, settings.delimiter)
    with tenant_scope(contact_import.tenant_id):
        plan = build_plan(contact_import, len(read_columns(contact_import)))
        estimate = max(facts.record_count - settings.header_row, 0)
        _update_own(contact_import, row_estimate=estimate, heartbeat_at=timezone.now())
    create_staging()
    normaliser = RowNormaliser(plan, settings.header_row)
    chunks = normaliser.iter_chunks(_iter_rows(path, settings), CHUNK_ROWS)
    for chunk in _read_ahead(chunks):
        if chunk.position <= contact_import.position:
            with tenant_scope(contact_import.tenant_id):  # done by the worker before; read again for its numbers
                _update_own(contact_import, heartbeat_at=timezone.now())
            continue
        if not _commit_chunk(contact_import, chunk):
            _finish(contact_import, State.CANCELLED, {})
            return
    _finish(contact_import, State.COMPLETED, {})


def _iter_rows(path: Path, settings: FileSettings) -> Iterator[list[str]]:
    return iter_records(path, settings.encoding, settings.delimiter)


def _read_ahead(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """Normalise the next chunk in a thread while the database works on this one (psycopg releases the GIL)."""
    with ThreadPoolExecutor(1, thread_name_prefix="import-reader") as reader:
        following = reader.submit(next, chunks, None)
        while (chunk := following.result()) is not None:
            following = reader.submit(next, chunks, None)
            yield chunk


def _commit_chunk(contact_import: ContactImport, chunk: Chunk) -> bool:
    """Write a chunk and the progress in one transaction. False if the import shall stop; _Superseded."""
    with tenant_scope(contact_import.tenant_id):
        with connection.cursor() as cursor:
            # A crash of the database may lose the last chunks together with the progress that tells of them.
            cursor.execute("SET LOCAL synchronous_commit = off")
        current = ContactImport.objects.select_for_update().get(pk=contact_import.pk)
        if current.state != State.RUNNING or current.attempt != contact_import.attempt:
            raise _Superseded
        if current.cancel_requested:
            return False
        merged = merge_contacts(
            tenant_id=current.tenant_id,
            group_id=current.group_id,
            contacts=chunk.contacts,
            is_updating=current.on_existing == ContactImport.OnExisting.UPDATE,
        )
        record_rejects(tenant_id=current.tenant_id, import_id=current.pk, rejects=chunk.rejects)
        reasons = Counter(current.rejected_counts) + Counter(reject.reason for reject in chunk.rejects)
        _update_own(
            contact_import,
            position=chunk.position,
            row_count=current.row_count + chunk.row_count,
            empty_count=current.empty_count + chunk.empty_count,
            imported_count=current.imported_count + merged.inserted,
            updated_count=current.updated_count + merged.existing,
            duplicate_count=current.duplicate_count + chunk.duplicate_count,
            rejected_counts=dict(reasons),
            heartbeat_at=timezone.now(),
        )
    return True


def _update_own(contact_import: ContactImport, **values: Any) -> None:
    own = ContactImport.objects.filter(pk=contact_import.pk, state=State.RUNNING, attempt=contact_import.attempt)
    if not own.update(**values):
        raise _Superseded


def _finish(contact_import: ContactImport, state: str, error: dict[str, Any]) -> None:
    with tenant_scope(contact_import.tenant_id):
        _update_own(contact_import, state=state, error=error, finished_at=timezone.now())
        record_audit(
            tenant=contact_import.tenant,
            actor=contact_import.created_by,
            action="contacts.imported" if state == State.COMPLETED else f"contact_import.{state}",
            target=contact_import.file_name,
        )
    discard_upload(contact_import.stored_path)
