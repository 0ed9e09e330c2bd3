from decimal import Decimal
from typing import NamedTuple

from django.db.models import DecimalField, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from billing.models import CreditAccount, LedgerTransaction


class Balance(NamedTuple):
    """Credits of a tenant: free to use, and on hold for runs that are not over."""

    available: Decimal
    reserved: Decimal


def get_balance(tenant_id: int) -> Balance:
    """Zero if the tenant has no account yet."""
    row = CreditAccount.objects.filter(tenant_id=tenant_id).values_list("available", "reserved").first()
    return Balance(*row) if row else Balance(Decimal(0), Decimal(0))


def list_ledger(tenant_id: int) -> QuerySet[LedgerTransaction]:
    """Movements, newest first, each with the sums of its lines as `available_delta` and `reserved_delta`."""
    money = DecimalField(max_digits=18, decimal_places=4)
    own = Q(entries__tenant_id=tenant_id)
    return (
        LedgerTransaction.objects.filter(tenant_id=tenant_id)
        .annotate(
            available_delta=Coalesce(Sum("entries__available_delta", filter=own), Decimal(0), output_field=money),
            reserved_delta=Coalesce(Sum("entries__reserved_delta", filter=own), Decimal(0), output_field=money),
        )
        .order_by("-created_at", "-pk")
    )
