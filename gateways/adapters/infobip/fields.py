"""What people fill in to connect an Infobip account."""

from __future__ import annotations

from gateways.http.fields import choose_recipient_type
from gateways.setting_fields import FieldKind, SettingField
from gateways.setting_fields import gettext_noop as _

FIELDS: tuple[SettingField, ...] = (
    SettingField(
        name="base_url",
        label=_("Address of the provider's API"),
        kind=FieldKind.URL,
        required=True,
        help=_("Your account's own: https://xxxxx.api.infobip.com, as the portal shows it."),
    ),
    SettingField(name="api_key", label=_("API key"), kind=FieldKind.SECRET, required=True),
    choose_recipient_type(),
    SettingField(
        name="iys_brand_code",
        label=_("İYS brand code"),
        kind=FieldKind.WHOLE,
        least=0,
        default=0,
        help=_("0: the brand your account has by default."),
    ),
    SettingField(name="entity_id", label=_("Entity id"), is_advanced=True),
    SettingField(name="application_id", label=_("Application id"), is_advanced=True),
    SettingField(
        name="searches_logs",
        label=_("Look for missing reports in the provider's logs"),
        kind=FieldKind.SWITCH,
        default=True,
        is_advanced=True,
    ),
    SettingField(
        name="hmac_header",
        label=_("Header of the signature"),
        help=_("If reports are signed (HMAC): the header's name, as in the provider's portal."),
        is_advanced=True,
    ),
    SettingField(name="hmac_secret", label=_("Key of the signature"), kind=FieldKind.SECRET, is_advanced=True),
    SettingField(
        name="hmac_algorithm",
        label=_("Method of the signature"),
        kind=FieldKind.CHOICE,
        choices=(("sha1", "SHA-1"), ("sha256", "SHA-256"), ("sha512", "SHA-512")),
        default="sha256",
        is_advanced=True,
    ),
    SettingField(name="webhook_user", label=_("User of their calls to us (Basic)"), is_advanced=True),
    SettingField(
        name="webhook_password",
        label=_("Password of their calls to us (Basic)"),
        kind=FieldKind.SECRET,
        is_advanced=True,
    ),
)
