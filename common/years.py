"""Years that a date of a form may have: beyond them arithmetic with days and time zones ends in errors."""

from datetime import date

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

EARLIEST_YEAR, LATEST_YEAR = 2000, 2100


def check_year(value: date) -> None:
    """A validator of form fields, for dates and moments. ValidationError."""
    if not EARLIEST_YEAR <= value.year <= LATEST_YEAR:
        # As text: a year has no separator of thousands.
        years = {"first": str(EARLIEST_YEAR), "last": str(LATEST_YEAR)}
        raise ValidationError(_("Choose a year from %(first)s to %(last)s.") % years)
