"""What people fill in to connect an İleti Merkezi account."""

from __future__ import annotations

from gateways.http.fields import BASE_URL, SEARCHES_BY_DATE, choose_recipient_type, switch_sent_is_delivered
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
    choose_recipient_type("iys_list"),
    SEARCHES_BY_DATE,
    switch_sent_is_delivered(default=True),
    BASE_URL,
)
