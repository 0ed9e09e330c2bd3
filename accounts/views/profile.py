from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, override
from django.views.decorators.http import require_http_methods

from ..actor import sign_in_required
from ..forms import ProfileForm
from ..preferences import remember
from ..services import update_profile


@sign_in_required
@require_http_methods(["GET", "POST"])
def edit_profile(request: HttpRequest) -> HttpResponse:
    """Own name, language, theme; links to password and two-step verification. Needs no account."""
    form = ProfileForm(request.POST or None, instance=request.user if request.method == "GET" else None)
    if request.method == "POST" and form.is_valid():
        user = update_profile(user=request.user, **form.cleaned_data)  # type: ignore[arg-type]
        with override(user.language):
            messages.success(request, gettext("Your profile is saved."))
        response = redirect("accounts:profile")
        remember(response, language=user.language, theme=user.theme)
        return response
    return render(request, "accounts/profile.html", {"form": form})
