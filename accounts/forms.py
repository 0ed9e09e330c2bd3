from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from .models import Role, Tenant, User
from .tenant_rules import list_zones


class ProfileForm(forms.ModelForm):
    language = forms.ChoiceField(label=_("Language"), choices=[("tr", "Türkçe"), ("en", "English")])
    theme = forms.ChoiceField(label=_("Theme"), choices=User.Theme.choices)

    class Meta:
        model = User
        fields = ["full_name", "language", "theme"]
        labels = {"full_name": _("Full name")}

    def clean_language(self) -> str:
        language = self.cleaned_data["language"]
        if language not in dict(settings.LANGUAGES):
            raise ValidationError(_("Choose one of the languages."))
        return str(language)


class MemberForm(forms.Form):
    """A person to add to the account."""

    email = forms.EmailField(label=_("E-mail address"), max_length=254)
    full_name = forms.CharField(label=_("Full name"), max_length=120, required=False)
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.EDITOR)

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()


class RoleForm(forms.Form):
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)


class SubAccountForm(forms.Form):
    name = forms.CharField(label=_("Account name"), max_length=120, min_length=2)


def choose_zones() -> list[tuple[str, str]]:
    return [(zone, zone.replace("_", " ")) for zone in list_zones()]


class TenantForm(forms.ModelForm):
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=choose_zones)
    opt_out_code = forms.CharField(
        label=_("Opt-out code"),
        required=False,
        max_length=20,
        help_text=_("Recipients write it after RET, so that their refusal reaches your account: RET AYSEBUTIK."),
    )
    opt_out_number = forms.CharField(
        label=_("Opt-out number"),
        required=False,
        max_length=20,
        help_text=_("The short number to which they write."),
    )
    mersis_number = forms.CharField(
        label=_("MERSIS number"),
        required=False,
        help_text=_("16 digits. Commercial messages must name the sender's MERSIS number or trade name."),
    )

    class Meta:
        model = Tenant
        fields = ["name", "time_zone", "opt_out_code", "opt_out_number", "mersis_number"]
        labels = {"name": _("Account name")}
