"""Recipients of a run with the names of the contacts they were."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from django.db.models import QuerySet

from contacts.models import Contact
from messaging.models import Message, SendRun
from messaging.selectors import list_recipients
from smscore.msisdn import normalise_msisdn
from smscore.status import STATE_GROUPS, StateGroup

CHUNK = 2000


class Recipient(NamedTuple):
    message: Message
    name: str  # as it is in the contacts now; empty if the contact was deleted or has none


def find_group(value: str) -> StateGroup | None:
    """The group of states that a filter names; None for no or no such group."""
    return StateGroup(value) if value in StateGroup.__members__.values() else None


def list_states(group: StateGroup | None) -> list[str]:
    """Message states of a group, as stored; [] for None."""
    return [str(state) for state in STATE_GROUPS[group]] if group else []


def list_matching(run: SendRun, *, group: StateGroup | None, query: str) -> QuerySet[Message]:
    """A run's messages by state group and number; a whole number, in any spelling, is looked up in the index."""
    whole = normalise_msisdn(query) if query else None
    if isinstance(whole, str):
        return list_recipients(run, states=list_states(group)).filter(msisdn=whole)
    return list_recipients(run, states=list_states(group), query=query)


def add_names(tenant_id: int, messages: Sequence[Message]) -> list[Recipient]:
    ids = [message.contact_id for message in messages if message.contact_id]
    names = dict(Contact.objects.filter(tenant_id=tenant_id, pk__in=ids).values_list("pk", "name"))
    return [Recipient(message, names.get(message.contact_id or 0, "")) for message in messages]


def iter_named_recipients(run: SendRun, *, group: StateGroup | None = None, query: str = "") -> Iterator[Recipient]:
    """All recipients by number, streamed; names are looked up by the thousand."""
    remaining = list_matching(run, group=group, query=query).iterator(chunk_size=CHUNK)
    while chunk := list(islice(remaining, CHUNK)):
        yield from add_names(run.tenant_id, chunk)
