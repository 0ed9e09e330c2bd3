"""The only way from a URL to a row of accounts. Missing and foreign look the same: 404."""

from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404

from .actor import Actor
from .models import Membership, Tenant, User
from .selectors import find_role, list_invitations


def access_membership(actor: Actor, user_public_id: UUID) -> Membership:
    """A member of the actor's account, named by the user's public id."""
    members = Membership.objects.select_related("user", "tenant")
    return get_object_or_404(members, tenant=actor.tenant, user__public_id=user_public_id)


def access_sub_account(actor: Actor, public_id: UUID) -> Tenant:
    """An active account directly below the actor's."""
    return get_object_or_404(Tenant, public_id=public_id, parent=actor.tenant, is_active=True)


def access_switch_target(user: User, public_id: UUID) -> tuple[Tenant, bool]:
    """An account in which the user may act, and whether only through an agency above it."""
    tenant = Tenant.objects.select_related("parent").filter(public_id=public_id, is_active=True).first()
    role = find_role(user, tenant) if tenant is not None else None
    if tenant is None or role is None:
        raise Http404
    return tenant, role[1]


def access_invitation(user: User, public_id: UUID) -> Membership:
    """An invitation that waits for the user's answer, named by the account's public id."""
    for membership in list_invitations(user):
        if membership.tenant.public_id == public_id:
            return membership
    raise Http404
