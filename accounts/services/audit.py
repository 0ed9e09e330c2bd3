from typing import Any

from ..models import AuditEntry, Tenant, User
from ..scope import platform_scope
from ..selectors import find_agency_membership


def record_audit(
    *,
    tenant: Tenant | None,
    actor: User | None,
    action: str,
    target: str = "",
    data: dict[str, Any] | None = None,
) -> None:
    """Append to the audit trail, in the caller's transaction and scope."""
    AuditEntry(tenant=tenant, actor=actor, action=action, target=target[:200], data=data or {}).save()


def record_tenant_switch(*, user: User, tenant: Tenant, via_agency: bool) -> None:
    """T4: acting inside a sub-account is an explicit, audited switch, seen there and by the agency the person is of."""
    with platform_scope(reason="audit of an agency switch"):
        record_audit(
            tenant=tenant, actor=user, action="tenant.switched", target=tenant.name, data={"via_agency": via_agency}
        )
        above = find_agency_membership(user, tenant) if via_agency else None
        if above is not None:
            record_audit(tenant=above.tenant, actor=user, action="subaccount.entered", target=tenant.name)
