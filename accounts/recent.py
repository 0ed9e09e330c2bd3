"""Sensitive pages ask for the password (or the code) again when it was given long ago (reliability, section 7)."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

View = Callable[..., HttpResponseBase]


def signed_in_recently(request: HttpRequest) -> bool:
    """Whether the person proved who they are within ACCOUNT_REAUTHENTICATION_TIMEOUT seconds, sign-in included."""
    if not get_reauthentication_flows(request.user):
        return True  # there is nothing this person could be asked for
    records = get_authentication_records(request, request.user)
    newest = max((record["at"] for record in records), default=0)
    return bool(time.time() - newest < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)


def recent_sign_in_required(view: View) -> View:
    """Sends to the confirmation page, and from there back to this one. What was posted has to be entered again."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(request, *args, **kwargs) if signed_in_recently(request) else ask_again(request)

    return guarded


def ask_again(request: HttpRequest) -> HttpResponseRedirect:
    """To the confirmation page, and from there back to this one."""
    query = urlencode({"next": request.get_full_path()})
    return HttpResponseRedirect(f"{reverse('account_reauthenticate')}?{query}")
