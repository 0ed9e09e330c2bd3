"""What an adapter asks people for: plain values from which the panel and the admin make a form.

An adapter lists its fields in ``Gateway.settings_fields``; their order is the order of the form. What is not listed
keeps the default of the adapter's settings class and is set in the admin only (field "settings", JSON).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateways.base import Gateway


def gettext_noop(text: str) -> str:
    """Marks an English source string for the translators; adapters know no Django, forms translate it."""
    return text


class FieldKind(StrEnum):
    """How a field is asked for, checked and stored (the JSON type of its value)."""

    TEXT = "text"
    SECRET = "secret"  # text; stored encrypted, never shown again  # noqa: S105
    HOST = "host"  # text: a name or an address; a tenant's own connection may not reach into our network
    URL = "url"  # text: https://…; the same rule
    WHOLE = "whole"  # int
    DECIMAL = "decimal"  # float
    SWITCH = "switch"  # bool
    CHOICE = "choice"  # text, one of ``choices``


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingField:
    """One setting.

    name         the adapter's own name of it (key of the mapping that ``from_settings`` takes)
    label, help  English source strings, marked with ``gettext_noop``
    default      what an empty field means; also shown in a new form. None: nothing
    choices      for CHOICE: (value, label)
    least, most  for numbers: the allowed range; ``most`` for texts: the longest allowed
    is_advanced  behind "More settings": most people never need it
    staff_only   only in the admin and for the platform's own connections (file names, switches that weaken checks)
    """

    name: str
    label: str
    kind: FieldKind = FieldKind.TEXT
    required: bool = False
    default: Any = None
    help: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    least: float | None = None
    most: float | None = None
    is_advanced: bool = False
    staff_only: bool = False


_LABELS = {
    "username": gettext_noop("User"),
    "user": gettext_noop("User"),
    "password": gettext_noop("Password"),
    "api_id": gettext_noop("API id"),
    "api_key": gettext_noop("API key"),
    "api_secret": gettext_noop("API secret"),
}


def list_fields(adapter: type[Gateway]) -> tuple[SettingField, ...]:
    """What the adapter declares. Of one that declares nothing, the credentials of its settings class: what it hides
    (``secret()``), and names that are known for it. All of them are required."""
    if adapter.settings_fields:
        return adapter.settings_fields
    settings_class = getattr(adapter, "settings_class", None)
    if settings_class is None:
        return ()
    usual = {field.name for parent in settings_class.__mro__[1:-1] for field in fields(parent)}
    return tuple(
        SettingField(
            name=field.name,
            label=_LABELS.get(field.name, field.name.replace("_", " ").capitalize()),
            kind=FieldKind.SECRET if field.name in adapter.secret_settings else FieldKind.TEXT,
            required=True,
        )
        for field in fields(settings_class)
        if field.name not in usual and field.default == "" and (not field.repr or field.name in _LABELS)
    )
