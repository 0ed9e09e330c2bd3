"""What people fill in to connect a Verimor account."""

from __future__ import annotations

from gateways.setting_fields import FieldKind, SettingField
from gateways.setting_fields import gettext_noop as _

FIELDS: tuple[SettingField, ...] = (
    SettingField(
        name="username", label=_("User"), required=True, help=_("Your number with them, 12 digits: 908501234567.")
    ),
    SettingField(
        name="password",
        label=_("Password"),
        kind=FieldKind.SECRET,
        required=True,
        help=_("Of the API user; the API must be switched on in the provider's portal."),
    ),
    SettingField(
        name="iys_recipient_type",
        label=_("Commercial messages go to"),
        kind=FieldKind.CHOICE,
        choices=(("BIREYSEL", _("Persons (İYS: BIREYSEL)")), ("TACIR", _("Traders (İYS: TACIR)"))),
        default="BIREYSEL",
    ),
    SettingField(
        name="sent_is_delivered",
        label=_("Count “sent” as delivered"),
        kind=FieldKind.SWITCH,
        default=False,
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
