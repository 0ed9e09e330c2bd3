from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.tabular.detection import ENCODINGS
from common.tabular.problems import MAX_COLUMNS

from ..models import ContactField, ContactImport
from ..tabular.headers import MSISDN, NAME, RESERVED_KEYS, SURNAME, clean_label, fold_key

DELIMITER_NAMES = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
DELIMITER_LABELS = {
    "comma": gettext_lazy("Comma (,)"),
    "semicolon": gettext_lazy("Semicolon (;)"),
    "tab": gettext_lazy("Tab"),
    "bar": gettext_lazy("Bar (|)"),
}
Choices = list[tuple[str, Any]]


class UploadForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("File"),
        allow_empty_file=True,  # create_import says what is wrong with it
        max_length=255,
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx"}),
    )


class SettingsForm(forms.Form):
    """How to read the file; the values come from the selects of the page."""

    sheet = forms.CharField(required=False, max_length=200, strip=False)
    encoding = forms.ChoiceField(required=False, choices=list(ENCODINGS.items()))
    # By name: a form field would strip the tab.
    delimiter = forms.TypedChoiceField(
        required=False, choices=[(name, name) for name in DELIMITER_NAMES], coerce=DELIMITER_NAMES.__getitem__
    )
    header_row = forms.IntegerField(required=False, min_value=0, max_value=50)

    def changes(self, contact_import: ContactImport) -> dict[str, Any]:
        """What differs from how the file is read now."""
        cleaned = {name: value for name, value in self.cleaned_data.items() if value not in ("", None)}
        return {name: value for name, value in cleaned.items() if contact_import.settings.get(name) != value}


class MappingForm(forms.Form):
    """Where each column goes, and what else the import needs to know."""

    settings_digest = forms.CharField(required=False, max_length=16)
    list_name = forms.CharField(required=False, max_length=120, label=gettext_lazy("Put them into the list"))
    on_existing = forms.ChoiceField(
        choices=ContactImport.OnExisting.choices,
        label=gettext_lazy("If a number is there already"),
        initial=ContactImport.OnExisting.UPDATE,
    )

    def __init__(
        self,
        data: Any = None,
        *,
        headers: Sequence[str],
        mapping: dict[str, str | None],
        known_fields: Sequence[ContactField],
        list_name: str = "",
    ) -> None:
        super().__init__(data, initial={"list_name": list_name})
        self._columns = [f"column_{index}" for index in range(min(len(headers), MAX_COLUMNS))]
        common = _common_choices(known_fields)
        for index, (name, header) in enumerate(zip(self._columns, headers, strict=False)):
            guess = mapping.get(str(index)) or ""
            self.fields[name] = forms.ChoiceField(
                required=False,
                choices=common + _new_field_choices(header, guess, index),
                initial=guess,
                label=header or _("Column %(number)s") % {"number": index + 1},
            )

    def columns(self) -> list[forms.BoundField]:
        return [self[name] for name in self._columns]

    def column_choices(self) -> list[tuple[forms.BoundField, list[tuple[str, Choices]]]]:
        """Each column with its choices as (group label, choices), for the page to draw."""
        return [(self[name], _group(self.fields[name].choices)) for name in self._columns]  # type: ignore[attr-defined]

    def mapping(self) -> dict[str, str | None]:
        """Column index as text → target. From the guesses as long as nothing was sent."""
        values = self.cleaned_data if self.is_bound else {name: self.fields[name].initial for name in self._columns}
        return {str(index): values.get(name) or None for index, name in enumerate(self._columns)}


def _common_choices(known_fields: Sequence[ContactField]) -> Choices:
    choices: Choices = [("", _("Do not import")), (MSISDN, _("Telephone")), (NAME, _("Name")), (SURNAME, _("Surname"))]
    if known_fields:
        named = [(f"field:{field.key}", f"{field.label} ({field.get_kind_display()})") for field in known_fields]
        choices.append((_("Fields"), named))
    return choices


def _new_field_choices(header: str, guess: str, index: int) -> Choices:
    label = guess.split(":", 2)[2] if guess.startswith("new:") else clean_label(header)
    if not label or fold_key(label) in RESERVED_KEYS:
        label = _("Field %(number)s") % {"number": index + 1}
    kinds = [
        (f"new:{kind}:{label}", _("New: %(label)s (%(kind)s)") % {"label": label, "kind": kind_label})
        for kind, kind_label in ContactField.Kind.choices
    ]
    return [(_("New field"), kinds)]


def _group(choices: Choices) -> list[tuple[str, Choices]]:
    plain = [choice for choice in choices if not isinstance(choice[1], list | tuple)]
    return [("", plain), *(choice for choice in choices if isinstance(choice[1], list | tuple))]
