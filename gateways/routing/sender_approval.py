"""The one place where routing asks whether a sender ID may be used over a connection."""

from collections.abc import Iterable

from ..models import GatewayAccount, SenderId
from ..services.approvals import list_obstacles


def list_unapproved(tenant_id: int, sender: str, gateway_account_ids: Iterable[int]) -> set[int]:
    """Those of the connections over which the tenant may not send under `sender`; none for one that is no sender ID of
    the tenant's (it cannot be chosen, and planning goes by other things)."""
    found = SenderId.objects.filter(tenant_id=tenant_id, name=sender).first() if sender else None
    if found is None:
        return set()
    accounts = list(GatewayAccount.objects.filter(pk__in=list(gateway_account_ids)))
    return {obstacle.account.pk for obstacle in list_obstacles(found, accounts)}
