"""The balance after each movement of a page, from the balance now and the movements after the page."""

from collections.abc import Sequence
from decimal import Decimal

from django.db.models import Q, Sum

from billing.models import LedgerEntry, LedgerTransaction


def list_balances_after(
    tenant_id: int, movements: Sequence[LedgerTransaction], *, available_now: Decimal
) -> list[Decimal]:
    """Available credits after each of the movements, which are neighbours, newest first, with `available_delta`."""
    if not movements:
        return []
    newest = movements[0]
    later = LedgerEntry.objects.filter(tenant_id=tenant_id).filter(
        Q(transaction__created_at__gt=newest.created_at)
        | Q(transaction__created_at=newest.created_at, transaction__pk__gt=newest.pk)
    )
    balance = available_now - (later.aggregate(total=Sum("available_delta"))["total"] or Decimal(0))
    balances = []
    for movement in movements:
        balances.append(balance)
        balance -= movement.available_delta  # type: ignore[attr-defined]  # annotated by list_ledger
    return balances
