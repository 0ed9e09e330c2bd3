"""What recipients wrote to a tenant."""

from collections.abc import Sequence
from typing import NamedTuple

from django.db.models import Q, QuerySet

from common.searching import contains_words
from contacts.models import Contact
from messaging.models import InboundMessage


class InboxRow(NamedTuple):
    message: InboundMessage
    name: str  # of the contact with that number, empty if there is none


def list_inbound(tenant_id: int, *, query: str = "", only_opt_outs: bool = False) -> QuerySet[InboundMessage]:
    """Messages to the tenant, newest first. `query`: words of the text, or digits of the number."""
    found: QuerySet[InboundMessage] = InboundMessage.objects.filter(tenant_id=tenant_id)
    if only_opt_outs:
        found = found.exclude(keyword="")
    if query:
        matches = contains_words("text", query)
        digits = "".join(char for char in query if char.isdigit()).lstrip("0")
        if len(digits) >= 3:
            matches |= Q(msisdn__contains=digits)
        found = found.filter(matches)
    return found.order_by("-received_at", "-pk")


def add_names(tenant_id: int, messages: Sequence[InboundMessage]) -> list[InboxRow]:
    numbers = {message.msisdn for message in messages}
    names = dict(Contact.objects.filter(tenant_id=tenant_id, msisdn__in=numbers).values_list("msisdn", "name"))
    return [InboxRow(message, names.get(message.msisdn, "")) for message in messages]
