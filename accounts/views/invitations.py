"""Accounts that have invited the visitor. Needs no account: it may be their first."""

from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from ..access import access_invitation
from ..actor import sign_in_required
from ..selectors import list_invitations
from ..services import accept_invitation, decline_invitation


@sign_in_required
@require_GET
def list_page(request: HttpRequest) -> HttpResponse:
    invitations = list_invitations(request.user)  # type: ignore[arg-type]
    return render(request, "accounts/invitations.html", {"invitations": invitations})


@sign_in_required
@require_POST
def accept(request: HttpRequest, public_id: UUID) -> HttpResponse:
    return _answer(request, public_id, accept_invitation, _("You are a member of %(name)s now."))


@sign_in_required
@require_POST
def decline(request: HttpRequest, public_id: UUID) -> HttpResponse:
    return _answer(request, public_id, decline_invitation, _("You declined the invitation of %(name)s."))


def _answer(request: HttpRequest, public_id: UUID, service: Callable[..., bool], done: str) -> HttpResponse:
    """`done` is said unless the service finds it answered already."""
    membership = access_invitation(request.user, public_id)  # type: ignore[arg-type]
    if service(membership=membership):
        messages.success(request, done % {"name": membership.tenant.name})
    return redirect(settings.LOGIN_REDIRECT_URL)
