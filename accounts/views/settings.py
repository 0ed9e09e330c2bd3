from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from ..actor import Actor, panel_view
from ..forms import TenantForm
from ..models import Tenant
from ..second_step import ask_for_second_step, lacks_second_step
from ..services import update_tenant


@panel_view("account.view")
@require_http_methods(["GET", "POST"])
def edit_settings(request: HttpRequest) -> HttpResponse:
    """Everybody in the account may read the settings; administrators change them."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    if request.method == "POST":
        if not actor.may("tenant.manage"):
            raise PermissionDenied("tenant.manage")
        if lacks_second_step(actor.user):
            return ask_for_second_step(request)
        # A copy: the form writes into its instance, and the service needs to see what was there before.
        form = TenantForm(request.POST, instance=Tenant.objects.get(pk=actor.tenant.pk))
        if form.is_valid():
            update_tenant(tenant=actor.tenant, actor=actor.user, **form.cleaned_data)
            messages.success(request, gettext("The account settings are saved."))
            return redirect("accounts:settings")
    else:
        form = TenantForm(instance=actor.tenant)
    return render(request, "accounts/settings.html", {"form": form, "may_edit": actor.may("tenant.manage")})
