"""What people fill in to connect an İleti Merkezi account."""

from __future__ import annotations

from gateways.setting_fields import FieldKind, SettingField
from gateways.setting_fields import gettext_noop as _

FIELDS: tuple[SettingField, ...] = (
    SettingField(name="key", label=_("API key"), required=True, help=_("As their panel shows it.")),
    SettingField(
        name="hash",
        label=_("API hash"),
        kind=FieldKind.SECRET,
        required=True,
        help=_("Made in their panel with the key."),
    ),
    SettingField(
        name="iys_list",
        label=_("Commercial messages go to"),
        kind=FieldKind.CHOICE,
        choices=(("BIREYSEL", _("Persons (İYS: BIREYSEL)")), ("TACIR", _("Traders (İYS: TACIR)"))),
        default="BIREYSEL",
    ),
    SettingField(
        name="searches_by_date",
        label=_("Look for unanswered calls by date"),
        kind=FieldKind.SWITCH,
        default=True,
        is_advanced=True,
    ),
    SettingField(
        name="sent_is_delivered",
        label=_("Count “sent” as delivered"),
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
