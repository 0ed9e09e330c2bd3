"""What people fill in to connect a Netgsm account."""

from __future__ import annotations

from gateways.http.fields import API_PASSWORD, BASE_URL, SEARCHES_BY_DATE, choose_recipient_type
from gateways.setting_fields import FieldKind, SettingField
from gateways.setting_fields import gettext_noop as _

FIELDS: tuple[SettingField, ...] = (
    SettingField(
        name="username",
        label=_("User"),
        required=True,
        help=_("Your subscriber number (850…), or the API user of a sub-user."),
    ),
    API_PASSWORD,
    choose_recipient_type(),
    SettingField(
        name="partner_code", label=_("Dealer code"), help=_("Only if your contract names one."), is_advanced=True
    ),
    SettingField(name="app_name", label=_("Application name"), is_advanced=True),
    SEARCHES_BY_DATE,
    SettingField(
        name="sets_stop_date",
        label=_("Send the validity as start and stop dates"),
        kind=FieldKind.SWITCH,
        default=True,
        is_advanced=True,
    ),
    BASE_URL,
)
