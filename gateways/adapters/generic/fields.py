"""What staff fill in for a provider without an adapter, beside its templates (field "settings", JSON). Accounts cannot
set one up by themselves: what a provider says has to be understood, and tried, by somebody first.
"""

from __future__ import annotations

from gateways.setting_fields import FieldKind, SettingField
from gateways.setting_fields import gettext_noop as _

FIELDS: tuple[SettingField, ...] = (
    SettingField(
        name="base_url",
        label=_("Address of the provider's API"),
        kind=FieldKind.URL,
        required=True,
        staff_only=True,
    ),
    SettingField(name="login", label=_("User"), help=_("What [login] stands for."), staff_only=True),
    SettingField(
        name="password",
        label=_("Password or key"),
        kind=FieldKind.SECRET,
        help=_("What [password] stands for."),
        staff_only=True,
    ),
    SettingField(
        name="auth",
        label=_("Sign-in"),
        default="none",
        help=_("none, basic, bearer, or the name of a header for the password."),
        staff_only=True,
    ),
    SettingField(
        name="number_format",
        label=_("Numbers are written as"),
        kind=FieldKind.CHOICE,
        choices=(("digits", "905321234567"), ("e164", "+905321234567"), ("national", "5321234567")),
        default="digits",
        staff_only=True,
    ),
)
