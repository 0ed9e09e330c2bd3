"""What links bring is stored or refused; one event that cannot be stored holds up nothing else."""

import pytest
from django.db import OperationalError

from accounts.scope import platform_scope
from gateways.models import PullCursor
from gateways.types import DeliveryEvent, DeliveryState, InboundMessage, PullProgress
from messaging.dispatch import inbox
from messaging.dispatch.inbox import InboxWriter
from messaging.models import ReceiptInbox

pytestmark = pytest.mark.django_db
GOOD, BAD, UNREADABLE = b"good", b"bad", b"unreadable"


class FakeGateway:
    def read_events(self, raws):
        if UNREADABLE in raws:
            raise ValueError("no adapter should, but one does")
        return [self.read(raw) for raw in raws]

    def read(self, raw):
        if raw == BAD:
            return InboundMessage("+905300000000", "4609", "x", part=1, parts=1, reference=2**40)  # out of range
        return DeliveryEvent(raw.decode(), "+905300000000", DeliveryState.DELIVERED)


class FakeBatch:
    def __init__(self, *raws, progress=None):
        self.raws, self.progress, self.answer = list(raws), progress, ""

    def stored(self):
        self.answer = "stored"

    def refused(self):
        self.answer = "refused"


def store(account, *batches):
    InboxWriter()._store([(account.pk, FakeGateway(), batch) for batch in batches])
    with platform_scope(reason="test"):
        return sorted(ReceiptInbox.objects.values_list("provider_message_id", "provider_code"))


@pytest.mark.parametrize("poison", [BAD, UNREADABLE])
def test_one_that_cannot_be_stored_is_kept_as_it_came(account, poison):
    batches = FakeBatch(GOOD, poison), FakeBatch(b"other")
    assert [code for _, code in store(account, *batches)] == ["unreadable", "", ""]
    assert [batch.answer for batch in batches] == ["stored", "stored"]


UNSTORABLE = {
    "the driver's refusal": PullProgress(cursors=(("inbound", "a\x00b"),)),
    "the database's refusal": PullProgress(cursors=(("far too long a name", "b"), ("x" * 30, "b"))),
}


@pytest.mark.parametrize("progress", UNSTORABLE.values(), ids=UNSTORABLE)
def test_each_arrival_has_an_answer_of_its_own(account, progress):
    """The first is stored once, the second not at all, the third as it came."""
    batches = FakeBatch(GOOD), FakeBatch(b"never", progress=progress), FakeBatch(b"other", BAD)
    assert store(account, *batches) == [("", "unreadable"), ("good", ""), ("other", "")]
    assert [batch.answer for batch in batches] == ["stored", "refused", "stored"]
    with platform_scope(reason="test"):
        assert not PullCursor.objects.exists()


def test_the_thread_goes_on_whatever_one_arrival_does(account, monkeypatch):
    def fail(arrivals):
        raise ValueError(arrivals[0][2].raws)

    class Gone(FakeBatch):
        def refused(self):
            raise RuntimeError("its event loop is closed")

    monkeypatch.setattr(inbox, "store_together", fail)
    monkeypatch.setattr(inbox, "in_one_transaction", lambda *_: fail([(0, None, FakeBatch())]))
    writer = InboxWriter()
    gone, batch = Gone(GOOD), FakeBatch(GOOD)
    for each in (gone, batch):
        writer.put(account.pk, FakeGateway(), each)
    writer._arrivals.put(None)
    monkeypatch.setattr(inbox.connection, "close", lambda: None)
    writer._store_arrivals()
    assert batch.answer == "refused"


def test_a_database_that_is_away_refuses_all(account, monkeypatch):
    def away(events):
        raise OperationalError("gone")

    monkeypatch.setattr(inbox, "store_events", away)
    monkeypatch.setattr("messaging.dispatch.database.connection.close", lambda: None)
    batch = FakeBatch(GOOD, BAD)
    assert store(account, batch) == []
    assert batch.answer == "refused"
