from typing import Any

from django.db import transaction

from .models import AuditEntry, Membership, Tenant, User
from .scope import platform_scope, tenant_scope


def record_audit(
    *,
    tenant: Tenant | None,
    actor: User | None,
    action: str,
    target: str = "",
    data: dict[str, Any] | None = None,
) -> None:
    """Append to the audit trail, in the caller's transaction and scope."""
    AuditEntry(tenant=tenant, actor=actor, action=action, target=target, data=data or {}).save()


def create_tenant(
    *, name: str, slug: str, owner: User | None = None, parent: Tenant | None = None, **fields: Any
) -> Tenant:
    with transaction.atomic():
        tenant = Tenant.objects.create(name=name, slug=slug, parent=parent, **fields)
        with tenant_scope(tenant.pk):
            if owner is not None:
                Membership(tenant=tenant, user=owner, role="owner").save()
            record_audit(tenant=tenant, actor=owner, action="tenant.created", target=slug)
    return tenant


def create_membership(*, tenant: Tenant, user: User, role: str, actor: User | None = None) -> Membership:
    with tenant_scope(tenant.pk):
        membership = Membership(tenant=tenant, user=user, role=role)
        membership.save()
        record_audit(tenant=tenant, actor=actor, action="member.added", target=user.email, data={"role": role})
    return membership


def record_tenant_switch(*, user: User, tenant: Tenant, via_agency: bool) -> None:
    """T4: acting inside a sub-account is an explicit, audited switch, seen by both sides."""
    with platform_scope(reason="audit of an agency switch"):
        record_audit(
            tenant=tenant,
            actor=user,
            action="tenant.switched",
            target=tenant.slug,
            data={"via_agency": via_agency},
        )
