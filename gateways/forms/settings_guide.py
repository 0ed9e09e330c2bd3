"""What staff may write into a connection's settings (JSON), for the page where they do, by provider."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Any

from django.utils.translation import gettext

from ..registry import get_gateway_class, list_slugs
from ..setting_fields import FieldKind, SettingField, list_fields
from ..simulator.accounts import list_simulated_settings, offers_simulator


@dataclass(frozen=True)
class Guide:
    """`asked`: (name, label, help) of what the panel asks for, too; `secrets`: what belongs into the password field
    (several: as a JSON object of these names); `others`: further names; `example`: settings that lead to the demo's
    simulator, empty where there is none."""

    slug: str
    title: str
    asked: list[tuple[str, str, str]]
    secrets: list[str]
    others: list[str]
    example: str


def list_guides() -> list[Guide]:
    return [build_guide(slug) for slug in list_slugs()]


def build_guide(slug: str) -> Guide:
    """Raises UnknownGateway."""
    adapter = get_gateway_class(slug)
    declared = [field for field in list_fields(adapter) if field.kind is not FieldKind.SECRET]
    names = {field.name for field in declared} | set(adapter.secret_settings)
    settings_class: Any = getattr(adapter, "settings_class", None)
    others = [f.name for f in fields(settings_class) if f.name not in names] if settings_class else []
    example = ""
    if offers_simulator(slug):
        example = json.dumps(list_simulated_settings(slug), ensure_ascii=False, indent=2)
    rows = [(field.name, _label(field), _help(field)) for field in declared]
    return Guide(slug, adapter.title or slug, rows, sorted(adapter.secret_settings), others, example)


def _label(field: SettingField) -> str:
    return gettext(field.label) + (" *" if field.required else "")


def _help(field: SettingField) -> str:
    parts = [gettext(field.help)] if field.help else []
    if field.choices:
        parts.append(", ".join(value for value, _name in field.choices))
    if field.default not in (None, ""):
        parts.append(gettext("Default: %(value)s") % {"value": json.dumps(field.default, ensure_ascii=False)})
    return " ".join(parts)
