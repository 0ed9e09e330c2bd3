"""What people fill in to connect a Twilio account."""

from __future__ import annotations

from gateways.setting_fields import FieldKind, SettingField
from gateways.setting_fields import gettext_noop as _

FIELDS: tuple[SettingField, ...] = (
    SettingField(name="account_sid", label=_("Account SID"), required=True, help=_("Begins with AC.")),
    SettingField(
        name="auth_token",
        label=_("Auth token"),
        kind=FieldKind.SECRET,
        required=True,
        help=_("Also proves that reports come from the provider."),
    ),
    SettingField(
        name="messaging_service_sid",
        label=_("Messaging service"),
        help=_("Begins with MG; only if the provider is to choose the sender."),
        is_advanced=True,
    ),
    SettingField(
        name="api_key_sid",
        label=_("API key"),
        help=_("Begins with SK; logs in instead of the token."),
        is_advanced=True,
    ),
    SettingField(name="api_key_secret", label=_("API secret"), kind=FieldKind.SECRET, is_advanced=True),
    SettingField(name="signing_key_id", label=_("Shared key for signatures"), is_advanced=True),
    SettingField(name="signing_key_secret", label=_("Key of the signature"), kind=FieldKind.SECRET, is_advanced=True),
    SettingField(
        name="callback_options",
        label=_("Options of their calls to us"),
        help=_("Retries and timeouts, for instance rc=5&rp=all."),
        is_advanced=True,
    ),
)
