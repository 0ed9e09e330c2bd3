from django.db import IntegrityError, transaction

from ..models import Membership, Role, Tenant, User
from ..scope import platform_scope, tenant_scope
from .audit import record_audit


class MemberError(Exception):
    """The change to the members is refused; `code` says why: last_owner, owner_only, already_member."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def create_membership(
    *, tenant: Tenant, user: User, role: str, actor: User | None = None, is_pending: bool = False
) -> Membership:
    """Give a person a role in a tenant, or offer it, audited. Raises IntegrityError if they have one there."""
    action = "member.asked" if is_pending else "member.added"
    with tenant_scope(tenant.pk):
        membership = Membership(tenant=tenant, user=user, role=role, is_pending=is_pending)
        membership.save()
        record_audit(tenant=tenant, actor=actor, action=action, target=user.email, data={"role": role})
    return membership


def add_member(
    *, tenant: Tenant, email: str, full_name: str, role: str, actor: User, actor_role: str
) -> tuple[Membership, bool]:
    """Give a person a role by e-mail address; True if they are new and still have to choose a password.

    Who is known here already has the role only once they accept it. Raises MemberError: owner_only, already_member.
    """
    _require_owner_for(role, actor_role)
    with transaction.atomic():
        user, is_new = _find_or_create_user(email, full_name)
        try:
            membership = create_membership(tenant=tenant, user=user, role=role, actor=actor, is_pending=not is_new)
        except IntegrityError as error:
            raise MemberError("already_member") from error
    return membership, is_new


def accept_invitation(*, membership: Membership) -> bool:
    """By the person themselves. False if it was withdrawn, or answered before."""
    with platform_scope(reason="answer to an invitation"), transaction.atomic():
        offered = Membership.objects.filter(pk=membership.pk, is_pending=True)
        if not offered.update(is_pending=False):
            return False
        _record_answer(membership, "member.joined")
    return True


def decline_invitation(*, membership: Membership) -> bool:
    """As `accept_invitation`."""
    with platform_scope(reason="answer to an invitation"), transaction.atomic():
        if not Membership.objects.filter(pk=membership.pk, is_pending=True).delete()[0]:
            return False
        _record_answer(membership, "member.declined")
    return True


def _record_answer(membership: Membership, action: str) -> None:
    user = membership.user
    record_audit(tenant=membership.tenant, actor=user, action=action, target=user.email, data={"role": membership.role})


def _find_or_create_user(email: str, full_name: str) -> tuple[User, bool]:
    user = User.objects.filter(email=email.lower()).first()
    if user is not None:
        return user, False
    try:
        with transaction.atomic():
            return User.objects.create_user(email, None, full_name=full_name), True
    except IntegrityError:  # another account added them a moment ago, and invited them
        return User.objects.get(email=email.lower()), False


def change_role(*, membership: Membership, role: str, actor: User, actor_role: str) -> None:
    """Raises MemberError: owner_only, last_owner."""
    _require_owner_for(role, actor_role)
    _require_owner_for(membership.role, actor_role)
    if membership.role == role:
        return
    with transaction.atomic():
        _require_another_owner(membership)
        before, membership.role = membership.role, role
        membership.save(update_fields=["role"])
        record_audit(
            tenant=membership.tenant,
            actor=actor,
            action="member.role_changed",
            target=membership.user.email,
            data={"role": {"from": before, "to": role}},
        )


def remove_member(*, membership: Membership, actor: User, actor_role: str) -> None:
    """The person keeps their sign-in and other accounts. Raises MemberError: owner_only, last_owner."""
    _require_owner_for(membership.role, actor_role)
    with transaction.atomic():
        _require_another_owner(membership)
        record_audit(
            tenant=membership.tenant,
            actor=actor,
            action="member.removed",
            target=membership.user.email,
            data={"role": membership.role},
        )
        membership.delete()


def _require_owner_for(role: str, actor_role: str) -> None:
    if role == Role.OWNER and actor_role != Role.OWNER:
        raise MemberError("owner_only")


def _require_another_owner(membership: Membership) -> None:
    """Two owners who remove each other at once must not both succeed: the tenant's row is the lock."""
    if membership.role != Role.OWNER:
        return
    Tenant.objects.select_for_update().get(pk=membership.tenant_id)
    owners = Membership.objects.filter(tenant_id=membership.tenant_id, role=Role.OWNER, is_pending=False)
    others = owners.exclude(pk=membership.pk)
    if not others.exists():
        raise MemberError("last_owner")
