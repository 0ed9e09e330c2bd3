from django.db import connection
from django.db.models import Q, QuerySet

from common.ordering import turkish_key
from common.searching import contains_words

from .models import AuditEntry, Membership, Role, Tenant, User
from .scope import platform_scope

# A member of an agency acts in its sub-accounts with the role held in the agency.
AGENCY_DEPTH_LIMIT = 10


def find_membership(user: User, tenant: Tenant) -> Membership | None:
    """The user's own membership in exactly this tenant."""
    with platform_scope(reason="who is this user here"):
        return Membership.objects.filter(user=user, tenant=tenant, is_pending=False).first()


def list_memberships(user: User) -> list[Membership]:
    """Memberships of a person in active tenants, by tenant name."""
    return _list_of_person(user, is_pending=False)


def list_invitations(user: User) -> list[Membership]:
    """Memberships that the person has neither accepted nor declined, in active tenants, by tenant name."""
    return _list_of_person(user, is_pending=True)


def _list_of_person(user: User, *, is_pending: bool) -> list[Membership]:
    """Opens platform scope: no tenant is chosen yet."""
    with platform_scope(reason="tenants of the signed-in user"):
        return list(
            Membership.objects.filter(user=user, tenant__is_active=True, is_pending=is_pending)
            .select_related("user", "tenant", "tenant__parent")
            .order_by("tenant__name")
        )


def find_default_membership(user: User) -> Membership | None:
    """Where a session begins: where they chose to act last, else the membership they have had longest."""
    memberships = list_memberships(user)
    chosen = next((one for one in memberships if one.tenant_id == user.last_tenant_id), None)
    return chosen or min(memberships, key=lambda one: (one.created_at, one.pk), default=None)


def list_ancestor_ids(tenant_id: int) -> list[int]:
    """Primary keys of the agencies above a tenant, nearest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE above AS (
                SELECT parent_id, 1 AS depth FROM accounts_tenant WHERE id = %s
                UNION ALL
                SELECT t.parent_id, depth + 1 FROM accounts_tenant t JOIN above ON t.id = above.parent_id
                WHERE depth < %s
            ) SELECT parent_id FROM above WHERE parent_id IS NOT NULL ORDER BY depth
            """,
            [tenant_id, AGENCY_DEPTH_LIMIT],
        )
        return [row[0] for row in cursor.fetchall()]


def list_ids_below(tenant_id: int) -> list[int]:
    """Primary keys of all tenants below an agency, at any depth."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE below AS (
                SELECT id, 1 AS depth FROM accounts_tenant WHERE parent_id = %s
                UNION ALL
                SELECT t.id, depth + 1 FROM accounts_tenant t JOIN below ON t.parent_id = below.id WHERE depth < %s
            ) SELECT id FROM below
            """,
            [tenant_id, AGENCY_DEPTH_LIMIT],
        )
        return [row[0] for row in cursor.fetchall()]


def find_role(user: User, tenant: Tenant) -> tuple[str, bool] | None:
    """The user's role in a tenant and whether it comes from an agency above it; None if there is none."""
    own = find_membership(user, tenant)
    if own is not None:
        return own.role, False
    above = find_agency_membership(user, tenant)
    return (above.role, True) if above is not None else None


def find_agency_membership(user: User, tenant: Tenant) -> Membership | None:
    """By which the user acts in a tenant below: as owner before administrator, of the nearest such agency.

    Below an agency only its owners and administrators may act.
    """
    ancestors = list_ancestor_ids(tenant.pk)
    if not ancestors:
        return None
    with platform_scope(reason="agency above this tenant"):
        found = Membership.objects.filter(
            user=user,
            tenant_id__in=ancestors,
            tenant__is_active=True,
            is_pending=False,
            role__in=[Role.OWNER, Role.ADMIN],
        ).select_related("tenant")
        return min(found, key=lambda one: (one.role != Role.OWNER, ancestors.index(one.tenant_id)), default=None)


def list_sub_accounts(tenant: Tenant) -> QuerySet[Tenant]:
    """Tenants directly below an agency, by name, with its sort key as `name_key`."""
    return tenant.children.filter(is_active=True).annotate(name_key=turkish_key("name")).order_by("name_key", "pk")


def list_members(tenant: Tenant) -> QuerySet[Membership]:
    """People of the account, oldest membership first."""
    return Membership.objects.filter(tenant=tenant).select_related("user").order_by("created_at", "pk")


def list_audit_entries(tenant: Tenant, *, query: str = "") -> QuerySet[AuditEntry]:
    """The account's trail; `query` looks into target, action and the person's name or address."""
    entries = AuditEntry.objects.filter(tenant=tenant).select_related("actor")
    if query:
        entries = entries.filter(
            contains_words("target", query)
            | Q(action__icontains=query)
            | contains_words("actor__full_name", query)
            | Q(actor__email__icontains=query)
        )
    return entries
