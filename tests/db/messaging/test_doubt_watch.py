"""W4 in a sender process: in doubt it opens no slot, keeps those it has for answers and receipts, and says so."""

import logging
import time

import pytest

from accounts.models import User
from accounts.scope import platform_scope
from messaging.dispatch import runtime as module
from messaging.models import DatabaseIdentity
from messaging.scope import engine_scope
from messaging.services.restore import confirm_database

from .test_runtime import make_account, runtime  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db(transaction=True)


def forge(**fields):
    with platform_scope(reason="test"):
        DatabaseIdentity.objects.update(**fields)


def test_no_slot_is_opened_in_doubt(runtime, caplog, monkeypatch):  # noqa: F811
    monkeypatch.setattr(module, "COMPARE_SECONDS", 0.5)
    held, other = make_account("Held"), make_account("Other")
    slot = runtime.get_slot(held.pk, 0)
    assert slot is not None, "the first start confirms the database"
    with caplog.at_level(logging.ERROR):
        forge(timeline=7)
        end = time.monotonic() + 10
        while "engine.database_in_doubt" not in caplog.text:  # nobody rings
            assert time.monotonic() < end
            time.sleep(0.1)
    assert runtime.get_slot(other.pk, 0) is None
    assert runtime.get_slot(held.pk, 0) is slot and not slot.link.is_closed
    assert caplog.text.count("engine.database_in_doubt") == 1, "once a minute"
    actor = User.objects.create_user("root@example.com")
    with engine_scope(reason="test"):
        confirm_database(actor=actor, since=None)
    assert runtime.get_slot(other.pk, 0) is not None, "without a restart"
