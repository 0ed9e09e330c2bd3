from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from common.tabular import wording
from common.tabular.problems import FileProblem

from .models import SuppressionEntry
from .number_file import ReadNumbers, read_file, read_text

FILE_PROBLEMS = {
    **wording.FILE_PROBLEMS,
    "no_numbers": gettext_noop("No number was found in it."),
    "wrong_encoding": gettext_noop("The file cannot be read. Save it as CSV or XLSX and try again."),
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
        help_text=_("CSV, TXT or XLSX, up to 20 MB. All telephone columns and all visible sheets are read."),
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
        except FileProblem as problem:
            self.add_error("file" if file else "numbers", _(FILE_PROBLEMS[problem.code]) % problem.params)
        return cleaned

    @staticmethod
    def _read(text: str, file: UploadedFile | None) -> ReadNumbers:
        if file is not None:
            return read_file(file.chunks(), file.size or 0)
        return read_text(text)


class RemoveForm(forms.Form):
    reason = forms.CharField(
        max_length=200,
        label=_("Why may this number be written to again?"),
        help_text=_("Kept in the history with your name, as proof of the renewed consent."),
    )


class KeywordForm(forms.Form):
    keyword = forms.CharField(max_length=20, label=_("New word"))
