"""Workers die, clicks double, users cancel: an import still ends, and counts everybody once."""

import threading
from datetime import timedelta

import pytest
from django.core.files import File
from django.db import connection
from django.utils import timezone

from accounts.scope import platform_scope, tenant_scope
from contacts import tasks
from contacts.demo_files import write_messy_file
from contacts.models import Contact, ContactGroup, ContactImport, ContactImportReject
from contacts.services import import_run
from contacts.services.import_run import discard_abandoned_uploads, requeue_stale_imports, run_import
from contacts.services.imports import cancel_import, create_import, queue_import
from contacts.services.uploads import locate
from tests.db.contacts.test_import import assert_counts

ROWS = 600


class Killed(BaseException):
    """A worker that is gone: no code of ours runs after it."""


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(import_run, "CHUNK_ROWS", 100)


@pytest.fixture
def queued(cast, tmp_path, small_chunks):
    path = tmp_path / "liste.csv"
    expected = write_messy_file(path, ROWS, seed=9)
    with tenant_scope(cast.butik.pk), path.open("rb") as file:
        created = create_import(tenant=cast.butik, file=File(file, path.name), user=cast.ayse)
        queue_import(contact_import=created, mapping=created.mapping, list_name="Kasım")
    return created, expected


def reload(cast, pk) -> ContactImport:
    with tenant_scope(cast.butik.pk):
        return ContactImport.objects.get(pk=pk)


def age(cast, pk, **changes) -> None:
    with tenant_scope(cast.butik.pk):
        ContactImport.objects.filter(pk=pk).update(**changes)


def die_at(monkeypatch, name: str, call: int) -> None:
    """The worker dies when `name` of import_run is called for the n-th time."""
    real, calls = getattr(import_run, name), 0

    def dying(*args, **kwargs):
        nonlocal calls
        calls += 1
        if calls == call:
            raise Killed
        return real(*args, **kwargs)

    monkeypatch.setattr(import_run, name, dying)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["merge_contacts", "record_rejects", "_update_own", "inspect_table"])
@pytest.mark.parametrize("call", [1, 2, 4])
def test_a_dead_worker_is_replaced(cast, queued, monkeypatch, name, call):
    created, expected = queued
    with monkeypatch.context() as patch:
        die_at(patch, name, call)
        try:
            run_import(import_id=created.pk, tenant_id=cast.butik.pk)
        except Killed:
            age(cast, created.pk, heartbeat_at=timezone.now() - timedelta(minutes=5))
    with platform_scope(reason="test"):
        requeue_stale_imports()
    assert_counts(run_import(import_id=created.pk, tenant_id=cast.butik.pk), expected)
    with tenant_scope(cast.butik.pk):
        assert Contact.objects.count() == ContactGroup.objects.get().contact_count == expected.imported
        assert ContactImportReject.objects.count() == expected.rejected.total()


@pytest.mark.django_db(transaction=True)
def test_a_stalled_worker_that_wakes_up_commits_nothing(cast, queued, monkeypatch):
    created, expected = queued
    real, finished = import_run._commit_chunk, []

    def stall(contact_import, chunk):
        if chunk.position > 200 and not finished:
            finished.append(True)
            age(cast, created.pk, heartbeat_at=timezone.now() - timedelta(minutes=5))
            with platform_scope(reason="test"):
                requeue_stale_imports()
            run_import(import_id=created.pk, tenant_id=cast.butik.pk)
        return real(contact_import, chunk)

    monkeypatch.setattr(import_run, "_commit_chunk", stall)
    assert_counts(run_import(import_id=created.pk, tenant_id=cast.butik.pk), expected)


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once(cast, queued):
    created, expected = queued

    def work():
        try:
            run_import(import_id=created.pk, tenant_id=cast.butik.pk)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)
    assert_counts(reload(cast, created.pk), expected)


@pytest.mark.django_db(transaction=True)
def test_cancel_in_the_middle_keeps_what_came_in(cast, queued, monkeypatch):
    created, _expected = queued
    real = import_run._commit_chunk

    def cancel_after_two(contact_import, chunk):
        if chunk.position == 300:
            with tenant_scope(cast.butik.pk):
                cancel_import(contact_import=contact_import, actor=cast.ayse)
        return real(contact_import, chunk)

    monkeypatch.setattr(import_run, "_commit_chunk", cancel_after_two)
    finished = run_import(import_id=created.pk, tenant_id=cast.butik.pk)
    assert (finished.state, finished.position) == ("cancelled", 200)
    with tenant_scope(cast.butik.pk):
        assert Contact.objects.count() == finished.imported_count > 0
    assert not locate(created.stored_path).exists()


def test_the_sweep_nudges_once_per_interval(cast, queued, monkeypatch):
    created, _expected = queued
    rung = []
    monkeypatch.setattr(tasks.run_import, "delay", lambda **names: rung.append(names))
    tasks.sweep_imports()
    assert rung == []  # the click's own nudge is on its way
    age(cast, created.pk, heartbeat_at=timezone.now() - timedelta(minutes=1))
    tasks.sweep_imports()
    tasks.sweep_imports()
    assert rung == [{"import_id": created.pk, "tenant_id": cast.butik.pk}]
    tasks.run_import(import_id=created.pk, tenant_id=cast.butik.pk)
    assert reload(cast, created.pk).state == "completed"


def test_a_live_worker_is_left_alone(cast, queued):
    created, _expected = queued
    age(cast, created.pk, state="running", heartbeat_at=timezone.now() - timedelta(seconds=30))
    with platform_scope(reason="test"):
        assert requeue_stale_imports() == []
    assert reload(cast, created.pk).state == "running"


def test_uploads_nobody_went_on_with_are_discarded(cast, tmp_path):
    path = tmp_path / "liste.csv"
    write_messy_file(path, 20)
    with tenant_scope(cast.butik.pk), path.open("rb") as file:
        created = create_import(tenant=cast.butik, file=File(file, path.name), user=cast.ayse)
    with platform_scope(reason="test"):
        assert discard_abandoned_uploads() == 0
    age(cast, created.pk, created_at=timezone.now() - timedelta(days=8))
    with platform_scope(reason="test"):
        assert discard_abandoned_uploads() == 1
    assert reload(cast, created.pk).state == "cancelled"
    assert not locate(created.stored_path).exists()


def test_a_file_that_kills_every_worker_is_given_up(cast, queued):
    created, _expected = queued
    age(cast, created.pk, state="running", attempt=20, heartbeat_at=timezone.now() - timedelta(minutes=5))
    with platform_scope(reason="test"):
        assert requeue_stale_imports() == []
    with tenant_scope(cast.butik.pk):
        given_up = ContactImport.objects.get(pk=created.pk)
    assert (given_up.state, given_up.error["code"]) == ("failed", "gave_up")
