from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.db.models import Max

from accounts.models import Tenant
from accounts.scope import platform_scope
from billing.models import CreditAccount, LedgerTransaction


class SubAccountRow(NamedTuple):
    """An account below an agency: what it has left, what is on hold, when credits last moved (None: never)."""

    tenant: Tenant
    available: Decimal
    reserved: Decimal
    last_movement_at: datetime | None


def add_balances(tenants: Sequence[Tenant]) -> list[SubAccountRow]:
    """Accounts below an agency with their balances, in the same order."""
    keys = [tenant.pk for tenant in tenants]
    with platform_scope(reason="an agency reads the balances of its sub-accounts"):
        balances = {
            row[0]: row[1:]
            for row in CreditAccount.objects.filter(tenant_id__in=keys).values_list(
                "tenant_id", "available", "reserved"
            )
        }
        movements = dict(
            LedgerTransaction.objects.filter(tenant_id__in=keys)
            .values_list("tenant_id")
            .annotate(last=Max("created_at"))
            .order_by()
        )
    nothing = (Decimal(0), Decimal(0))
    return [SubAccountRow(tenant, *balances.get(tenant.pk, nothing), movements.get(tenant.pk)) for tenant in tenants]
