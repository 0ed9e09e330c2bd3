"""What people fill in to connect an SMPP account; the rest of ``SmppSettings`` keeps its default."""

from __future__ import annotations

from gateways.adapters.smpp.settings import ID_BASES, LONG_MODES
from gateways.setting_fields import FieldKind, SettingField
from gateways.setting_fields import gettext_noop as _

_BIND_MODES = (
    ("transceiver", _("Transceiver: one bind sends and receives")),
    ("transmitter", _("Transmitter: sends only")),
    ("receiver", _("Receiver: receives only")),
)
_LONG_MODE_LABELS = {
    "udh8": _("Header with 8-bit reference (usual)"),
    "udh16": _("Header with 16-bit reference"),
    "sar": _("sar_* parameters"),
    "payload": _("message_payload: the operator splits"),
}
_BASE_LABELS = {
    "opaque": _("As it comes"),
    "dec": _("Decimal"),
    "hex": _("Hexadecimal"),
}

FIELDS: tuple[SettingField, ...] = (
    SettingField(
        name="host",
        label=_("Host"),
        kind=FieldKind.HOST,
        required=True,
        help=_("Name or address of the operator's message centre."),
    ),
    SettingField(name="port", label=_("Port"), kind=FieldKind.WHOLE, required=True, default=2775, least=1, most=65535),
    SettingField(name="system_id", label=_("User (system_id)"), required=True, most=15),
    SettingField(
        name="password",
        label=_("Password"),
        kind=FieldKind.SECRET,
        required=True,
        most=8,
        help=_("At most 8 characters: SMPP carries no more."),
    ),
    SettingField(
        name="system_type",
        label=_("System type"),
        most=12,
        help=_("Only if the operator names one."),
    ),
    SettingField(
        name="tls",
        label=_("TLS"),
        kind=FieldKind.SWITCH,
        default=False,
        help=_("Encrypt the connection; usually on a port of its own."),
    ),
    SettingField(
        name="bind_mode",
        label=_("Bind"),
        kind=FieldKind.CHOICE,
        choices=_BIND_MODES,
        default="transceiver",
        is_advanced=True,
    ),
    SettingField(
        name="long_mode",
        label=_("Long messages"),
        kind=FieldKind.CHOICE,
        choices=tuple((mode, _LONG_MODE_LABELS[mode]) for mode in LONG_MODES),
        default="udh8",
        is_advanced=True,
    ),
    SettingField(
        name="answer_id_base",
        label=_("Message numbers in answers"),
        kind=FieldKind.CHOICE,
        choices=tuple((base, _BASE_LABELS[base]) for base in ID_BASES),
        default="opaque",
        help=_("Some operators answer in hexadecimal and report in decimal. Set both, or leave both as they come."),
        is_advanced=True,
    ),
    SettingField(
        name="receipt_id_base",
        label=_("Message numbers in delivery reports"),
        kind=FieldKind.CHOICE,
        choices=tuple((base, _BASE_LABELS[base]) for base in ID_BASES),
        default="opaque",
        is_advanced=True,
    ),
    SettingField(
        name="enquire_link_seconds",
        label=_("Sign of life every (seconds)"),
        kind=FieldKind.DECIMAL,
        default=20.0,
        least=5,
        most=300,
        is_advanced=True,
    ),
    SettingField(
        name="tls_server_name",
        label=_("Name in the operator's certificate"),
        help=_("If it differs from the host."),
        is_advanced=True,
    ),
    SettingField(
        name="tls_verify",
        label=_("Check the operator's certificate"),
        kind=FieldKind.SWITCH,
        default=True,
        is_advanced=True,
        staff_only=True,
    ),
    SettingField(
        name="tls_ca_file",
        label=_("File with the operator's own authority"),
        is_advanced=True,
        staff_only=True,
    ),
)
