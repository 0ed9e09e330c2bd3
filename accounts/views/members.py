from functools import partial
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from common.keyset import paginate

from ..access import access_membership
from ..actor import Actor, panel_view
from ..forms import MemberForm, RoleForm
from ..models import Role
from ..selectors import list_members as select_members
from ..services import MemberError, add_member, change_role, record_audit, remove_member
from ..tasks import send_invitation

REFUSALS = {
    "last_owner": _("An account needs at least one owner. Make somebody else an owner first."),
    "owner_only": _("Only an owner can give or change the owner role."),
    "already_member": _("This person is already a member of the account."),
}


@panel_view("account.view")
@require_GET
def list_members(request: HttpRequest) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    may_manage = actor.may("members.manage")
    page = paginate(select_members(actor.tenant), request.GET, order="created_at")
    rows = [
        {
            "membership": membership,
            "is_self": membership.user_id == actor.user.pk,
            "may_edit": may_manage and (membership.role != Role.OWNER or actor.role == Role.OWNER),
        }
        for membership in page
    ]
    roles = [choice for choice in Role.choices if choice[0] != Role.OWNER or actor.role == Role.OWNER]
    return render(
        request, "accounts/members.html", {"page": page, "rows": rows, "may_manage": may_manage, "roles": roles}
    )


@panel_view("members.manage")
@require_http_methods(["GET", "POST"])
def add_member_view(request: HttpRequest) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    form = MemberForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            membership, is_new = add_member(
                tenant=actor.tenant, actor=actor.user, actor_role=actor.role, **form.cleaned_data
            )
        except MemberError as error:
            form.add_error("role" if error.code == "owner_only" else "email", str(REFUSALS[error.code]))
        else:
            _invite(membership.user_id, actor)
            text = gettext("%(email)s is added.") if is_new else gettext("%(email)s is invited.")
            messages.success(request, text % {"email": membership.user.email})
            return redirect("accounts:member_list")
    return render(request, "accounts/member_add.html", {"form": form})


@panel_view("members.manage")
@require_POST
def change_role_view(request: HttpRequest, public_id: UUID) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    membership = access_membership(actor, public_id)
    form = RoleForm(request.POST)
    if form.is_valid():
        try:
            change_role(membership=membership, role=form.cleaned_data["role"], actor=actor.user, actor_role=actor.role)
            messages.success(request, gettext("The role is changed."))
        except MemberError as error:
            messages.error(request, str(REFUSALS[error.code]))
    else:
        messages.error(request, gettext("Choose one of the roles."))
    return redirect("accounts:member_list")


@panel_view("members.manage")
@require_POST
def remove_member_view(request: HttpRequest, public_id: UUID) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    membership = access_membership(actor, public_id)
    try:
        remove_member(membership=membership, actor=actor.user, actor_role=actor.role)
        messages.success(request, gettext("%(email)s is removed.") % {"email": membership.user.email})
    except MemberError as error:
        messages.error(request, str(REFUSALS[error.code]))
    return redirect("accounts:member_list")


@panel_view("members.manage")
@require_POST
def invite_again(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A new link for somebody who has not chosen a password yet, or has not accepted."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    membership = access_membership(actor, public_id)
    if membership.user.has_usable_password() and not membership.is_pending:
        messages.info(request, gettext("This person already has a password."))
    else:
        record_audit(tenant=actor.tenant, actor=actor.user, action="member.invited", target=membership.user.email)
        _invite(membership.user_id, actor)
        messages.success(request, gettext("The invitation is on its way."))
    return redirect("accounts:member_list")


def _invite(user_id: int, actor: Actor) -> None:
    # The membership stands even when the broker does not answer; the invitation can be sent again.
    nudge = partial(send_invitation.delay, user_id=user_id, tenant_id=actor.tenant.pk, inviter=str(actor.user))
    transaction.on_commit(nudge, robust=True)
