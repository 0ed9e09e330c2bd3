from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


@login_required
def no_tenant(request: HttpRequest) -> HttpResponse:
    """A signed-in person who belongs to no account: platform staff, or someone whose membership ended."""
    return render(request, "accounts/no_tenant.html", status=200)
