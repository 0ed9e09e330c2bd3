from decimal import Decimal
from typing import NamedTuple

from django.db.models import DecimalField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from billing.models import CreditAccount, LedgerEntry, LedgerTransaction


class Balance(NamedTuple):
    """Credits of a tenant: free to use, and on hold for runs that are not over."""

    available: Decimal
    reserved: Decimal


def get_balance(tenant_id: int) -> Balance:
    """Zero if the tenant has no account yet."""
    row = CreditAccount.objects.filter(tenant_id=tenant_id).values_list("available", "reserved").first()
    return Balance(*row) if row else Balance(Decimal(0), Decimal(0))


def list_ledger(tenant_id: int) -> QuerySet[LedgerTransaction]:
    """Movements, newest first, each with the sums of its lines as `available_delta` and `reserved_delta`.

    Summed per movement, so a page reads the lines of its fifty; grouped, it would read the ledger from its first day.
    """
    return (
        LedgerTransaction.objects.filter(tenant_id=tenant_id)
        .annotate(
            available_delta=_sum_own_lines(tenant_id, "available_delta"),
            reserved_delta=_sum_own_lines(tenant_id, "reserved_delta"),
        )
        .order_by("-created_at", "-pk")
    )


def _sum_own_lines(tenant_id: int, column: str) -> Coalesce:
    money = DecimalField(max_digits=18, decimal_places=4)
    lines = LedgerEntry.objects.filter(transaction=OuterRef("pk"), tenant_id=tenant_id).order_by()
    sums = lines.values("transaction").annotate(total=Sum(column)).values("total")
    return Coalesce(Subquery(sums), Decimal(0), output_field=money)
