from django import forms
from django.utils.translation import gettext_lazy as _

from common.years import check_year


class ReportFilterForm(forms.Form):
    """Filters in the address bar; a wrong date filters nothing and is said to be wrong."""

    q = forms.CharField(required=False, max_length=120, label=_("Search by campaign"))
    since = forms.DateField(
        required=False, label=_("From"), widget=forms.DateInput(attrs={"type": "date"}), validators=[check_year]
    )
    until = forms.DateField(
        required=False, label=_("To"), widget=forms.DateInput(attrs={"type": "date"}), validators=[check_year]
    )
