from typing import Any

from django.db import transaction
from django.utils.crypto import get_random_string
from django.utils.text import slugify

from ..models import Membership, Tenant, User
from ..scope import platform_scope, tenant_scope
from ..selectors import list_ids_below
from .audit import record_audit

# Letters that Unicode does not decompose into a base letter.
_TURKISH_TO_ASCII = str.maketrans("ıİ", "iI")


def create_tenant(
    *, name: str, slug: str, owner: User | None = None, parent: Tenant | None = None, **fields: Any
) -> Tenant:
    """A tenant below `parent` (an agency) or on its own, with its owner; audited. `fields` are further model fields."""
    with transaction.atomic():
        tenant = Tenant.objects.create(name=name, slug=slug, parent=parent, **fields)
        with tenant_scope(tenant.pk):
            if owner is not None:
                Membership(tenant=tenant, user=owner, role="owner").save()
            record_audit(tenant=tenant, actor=owner, action="tenant.created", target=name)
    return tenant


def create_sub_account(*, agency: Tenant, name: str, actor: User) -> Tenant:
    """A tenant below the agency, in its time zone. The agency's people reach it by switching."""
    tenant = create_tenant(name=name, slug=make_slug(name), parent=agency, time_zone=agency.time_zone)
    record_audit(tenant=agency, actor=actor, action="subaccount.created", target=tenant.name)
    return tenant


def update_tenant(*, tenant: Tenant, actor: User, **fields: Any) -> Tenant:
    """Change settings of an account. The trail keeps what was there before."""
    before = {name: getattr(tenant, name) for name, value in fields.items() if getattr(tenant, name) != value}
    if not before:
        return tenant
    for name in before:
        setattr(tenant, name, fields[name])
    tenant.save(update_fields=list(before))
    record_audit(
        tenant=tenant,
        actor=actor,
        action="tenant.updated",
        target=tenant.slug,
        data={name: {"from": value, "to": fields[name]} for name, value in before.items()},
    )
    return tenant


def close_accounts_below(*, agency: Tenant, actor: User) -> list[Tenant]:
    """Close whatever is open below an agency that was closed: its customers' traffic is the agency's. Audited in each.

    They are opened again one by one: some may have been closed for a reason of their own.
    """
    with platform_scope(reason="an agency is closed with all below it"):
        below = list(Tenant.objects.select_for_update().filter(pk__in=list_ids_below(agency.pk), is_active=True))
        Tenant.objects.filter(pk__in=[tenant.pk for tenant in below]).update(is_active=False)
        for tenant in below:
            record_audit(
                tenant=tenant, actor=actor, action="tenant.closed", target=tenant.slug, data={"agency": agency.name}
            )
    return below


def make_slug(name: str) -> str:
    """A free slug: the name without Turkish letters, with a few random characters if it is taken."""
    base = slugify(name.translate(_TURKISH_TO_ASCII))[:50] or "hesap"
    slug = base
    while Tenant.objects.filter(slug=slug).exists():
        slug = f"{base}-{get_random_string(5, 'abcdefghjkmnpqrstuvwxyz23456789')}"
    return slug
