from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from smscore.sender import SenderProblem, check_sender

from ..services.documents import ACCEPTED, DocumentRefused, read_upload

DOCUMENT_REFUSALS = {
    "too_large": _("The file is larger than 5 MB."),
    "empty": _("The file is empty."),
    "kind": _("This is no PDF, JPG or PNG."),
    "too_many": _("There are as many documents as there can be."),
}

PROBLEMS = {
    SenderProblem.TOO_SHORT: _("At least 3 characters."),
    SenderProblem.TOO_LONG: _("At most 11 characters."),
    SenderProblem.TURKISH_LETTER: _("No Turkish letters: write C for Ç, I for İ, S for Ş."),
    SenderProblem.BAD_CHARACTER: _("Letters A–Z, digits and spaces only."),
    SenderProblem.OUTER_SPACE: _("No space at the beginning or the end."),
    SenderProblem.DOUBLE_SPACE: _("No two spaces in a row."),
    SenderProblem.DOMAIN_NAME: _("Web addresses are not accepted as sender IDs."),
    SenderProblem.NO_LETTER: _("At least one letter."),
    SenderProblem.NUMERIC: _("Numbers alone are overwritten by operators; use at least one letter."),
}


class SenderForm(forms.Form):
    name = forms.CharField(
        label=_("Sender ID"),
        max_length=40,
        strip=False,  # stored exactly as typed: spaces count, and outer ones are refused, not repaired
        help_text=_("3 to 11 characters: letters A–Z, digits and spaces. Shown exactly as you write it."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        problems = explain_problems(name)
        if problems:
            raise ValidationError(problems)
        return name


class DocumentForm(forms.Form):
    """One paper at a time; what is in it decides, not its name (gateways.services.documents)."""

    document = forms.FileField(
        label=_("Document"),
        required=False,
        widget=forms.ClearableFileInput(attrs={"accept": ACCEPTED}),
        help_text=_("PDF, JPG or PNG, at most 5 MB: trade registry, trademark, a letter of authority."),
    )

    def clean_document(self) -> Any:
        document = self.cleaned_data["document"]
        if document:
            try:
                read_upload(document)
            except DocumentRefused as refusal:
                raise ValidationError(DOCUMENT_REFUSALS[refusal.code]) from refusal
        return document


def explain_problems(name: str) -> list[str]:
    """What is wrong with a sender ID, in the reader's language; empty if it may be applied for."""
    return [str(PROBLEMS[problem]) for problem in check_sender(name)]
