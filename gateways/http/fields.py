"""Settings that providers over HTTP have in common, as they are asked for."""

from __future__ import annotations

from gateways.setting_fields import FieldKind, SettingField
from gateways.setting_fields import gettext_noop as _

BASE_URL = SettingField(
    name="base_url",
    label=_("Address of the provider's API"),
    kind=FieldKind.URL,
    help=_("Only if the provider gave you another one."),
    is_advanced=True,
)
API_PASSWORD = SettingField(
    name="password",
    label=_("Password"),
    kind=FieldKind.SECRET,
    required=True,
    help=_("Of the API user; the API must be switched on in the provider's portal."),
)
SEARCHES_BY_DATE = SettingField(
    name="searches_by_date",
    label=_("Look for unanswered calls by date"),
    kind=FieldKind.SWITCH,
    default=True,
    is_advanced=True,
)


def choose_recipient_type(name: str = "iys_recipient_type") -> SettingField:
    """Who commercial messages go to, as İYS has them; `name` is the adapter's own."""
    return SettingField(
        name=name,
        label=_("Commercial messages go to"),
        kind=FieldKind.CHOICE,
        choices=(("BIREYSEL", _("Persons (İYS: BIREYSEL)")), ("TACIR", _("Traders (İYS: TACIR)"))),
        default="BIREYSEL",
    )


def switch_sent_is_delivered(*, default: bool) -> SettingField:
    """Whether a report that says no more than "sent" ends a message as delivered."""
    return SettingField(
        name="sent_is_delivered",
        label=_("Count “sent” as delivered"),
        kind=FieldKind.SWITCH,
        default=default,
        is_advanced=True,
    )
