"""A group of settings read field by field. Every error names the field, as a person finds it in the settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateways.base import BadSettings

MOST_ROWS = 500


class Section:
    def __init__(self, values: Any, field: str) -> None:
        if not isinstance(values, Mapping):
            raise BadSettings(f"{field}: an object is expected")
        self.field = field
        self._left = dict(values)

    def name(self, name: str) -> str:
        return f"{self.field}.{name}"

    def pop(self, name: str) -> Any:
        """None if it is not there."""
        return self._left.pop(name, None)

    def text(self, name: str, default: str = "") -> str:
        """A text; a list of texts is lines, so that long templates can be read."""
        value = self._left.pop(name, default)
        if isinstance(value, list) and all(isinstance(line, str) for line in value):
            value = "\n".join(value)
        if not isinstance(value, str):
            raise BadSettings(f"{self.name(name)}: a text is expected")
        return value

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """The first one is the default."""
        value = self.text(name, choices[0])
        if value not in choices:
            raise BadSettings(f"{self.name(name)}: {', '.join(choices)}")
        return value

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        value = self._left.pop(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise BadSettings(f"{self.name(name)}: a whole number from {least} to {most}")
        return value

    def flag(self, name: str) -> bool:
        value = self._left.pop(name, False)
        if not isinstance(value, bool):
            raise BadSettings(f"{self.name(name)}: true or false")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        value = self._left.pop(name, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value) or len(value) > MOST_ROWS:
            raise BadSettings(f"{self.name(name)}: a list of texts is expected")
        return tuple(value)

    def wholes(self, name: str, default: tuple[int, ...]) -> frozenset[int]:
        value = self._left.pop(name, list(default))
        if not isinstance(value, list) or not all(type(each) is int for each in value):
            raise BadSettings(f"{self.name(name)}: a list of whole numbers is expected")
        return frozenset(value)

    def table(self, name: str) -> dict[str, str]:
        value = self._left.pop(name, {})
        fits = isinstance(value, Mapping) and len(value) <= MOST_ROWS
        if not fits or not all(isinstance(each, str) for each in value.values()):
            raise BadSettings(f"{self.name(name)}: an object of texts is expected")
        return dict(value)

    def end(self) -> None:
        """Raises BadSettings for what nobody asked for."""
        if self._left:
            raise BadSettings(f"{self.name(min(self._left))}: there is no such setting")
