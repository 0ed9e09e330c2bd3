"""What people fill in to connect a Mutlucell account."""

from __future__ import annotations

from gateways.setting_fields import FieldKind, SettingField
from gateways.setting_fields import gettext_noop as _

FIELDS: tuple[SettingField, ...] = (
    SettingField(name="username", label=_("User"), required=True),
    SettingField(
        name="password",
        label=_("Password"),
        kind=FieldKind.SECRET,
        required=True,
        help=_("Of the API user; the API must be switched on in the provider's portal."),
    ),
    SettingField(
        name="sets_end_date",
        label=_("Send the end of the validity"),
        kind=FieldKind.SWITCH,
        default=True,
        is_advanced=True,
    ),
    SettingField(
        name="unicode_charset",
        label=_("Character set for texts with emoji"),
        help=_("As the provider names it; empty: such messages are refused before they are sent."),
        is_advanced=True,
    ),
    SettingField(
        name="base_url",
        label=_("Address of the provider's API"),
        kind=FieldKind.URL,
        help=_("Only if the provider gave you another one."),
        is_advanced=True,
    ),
)
