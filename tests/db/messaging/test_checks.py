"""Nothing is sent with a database that may forget."""

from types import SimpleNamespace

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from messaging.checks import UnsafeDatabase, check_database, find_database_faults, refuse_unsafe_database
from messaging.dispatch import worker


def set_option(name, value):
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [name, value])


def is_fsync_on():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('fsync')")
        return cursor.fetchone()[0] == "on"


def test_tests_may_forget(db):
    set_option("synchronous_commit", "off")
    assert find_database_faults() == []


@pytest.mark.parametrize(("value", "is_safe"), [("on", True), ("remote_apply", True), ("local", False), ("off", False)])
def test_commits_must_be_durable(db, settings, value, is_safe):
    settings.PEYK_ENV = "production"
    set_option("synchronous_commit", value)
    faults = [fault for fault in find_database_faults() if "synchronous_commit" in fault]
    assert bool(faults) is not is_safe
    if not is_safe:
        with pytest.raises(UnsafeDatabase, match="synchronous_commit"):
            refuse_unsafe_database()
        assert "messaging.E001" in {error.id for error in check_database(databases=["default"])}
    assert check_database(databases=None) == []


def test_disks_must_be_told(db, settings):
    settings.PEYK_ENV = "demo"
    assert any("fsync" in fault for fault in find_database_faults()) is not is_fsync_on()


def test_a_sender_worker_needs_threads(monkeypatch):
    started = []
    monkeypatch.setattr(worker, "_runtime", SimpleNamespace(start=lambda: started.append(1)))
    monkeypatch.setattr(worker, "refuse_unsafe_database", lambda: None)
    step = worker.SenderStep.__new__(worker.SenderStep)
    with pytest.raises(ImproperlyConfigured, match="threads"):
        step.start(SimpleNamespace(pool_cls=type("TaskPool", (), {"__module__": "celery.concurrency.prefork"})))
    step.start(SimpleNamespace(pool_cls=type("TaskPool", (), {"__module__": "celery.concurrency.thread"})))
    assert started == [1]
