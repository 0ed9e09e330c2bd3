"""Reads of the suppression list. A number is blocked if the tenant's list or the platform's names it."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db import connection
from django.db.models import Q, QuerySet

from accounts.scope import platform_scope
from common.ordering import turkish_key
from smscore.keywords import match_opt_out
from smscore.msisdn import normalise_msisdn

from .models import OptOutKeyword, SuppressionEntry

# Past this the page says "more than": counting a million rows for a headline is not worth a second.
COUNT_LIMIT = 100_000


def load_suppressed(tenant_id: int, msisdns: Sequence[str]) -> set[str]:
    """Those of `msisdns` (E.164) that must not be sent to: the tenant's entries and the platform's.

    Two statements, so that both look into the unique index of active entries instead of scanning for an OR; each is
    passed over, by one look, where its list is empty. 5,000 numbers against a list of a million: 35 ms.
    """
    if not msisdns:
        return set()
    own = _query(_NAMED.format(owner="tenant_id = %(tenant)s"), tenant=tenant_id, msisdns=list(msisdns))
    with platform_scope(reason=_PLATFORM_LIST):
        return own | _query(_NAMED.format(owner="tenant_id IS NULL"), msisdns=list(msisdns))


def load_suppression_list(tenant_id: int, most: int) -> frozenset[str] | None:
    """Every number that must not be sent to, or None if there are more than `most`: ask `load_suppressed` then.

    For walks over an audience: a set of 100,000 is loaded in 0.1 s, and asks no index a million times. Not for showing.
    """
    found = _query(_ALL.format(owner="tenant_id = %(tenant)s"), tenant=tenant_id, limit=most + 1)
    with platform_scope(reason=_PLATFORM_LIST):
        found |= _query(_ALL.format(owner="tenant_id IS NULL"), limit=most + 1)
    return frozenset(found) if len(found) <= most else None


# A tenant may not read the platform's list; of a number they learn no more than that it is blocked.
_PLATFORM_LIST = "numbers that nobody may send to"
_NAMED = """
SELECT msisdn FROM optout_suppressionentry WHERE {owner} AND is_active AND msisdn = ANY(%(msisdns)s)
AND EXISTS (SELECT 1 FROM optout_suppressionentry WHERE {owner} AND is_active)
"""
_ALL = "SELECT msisdn FROM optout_suppressionentry WHERE {owner} AND is_active LIMIT %(limit)s"


def _query(statement: str, **params: int | list[str]) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return {row[0] for row in cursor.fetchall()}


def find_opt_out_keyword(tenant_id: int | None, text: str) -> str | None:
    """The opt-out keyword with which a reply begins, as it is stored, or None (smscore.keywords says what counts).

    `tenant_id` None looks at the platform's words only.
    """
    return match_opt_out(text, tuple(list_keywords(tenant_id).values_list("keyword", flat=True)))


def list_keywords(tenant_id: int | None) -> QuerySet[OptOutKeyword]:
    """The tenant's own words and the platform's (tenant NULL), the platform's first."""
    words: QuerySet[OptOutKeyword] = OptOutKeyword.objects.filter(Q(tenant_id=tenant_id) | Q(tenant=None))
    return words.order_by("-tenant_id", turkish_key("keyword"))


def list_suppressions(tenant_id: int, *, query: str = "", source: str = "") -> QuerySet[SuppressionEntry]:
    """Active entries of the tenant's own list, newest first.

    `query`: a whole number in any spelling is looked up exactly, anything else matches digits anywhere.
    The platform's list is not shown: a tenant learns only that a recipient of theirs is blocked.
    """
    entries: QuerySet[SuppressionEntry] = SuppressionEntry.objects.filter(tenant_id=tenant_id, is_active=True)
    if source:
        entries = entries.filter(source=source)
    if query:
        entries = entries.filter(_match_number(query))
    return entries.select_related("added_by").order_by("-pk")


def list_removed(tenant_id: int, *, query: str = "") -> QuerySet[SuppressionEntry]:
    """History: entries that were taken off the tenant's list, newest first."""
    entries: QuerySet[SuppressionEntry] = SuppressionEntry.objects.filter(tenant_id=tenant_id, is_active=False)
    if query:
        entries = entries.filter(_match_number(query))
    return entries.select_related("removed_by", "added_by").order_by("-pk")


def iter_suppressions(tenant_id: int, *, query: str = "", source: str = "") -> Iterator[SuppressionEntry]:
    """What `list_suppressions` finds, oldest first, through a server-side cursor."""
    return list_suppressions(tenant_id, query=query, source=source).order_by("pk").iterator(chunk_size=2000)


def count_suppressions(tenant_id: int) -> int:
    """Active entries of the tenant, counted up to COUNT_LIMIT."""
    entries: QuerySet[SuppressionEntry] = SuppressionEntry.objects.filter(tenant_id=tenant_id, is_active=True)
    return entries[:COUNT_LIMIT].count()


def count_reply_opt_outs(tenant_id: int, *, since: datetime) -> int:
    """How many left by an SMS reply since then, removed again or not."""
    replies: QuerySet[SuppressionEntry] = SuppressionEntry.objects.filter(
        tenant_id=tenant_id, source=SuppressionEntry.Source.REPLY, created_at__gte=since
    )
    return replies.count()


def _match_number(query: str) -> Q:
    whole = normalise_msisdn(query)
    if isinstance(whole, str):
        return Q(msisdn=whole)
    digits = "".join(char for char in query if char.isdigit()).removeprefix("0")
    return Q(msisdn__contains=digits) if digits else Q(pk=None)
