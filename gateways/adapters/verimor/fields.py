"""What people fill in to connect a Verimor account."""

from __future__ import annotations

from gateways.http.fields import API_PASSWORD, BASE_URL, choose_recipient_type, switch_sent_is_delivered
from gateways.setting_fields import SettingField
from gateways.setting_fields import gettext_noop as _

FIELDS: tuple[SettingField, ...] = (
    SettingField(
        name="username", label=_("User"), required=True, help=_("Your number with them, 12 digits: 908501234567.")
    ),
    API_PASSWORD,
    choose_recipient_type(),
    switch_sent_is_delivered(default=False),
    BASE_URL,
)
