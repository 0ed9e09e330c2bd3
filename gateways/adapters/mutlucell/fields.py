"""What people fill in to connect a Mutlucell account."""

from __future__ import annotations

from gateways.http.fields import API_PASSWORD, BASE_URL
from gateways.setting_fields import FieldKind, SettingField
from gateways.setting_fields import gettext_noop as _

FIELDS: tuple[SettingField, ...] = (
    SettingField(name="username", label=_("User"), required=True),
    API_PASSWORD,
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
    BASE_URL,
)
