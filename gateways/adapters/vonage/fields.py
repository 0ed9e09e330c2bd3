"""What people fill in to connect a Vonage account."""

from __future__ import annotations

from gateways.setting_fields import FieldKind, SettingField
from gateways.setting_fields import gettext_noop as _

FIELDS: tuple[SettingField, ...] = (
    SettingField(name="api_key", label=_("API key"), required=True),
    SettingField(name="api_secret", label=_("API secret"), kind=FieldKind.SECRET, required=True),
    SettingField(
        name="signature_secret",
        label=_("Key of the signature"),
        kind=FieldKind.SECRET,
        help=_("Only if the provider signs its calls to us."),
        is_advanced=True,
    ),
    SettingField(
        name="signature_method",
        label=_("Method of the signature"),
        kind=FieldKind.CHOICE,
        choices=(
            ("sha256", "HMAC-SHA256"),
            ("sha512", "HMAC-SHA512"),
            ("sha1", "HMAC-SHA1"),
            ("md5", "HMAC-MD5"),
            ("md5hash", "MD5"),
        ),
        default="sha256",
        is_advanced=True,
    ),
)
