"""Refusals of the services, in words."""

from django.utils.translation import gettext as _

from billing.services import NotEnoughCredits
from common.numbers import format_credits

from ..services.errors import NotReady


def word_problems(error: NotReady) -> str:
    return " ".join(problem.message for problem in error.problems)


def word_credits(error: NotEnoughCredits) -> str:
    return _("Not enough credit: %(needed)s needed, %(available)s available, %(missing)s missing.") % {
        "needed": format_credits(error.needed),
        "available": format_credits(error.available),
        "missing": format_credits(error.needed - error.available),
    }


def word_failure(code: str) -> str:
    """Why a campaign was held back or could not be prepared (`Campaign.failure`)."""
    return {
        "": "",
        "account_closed": _("The account was closed when its time came, so it was not started."),
        "missed_schedule": _(
            "Its time was missed by more than 30 minutes, so it was not started. Start it now, or choose another time."
        ),
        "history_missing": _(
            "The platform was restored after its time: it may have been sent already, so it was not started."
            " Ask support before you start it."
        ),
        "not_enough_credits": _("There was not enough credit when its time came, so it was not started."),
        "not_ready": _("Something had changed when its time came, so it was not started. Look at the list below."),
        "preparing_failed": _("The audience could not be prepared. Try again; if it fails again, tell support."),
    }.get(code, code)
