from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from smscore.keywords import match_opt_out

from .models import Role, Tenant, User

SHORTEST_CODE = 4


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


class TenantForm(forms.ModelForm):
    time_zone = forms.ChoiceField(label=_("Time zone"))
    opt_out_code = forms.CharField(
        label=_("Opt-out code"),
        required=False,
        max_length=20,
        help_text=_("Recipients write it after RET, so that their refusal reaches your account: RET AYSEBUTIK."),
        validators=[RegexValidator(r"^[A-Z0-9]*$", _("Capital letters A–Z and digits only, without spaces."))],
    )
    opt_out_number = forms.CharField(
        label=_("Opt-out number"),
        required=False,
        max_length=20,
        help_text=_("The short number to which they write."),
        validators=[RegexValidator(r"^\+?[0-9]{3,15}$", _("Digits only."))],
    )
    mersis_number = forms.CharField(
        label=_("MERSIS number"),
        required=False,
        help_text=_("16 digits. Commercial messages must name the sender's MERSIS number or trade name."),
        validators=[RegexValidator(r"^[0-9]{16}$", _("A MERSIS number has 16 digits."))],
    )

    class Meta:
        model = Tenant
        fields = ["name", "time_zone", "opt_out_code", "opt_out_number", "mersis_number"]
        labels = {"name": _("Account name")}

    def __init__(self, *args, **kwargs) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*args, **kwargs)
        zones = sorted(
            zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "posix/", "right/"))
        )
        self.fields["time_zone"].choices = [(zone, zone.replace("_", " ")) for zone in zones]  # type: ignore[attr-defined]

    def clean_opt_out_code(self) -> str:
        """No word that people reply with anyway: RET as a code would catch every refusal."""
        code = str(self.cleaned_data["opt_out_code"])
        if code and (len(code) < SHORTEST_CODE or match_opt_out(code) is not None):
            raise ValidationError(_("At least four characters, and none of the words RET, İPTAL, DUR, STOP …"))
        return code
