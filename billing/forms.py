import re
import uuid
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import formats
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .models import LedgerTransaction


class AmountField(forms.DecimalField):
    """Credits as the reader's language writes them: 1.500,25 in Turkish, 1,500.25 in English.

    A separator of thousands that stands elsewhere is the other language's decimal one, and nobody may pay a hundred
    times what they typed: it is refused.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(localize=True, **options)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {**super().widget_attrs(widget), "data-amount": ""}  # the confirmation shows what is understood

    def to_python(self, value: Any) -> Any:
        group, point = formats.get_format("THOUSAND_SEPARATOR"), formats.get_format("DECIMAL_SEPARATOR")
        grouped = rf"-?\d{{1,3}}({re.escape(group)}\d{{3}})+({re.escape(point)}\d*)?"
        text = str(value or "").strip()
        if group in text and not re.fullmatch(grouped, text):
            example = formats.number_format(Decimal("1500.25"), force_grouping=True)
            raise ValidationError(gettext("Write the amount like this: %(example)s") % {"example": example})
        return super().to_python(value)


class TransferForm(forms.Form):
    """Credits to pass on. The key is made with the page, so that sending it twice transfers once."""

    amount = AmountField(label=_("Credits"), min_value=Decimal("0.01"), max_digits=14, decimal_places=2)
    key = forms.UUIDField(widget=forms.HiddenInput)

    def renew_key(self) -> None:
        """For a page whose key moved credits already: the next time it is sent counts as another transfer."""
        self.data = {"amount": self.data.get("amount", ""), "key": str(uuid.uuid4())}


class MovementFilterForm(forms.Form):
    kind = forms.ChoiceField(
        label=_("Kind"), required=False, choices=[("", _("Movements of the balance")), *LedgerTransaction.Kind.choices]
    )
