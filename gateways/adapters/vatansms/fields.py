"""What people fill in to connect a VatanSMS account."""

from __future__ import annotations

from gateways.http.fields import BASE_URL
from gateways.setting_fields import FieldKind, SettingField
from gateways.setting_fields import gettext_noop as _

FIELDS: tuple[SettingField, ...] = (
    SettingField(name="api_id", label=_("API id"), required=True, help=_("From the provider's portal.")),
    SettingField(
        name="api_key", label=_("API key"), kind=FieldKind.SECRET, required=True, help=_("From the provider's portal.")
    ),
    SettingField(
        name="sends_otp",
        label=_("This account sends one-time passwords only"),
        kind=FieldKind.SWITCH,
        default=False,
        is_advanced=True,
    ),
    BASE_URL,
)
