"""Who acts: a user in a tenant, with a role. Views get it as `request.actor`."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext

from .models import Tenant, User
from .roles import PERMISSIONS, role_allows
from .second_step import NEEDS_SECOND_STEP, ask_for_second_step, lacks_second_step


@dataclass(frozen=True, slots=True)
class Actor:
    user: User
    tenant: Tenant
    role: str
    via_agency: bool = False  # acting inside a sub-account after an audited switch

    def may(self, permission: str) -> bool:
        return role_allows(self.role, permission)

    @property
    def permissions(self) -> frozenset[str]:
        """For templates, which cannot call with an argument: `{% if "optout.edit" in actor.permissions %}`."""
        return PERMISSIONS.get(self.role, frozenset())


View = Callable[..., HttpResponseBase]


def was_written_elsewhere(request: HttpRequest, actor: Actor) -> bool:
    """Another tab has switched accounts since this page was opened: every page says for which one it was written
    (static/js/panel.js)."""
    said = request.headers.get("X-Acting-In") or request.POST.get("acting_in")
    return bool(said) and said != str(actor.tenant.public_id)


def refuse_elsewhere(request: HttpRequest, actor: Actor) -> HttpResponse:
    response = render(request, "409.html", status=409)
    text = gettext("You are in another account now: %(name)s. Nothing was changed.") % {"name": actor.tenant.name}
    response["X-Error-Text"] = quote(text)  # for a part of a page
    return response


def sign_in_required(view: View) -> View:
    """Leads to the sign-in who is signed out, and from there back to the page they were on."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        if request.method not in ("GET", "HEAD"):
            text = gettext("You were signed out meanwhile, so nothing was done. Sign in and try again.")
            messages.warning(request, text)
        if request.headers.get("HX-Request"):
            # A sign-in form has no place inside a part of the page: load the page anew, which leads there.
            return HttpResponse(status=204, headers={"HX-Refresh": "true"})
        return redirect_to_login(find_way_back(request))

    return guarded


def find_way_back(request: HttpRequest) -> str:
    """The page that is asked for; after a button, whose address may take no visit, the page on which it was pressed."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    page = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure()):
        return settings.LOGIN_REDIRECT_URL
    return urlsplit(page)._replace(scheme="", netloc="", fragment="").geturl()


def panel_view(permission: str) -> Callable[[View], View]:
    """Mark a view as part of the panel: signed in, in a tenant, with this permission (403 without it)."""

    def decorate(view: View) -> View:
        @sign_in_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            actor: Actor | None = getattr(request, "actor", None)
            if actor is None:
                return redirect("accounts:no_tenant")
            if was_written_elsewhere(request, actor):
                return refuse_elsewhere(request, actor)
            if not actor.may(permission):
                raise PermissionDenied(permission)
            if permission in NEEDS_SECOND_STEP and lacks_second_step(actor.user):
                return ask_for_second_step(request)
            return view(request, *args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]  # read by the authorisation matrix test
        return guarded

    return decorate
