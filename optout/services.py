"""Writes of the suppression list. Entries are never deleted: removal keeps who, when and why."""

from collections.abc import Iterable
from io import StringIO
from itertools import islice
from typing import NamedTuple

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import AuditEntry, User
from common.ids import uuid7
from smscore.folding import upper_turkish
from smscore.keywords import fold_words
from smscore.msisdn import mask_msisdn

from .models import OptOutKeyword, SuppressionEntry

COPY_CHUNK = 50_000


class AddedSuppressions(NamedTuple):
    added: int
    already: int  # were on the list before, or came twice


class ReasonMissing(ValueError):
    """A number leaves the suppression list only with a stated reason."""


class InvalidKeyword(ValueError):
    """`code` says what is wrong: "no_word" (no letter or digit, or too long), "exists"."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def record_opt_out(
    *, tenant_id: int | None, msisdn: str, source: str, reason: str = "", actor: User | None = None
) -> bool:
    """Put one number (E.164) on the tenant's list, or on the platform's (tenant_id None, platform scope).

    Safe to repeat and in parallel: returns False if it was on the list already.
    """
    public_id = uuid7()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO optout_suppressionentry
                (public_id, tenant_id, msisdn, source, reason, is_active, added_by_id, created_at, removal_reason)
            VALUES (%s, %s, %s, %s, %s, true, %s, statement_timestamp(), '')
            ON CONFLICT (tenant_id, msisdn) WHERE is_active DO NOTHING
            """,
            [str(public_id), tenant_id, msisdn, source, reason[:200], actor.pk if actor else None],
        )
        is_new: bool = cursor.rowcount == 1
    if is_new:
        _audit(
            tenant_id,
            actor,
            "suppression.added",
            mask_msisdn(msisdn),
            {"source": source, "reason": reason[:200], "entry": str(public_id)},
        )
    return is_new


def add_suppressions(
    *, tenant_id: int | None, msisdns: Iterable[str], source: str, reason: str = "", actor: User | None = None
) -> AddedSuppressions:
    """Put many numbers (E.164, any order, repeats allowed) on the list in one transaction.

    COPY is refused on tables under row-level security, so it fills a temporary table that is merged.
    """
    added = total = 0
    remaining = iter(msisdns)
    with transaction.atomic():
        while chunk := list(islice(remaining, COPY_CHUNK)):
            total += len(chunk)
            added += _merge_chunk(tenant_id, sorted(set(chunk)), source, reason[:200], actor)
        if added:
            _audit(
                tenant_id,
                actor,
                "suppression.added_many",
                "",
                {"source": source, "reason": reason[:200], "added": added, "already": total - added},
            )
    return AddedSuppressions(added, total - added)


def remove_suppression(*, entry: SuppressionEntry, actor: User, reason: str) -> bool:
    """Take a number off the list; the row stays as history. False if somebody else did it before."""
    reason = reason.strip()
    if not reason:
        raise ReasonMissing
    with transaction.atomic():
        changed = SuppressionEntry.objects.filter(pk=entry.pk, is_active=True).update(
            is_active=False, removed_at=timezone.now(), removed_by=actor, removal_reason=reason[:200]
        )
        if changed:
            _audit(
                entry.tenant_id,
                actor,
                "suppression.removed",
                mask_msisdn(entry.msisdn),
                {"reason": reason[:200], "entry": str(entry.public_id)},
            )
    return bool(changed)


def add_keyword(*, tenant_id: int, keyword: str, actor: User) -> OptOutKeyword:
    """Add a reply word of the tenant's own, stored in capitals. InvalidKeyword if it is none or known already."""
    keyword = upper_turkish(" ".join(keyword.split()))
    folded = fold_words(keyword)
    if not folded or len(keyword) > 20:
        raise InvalidKeyword("no_word")
    known = OptOutKeyword.objects.values_list("keyword", flat=True)
    if folded in {fold_words(word) for word in known}:
        raise InvalidKeyword("exists")
    row = OptOutKeyword(tenant_id=tenant_id, keyword=keyword)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:  # somebody added it a moment ago
        raise InvalidKeyword("exists") from error
    _audit(tenant_id, actor, "optout_keyword.added", keyword, {})
    return row


def remove_keyword(*, keyword: OptOutKeyword, actor: User) -> None:
    """Remove a word of the tenant's own; the platform's words are refused by `access_keyword`."""
    with transaction.atomic():
        tenant_id, word = keyword.tenant_id, keyword.keyword
        keyword.delete()
        _audit(tenant_id, actor, "optout_keyword.removed", word, {})


def _merge_chunk(tenant_id: int | None, msisdns: list[str], source: str, reason: str, actor: User | None) -> int:
    lines = StringIO("".join(f"{uuid7()}\t{msisdn}\n" for msisdn in msisdns))
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE IF NOT EXISTS suppression_load (public_id uuid, msisdn varchar(16)) ON COMMIT DROP"
        )
        cursor.execute("TRUNCATE suppression_load")
        cursor.copy_expert("COPY suppression_load FROM STDIN", lines)
        cursor.execute(
            """
            INSERT INTO optout_suppressionentry
                (public_id, tenant_id, msisdn, source, reason, is_active, added_by_id, created_at, removal_reason)
            SELECT public_id, %s, msisdn, %s, %s, true, %s, statement_timestamp(), '' FROM suppression_load
            ORDER BY msisdn
            ON CONFLICT (tenant_id, msisdn) WHERE is_active DO NOTHING
            """,
            [tenant_id, source, reason, actor.pk if actor else None],
        )
        return int(cursor.rowcount)


def _audit(tenant_id: int | None, actor: User | None, action: str, target: str, data: dict[str, object]) -> None:
    AuditEntry(tenant_id=tenant_id, actor=actor, action=action, target=target, data=data).save()
