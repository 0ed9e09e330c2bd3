from collections.abc import Iterator, Sequence

from django.db.models import QuerySet

from messaging.models import Message, SendRun
from messaging.months import ids_of_months


def list_messages(run: SendRun) -> QuerySet[Message]:
    """A run's messages, looked for in its month only."""
    low, high = ids_of_months(run.month, run.month)
    return Message.objects.filter(run_id=run.pk, tenant_id=run.tenant_id, pk__gte=low, pk__lt=high)


def list_recipients(run: SendRun, *, states: Sequence[str] = (), query: str = "", after: str = "") -> QuerySet[Message]:
    """A run's messages by number; slice it. Next page: `after` = the last msisdn shown.

    query  digits anywhere in the number; other characters are ignored
    """
    messages = list_messages(run).order_by("msisdn")
    if states:
        messages = messages.filter(state__in=states)
    digits = "".join(filter(str.isdigit, query)).lstrip("0")
    if digits:
        messages = messages.filter(msisdn__contains=digits)
    if after:
        messages = messages.filter(msisdn__gt=after)
    return messages


def iter_recipients(run: SendRun, *, states: Sequence[str] = (), query: str = "") -> Iterator[Message]:
    """All of them, streamed from the database; inside `stream_in_scope` for responses."""
    return list_recipients(run, states=states, query=query).iterator(chunk_size=2000)
