"""What people fill in to connect a Figensoft account."""

from __future__ import annotations

from gateways.http.fields import BASE_URL
from gateways.setting_fields import FieldKind, SettingField
from gateways.setting_fields import gettext_noop as _

FIELDS: tuple[SettingField, ...] = (
    SettingField(name="username", label=_("User"), required=True),
    SettingField(name="password", label=_("Password"), kind=FieldKind.SECRET, required=True),
    SettingField(
        name="channel",
        label=_("Channel"),
        kind=FieldKind.CHOICE,
        choices=(("BULK", _("Bulk")), ("OTP", _("One-time passwords"))),
        default="BULK",
    ),
    SettingField(
        name="sends_originator",
        label=_("Name the sender ID with each call"),
        kind=FieldKind.SWITCH,
        default=True,
        help=_("Off for accounts that have one sender ID only."),
        is_advanced=True,
    ),
    BASE_URL,
)
