"""What people fill in to connect a Netgsm account."""

from __future__ import annotations

from gateways.setting_fields import FieldKind, SettingField
from gateways.setting_fields import gettext_noop as _

FIELDS: tuple[SettingField, ...] = (
    SettingField(
        name="username",
        label=_("User"),
        required=True,
        help=_("Your subscriber number (850…), or the API user of a sub-user."),
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
        name="partner_code", label=_("Dealer code"), help=_("Only if your contract names one."), is_advanced=True
    ),
    SettingField(name="app_name", label=_("Application name"), is_advanced=True),
    SettingField(
        name="searches_by_date",
        label=_("Look for unanswered calls by date"),
        kind=FieldKind.SWITCH,
        default=True,
        is_advanced=True,
    ),
    SettingField(
        name="sets_stop_date",
        label=_("Send the validity as start and stop dates"),
        kind=FieldKind.SWITCH,
        default=True,
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
