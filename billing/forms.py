import uuid
from decimal import Decimal

from django import forms
from django.utils.translation import gettext_lazy as _

from .models import LedgerTransaction


class TransferForm(forms.Form):
    """Credits to pass on. The key is made with the page, so that sending it twice transfers once."""

    # Localised, so that 1.500 is one thousand five hundred to a Turkish reader.
    amount = forms.DecimalField(
        label=_("Credits"), min_value=Decimal("0.01"), max_digits=14, decimal_places=2, localize=True
    )
    key = forms.UUIDField(widget=forms.HiddenInput)

    def renew_key(self) -> None:
        """For a page whose key moved credits already: the next time it is sent counts as another transfer."""
        self.data = self.data.copy()
        self.data["key"] = str(uuid.uuid4())


class MovementFilterForm(forms.Form):
    kind = forms.ChoiceField(
        label=_("Kind"), required=False, choices=[("", _("Movements of the balance")), *LedgerTransaction.Kind.choices]
    )
