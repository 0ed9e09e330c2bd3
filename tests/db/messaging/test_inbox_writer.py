"""What links bring is stored or refused; one event that cannot be stored holds up nothing else."""

import pytest
from django.db import OperationalError

from accounts.scope import platform_scope
from gateways.types import DeliveryEvent, DeliveryState, InboundMessage
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
    progress = None

    def __init__(self, *raws):
        self.raws, self.answer = list(raws), ""

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


def test_a_database_that_is_away_refuses_all(account, monkeypatch):
    def away(events):
        raise OperationalError("gone")

    monkeypatch.setattr(inbox, "store_events", away)
    monkeypatch.setattr("messaging.dispatch.database.connection.close", lambda: None)
    batch = FakeBatch(GOOD, BAD)
    assert store(account, batch) == []
    assert batch.answer == "refused"
