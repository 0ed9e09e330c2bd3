from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from smscore.msisdn import RejectReason

from .models import SuppressionEntry
from .number_file import ReadNumbers, UnreadableFile, read_file, read_text

FILE_ERRORS = {
    "empty": _("No number was found in it."),
    "too_big": _("The file is too big. Up to 20 MB can be added at once."),
    "broken": _("The file cannot be read. Save it as CSV or XLSX and try again."),
    "old_excel": _("This is the old Excel format (.xls). Save it as .xlsx and try again."),
    "encrypted_excel": _("The Excel file has a password. Save it without one and upload it again."),
    "too_many_columns": _("Row %(row)s has %(count)s columns; %(limit)s are allowed."),
    "cell_too_long": _("Row %(row)s has a cell with more than %(limit)s characters. Shorten it and upload it again."),
    "too_heavy": _("The Excel file is too large to be read. Save it as CSV and upload that."),
}
REJECT_REASONS = {
    RejectReason.EMPTY: _("no number"),
    RejectReason.NOT_A_NUMBER: _("not a telephone number"),
    RejectReason.DAMAGED_BY_SPREADSHEET: _("digits lost in the spreadsheet (9,05E+11)"),
    RejectReason.SEVERAL_NUMBERS: _("more than one number"),
    RejectReason.TOO_SHORT: _("digits missing"),
    RejectReason.TOO_LONG: _("too many digits"),
    RejectReason.LANDLINE: _("landline, cannot receive SMS"),
    RejectReason.SPECIAL_NUMBER: _("service number, cannot receive SMS"),
    RejectReason.UNKNOWN_COUNTRY: _("unknown country code"),
    RejectReason.AMBIGUOUS: _("could be two different numbers"),
    RejectReason.INVALID: _("no such mobile number"),
}


class SuppressionFilterForm(forms.Form):
    """Filters in the address bar; a wrong value filters nothing."""

    q = forms.CharField(required=False, max_length=40, label=_("Search by number"))
    source = forms.ChoiceField(
        required=False,
        label=_("Source"),
        choices=[
            ("", _("All sources")),
            *((s.value, s.label) for s in SuppressionEntry.Source if s != SuppressionEntry.Source.PLATFORM),
        ],
    )


class AddNumbersForm(forms.Form):
    numbers = forms.CharField(
        required=False,
        label=_("Numbers"),
        help_text=_("One number per line, in any spelling: 0532 123 45 67, +90 532 123 45 67 …"),
        widget=forms.Textarea(attrs={"rows": 8, "inputmode": "tel", "spellcheck": "false"}),
    )
    file = forms.FileField(
        required=False,
        label=_("or a file"),
        help_text=_("CSV, TXT or XLSX with a column of numbers, up to 20 MB."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.xlsx"}),
    )
    reason = forms.CharField(
        max_length=200,
        label=_("Reason"),
        help_text=_("Kept in the history, e.g. “asked by telephone on 12 May”."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        text, file = cleaned.get("numbers", "").strip(), cleaned.get("file")
        if "file" in self.errors:
            return cleaned
        if bool(text) == bool(file):
            self.add_error("numbers", _("Type numbers or choose a file, one of the two."))
            return cleaned
        try:
            cleaned["read"] = self._read(text, file)
        except UnreadableFile as error:
            self.add_error("file" if file else "numbers", FILE_ERRORS[error.code] % error.params)
        return cleaned

    @staticmethod
    def _read(text: str, file: UploadedFile | None) -> ReadNumbers:
        if file is not None:
            return read_file(file.file, file.size or 0)  # type: ignore[arg-type]
        return read_text(text)


class RemoveForm(forms.Form):
    reason = forms.CharField(
        max_length=200,
        label=_("Why may this number be written to again?"),
        help_text=_("Kept in the history with your name, as proof of the renewed consent."),
    )


class KeywordForm(forms.Form):
    keyword = forms.CharField(max_length=20, label=_("New word"))
