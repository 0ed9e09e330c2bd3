"""A connection as platform staff write it down: everything, the settings as JSON."""

import json
from typing import Any

from django import forms
from django.forms.fields import InvalidJSONInput
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.crypto import DecryptionError

from ..base import BadSettings
from ..models import GatewayAccount
from ..opening import check_settings
from ..registry import get_gateway_class
from ..wording.diagnosis import split_bad_settings
from .settings_guide import list_guides


class SettingsField(forms.JSONField):
    """Settings are read and mended by people."""

    def prepare_value(self, value: Any) -> Any:
        is_broken = isinstance(value, InvalidJSONInput)
        return value if is_broken else json.dumps(value or {}, ensure_ascii=False, indent=2)

    def to_python(self, value: Any) -> Any:
        found = super().to_python(value)
        if found is None:
            return {}
        if not isinstance(found, dict):
            raise forms.ValidationError(gettext("A JSON object is expected."))
        return found


class GatewayAccountForm(forms.ModelForm):
    """The secret goes in and never comes out: an empty field keeps what is stored."""

    adapter = forms.ChoiceField(label=_("Provider"), choices=lambda: [(g.slug, g.title) for g in list_guides()])
    settings = SettingsField(label=_("Settings"), required=False, widget=forms.Textarea(attrs={"rows": 12}))
    new_secret = forms.CharField(
        label=_("Password or key"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"}),
        help_text=_("Stored encrypted and never shown. Leave empty to keep the present one."),
    )

    class Meta:
        model = GatewayAccount
        fields = ["name", "tenant", "adapter", "settings", "rate_per_second", "window_size", "slots", "is_active"]
        fields += ["maintenance_from", "maintenance_until", "needs_sender_approval"]
        labels = {"tenant": _("Account")}
        help_texts = {"tenant": _("Leave empty for a connection of the platform.")}

    def clean(self) -> dict[str, Any] | None:
        """Settings that cannot work are refused here, with the name of the field, not when the link is opened."""
        cleaned = super().clean()
        values = self.cleaned_data
        begins_at, ends_at = values.get("maintenance_from"), values.get("maintenance_until")
        if ends_at and (not begins_at or ends_at <= begins_at):
            self.add_error("maintenance_until", gettext("The end comes after the beginning."))
        if "adapter" in values and "settings" in values:
            try:
                secret = values.get("new_secret") or self.instance.get_secret()
                check_settings(values["adapter"], values["settings"], secret, is_own=bool(values.get("tenant")))
            except DecryptionError:
                self.add_error("new_secret", gettext("The stored password cannot be read any more: enter it again."))
            except (BadSettings, TypeError) as error:
                name, why = split_bad_settings(str(error))
                is_secret = name in get_gateway_class(values["adapter"]).secret_settings
                self.add_error("new_secret" if is_secret else "settings", f"{name}: {why}" if name else why)
        return cleaned
