"""Who the visitor is and where they act: account switch, language and theme."""

from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from ..access import access_switch_target
from ..actor import sign_in_required
from ..middleware import SESSION_TENANT
from ..models import User
from ..preferences import remember
from ..selectors import list_invitations
from ..services import record_tenant_switch, remember_tenant, update_profile


@sign_in_required
def no_tenant(request: HttpRequest) -> HttpResponse:
    """A signed-in person who belongs to no account: platform staff, or someone whose membership ended."""
    if list_invitations(request.user):  # type: ignore[arg-type]
        return redirect("accounts:invitation_list")
    return render(request, "accounts/no_tenant.html")


@sign_in_required
@require_POST
def switch_tenant(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """T4: acting in another account is an explicit act, and recorded."""
    tenant, via_agency = access_switch_target(request.user, public_id)  # type: ignore[arg-type]
    request.session[SESSION_TENANT] = str(tenant.public_id)
    record_tenant_switch(user=request.user, tenant=tenant, via_agency=via_agency)  # type: ignore[arg-type]
    if not via_agency:  # into a sub-account leads nothing but an audited switch
        remember_tenant(user=request.user, tenant=tenant)  # type: ignore[arg-type]
    return redirect(settings.LOGIN_REDIRECT_URL)


@require_POST
def update_preferences(request: HttpRequest) -> HttpResponse:
    """Language and theme, for visitors too (the sign-in page has the switch)."""
    language = request.POST.get("language", "")
    theme = request.POST.get("theme", "")
    language = language if language in dict(settings.LANGUAGES) else ""
    theme = theme if theme in User.Theme.values else ""
    if request.user.is_authenticated:
        update_profile(user=request.user, language=language or None, theme=theme or None)
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = "/"
    response = HttpResponseRedirect(back)
    remember(response, language=language, theme=theme)
    return response
