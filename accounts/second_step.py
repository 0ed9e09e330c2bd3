"""Who moves money, sends, or decides about people signs in with a second step (reliability, section 7).

`TOTP_REQUIRED` says whether this installation asks for it: production does, a demonstration on one's own machine not.
"""

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext

NEEDS_SECOND_STEP = frozenset(
    {
        "campaigns.launch",
        "connections.manage",
        "credits.transfer",
        "members.manage",
        "senders.request",
        "subaccounts.manage",
        "tenant.manage",
    }
)


def lacks_second_step(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether this person has to set up an authenticator app first."""
    return bool(settings.TOTP_REQUIRED) and not is_mfa_enabled(user)


def ask_for_second_step(request: HttpRequest) -> HttpResponse:
    """To the page where it is set up, with a word why."""
    messages.warning(request, gettext("This needs two-step verification. Set up your authenticator app first."))
    return redirect("mfa_activate_totp")
