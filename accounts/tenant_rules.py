"""What an account's settings may be, whoever writes them: the account itself or platform staff."""

import re
from functools import cache
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from smscore.keywords import match_opt_out

SHORTEST_CODE = 4


@cache  # it looks into every file of the system's zones
def known_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def list_zones() -> list[str]:
    """Time zones that are places."""
    return sorted(zone for zone in known_zones() if "/" in zone and not zone.startswith(("Etc/", "posix/", "right/")))


def check_zone(name: str) -> None:
    if name not in known_zones():
        raise ValidationError(_("Choose one of the time zones."))


def check_opt_out_code(code: str) -> None:
    """No word that people reply with anyway: RET as a code would catch every refusal."""
    if not re.fullmatch("[A-Z0-9]*", code):
        raise ValidationError(_("Capital letters A–Z and digits only, without spaces."))
    if len(code) < SHORTEST_CODE or match_opt_out(code) is not None:
        raise ValidationError(_("At least four characters, and none of the words RET, İPTAL, DUR, STOP …"))


def check_opt_out_number(number: str) -> None:
    if not re.fullmatch(r"\+?[0-9]{3,15}", number):
        raise ValidationError(_("Digits only."))


def check_mersis_number(number: str) -> None:
    if not re.fullmatch("[0-9]{16}", number):
        raise ValidationError(_("A MERSIS number has 16 digits."))
