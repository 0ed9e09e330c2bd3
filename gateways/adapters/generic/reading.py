"""Answers read by rules of settings: a path into JSON, or a pattern over text. Both take time in proportion to what
they read, whatever is in it; there are no regular expressions in settings.

Path: ``data.items[].id``: keys joined by dots, ``[]`` for each element of a list, ``[0]`` for one.
Pattern: text with ``[value]`` (up to the text that follows, without spaces), ``[digits]`` or ``[*]`` (anything),
from the beginning of the answer: ``$[digits]#[*]``. The first of ``[value]`` and ``[digits]`` is what is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

from gateways.base import BadSettings

LONGEST_RULE = 300
MOST_STEPS = 20
LONGEST_TEXT = 20_000
LONGEST_VALUE = 200
_STEP = re.compile(r"([^.\[\]]{1,100})((?:\[\d{0,4}\]){0,3})\Z")
_INDEX = re.compile(r"\[(\d*)\]")
_HOLE = re.compile(r"\[(value|digits|\*)\]")
EACH = -1
_DIGITS = frozenset("0123456789")


class Rule(Protocol):
    """Reads one text out of a body (``value``: parsed JSON, or the body's text)."""

    def read(self, value: Any) -> str:
        """The text that was found. Raises LookupError, or TypeError for a shape that is not there."""


@dataclass(frozen=True, slots=True)
class JsonPath:
    """``steps``: keys (str) and indexes (int, EACH for all)."""

    steps: tuple[str | int, ...]

    @classmethod
    def parse(cls, text: str, field: str) -> Self:
        """An empty path is the value itself. Raises BadSettings."""
        if len(text) > LONGEST_RULE:
            raise BadSettings(f"{field}: longer than {LONGEST_RULE} characters")
        steps: list[str | int] = []
        for part in text.split(".") if text else []:
            if part == "[]" and not steps:
                steps.append(EACH)
                continue
            found = _STEP.match(part)
            if found is None:
                raise BadSettings(f"{field}: {part or 'an empty step'} is no step of a path like data.items[].id")
            steps.append(found[1])
            steps += [int(index) if index else EACH for index in _INDEX.findall(found[2])]
        if len(steps) > MOST_STEPS:
            raise BadSettings(f"{field}: more than {MOST_STEPS} steps")
        return cls(tuple(steps))

    @property
    def is_many(self) -> bool:
        return EACH in self.steps

    def find_all(self, value: Any) -> list[Any]:
        """Every value at the end of the path, in order. Raises LookupError, TypeError."""
        found = [value]
        for step in self.steps:
            if step == EACH:
                found = [element for each in found for element in _as_list(each)]
            elif isinstance(step, int):
                found = [_as_list(each)[step] for each in found]
            else:
                found = [_as_object(each)[step] for each in found]
        return found

    def read(self, value: Any) -> str:
        return as_text(self.find_all(value)[0])


@dataclass(frozen=True, slots=True)
class Pattern:
    """``pieces``: literal text and holes (value, digits, *) in turns, beginning with text."""

    pieces: tuple[str, ...]

    @classmethod
    def parse(cls, text: str, field: str) -> Self:
        """Raises BadSettings."""
        pieces = tuple(_HOLE.split(text))
        if len(text) > LONGEST_RULE:
            raise BadSettings(f"{field}: longer than {LONGEST_RULE} characters")
        if not {"value", "digits"} & set(pieces[1::2]):
            raise BadSettings(f"{field}: [value] or [digits] is missing")
        if any(not literal for literal in pieces[2:-1:2]):
            raise BadSettings(f"{field}: two placeholders need text between them")
        return cls(pieces)

    def read(self, value: Any) -> str:
        if not isinstance(value, str):
            raise TypeError("text is expected")
        text = value[:LONGEST_TEXT].strip()
        if not text.startswith(self.pieces[0]):
            raise LookupError(self.pieces[0])
        at, found = len(self.pieces[0]), ""
        for index in range(1, len(self.pieces), 2):
            hole, following = self.pieces[index], self.pieces[index + 1]
            end = _find_end(text, at, hole, following)
            if hole != "*" and not found:
                found = text[at:end]
            at = end + len(following)
        return found


def _find_end(text: str, at: int, hole: str, following: str) -> int:
    """Where a hole ends. Raises LookupError if it is empty, or not followed by what must follow."""
    if hole == "digits":
        end = at
        while end < len(text) and text[end] in _DIGITS:
            end += 1
        is_followed = text.startswith(following, end)
    else:
        end = text.find(following, at) if following else len(text)
        is_followed = end >= 0
    if not is_followed or (hole != "*" and (end == at or any(c.isspace() for c in text[at:end]))):
        raise LookupError(hole)
    return end


def parse_rule(rule: Any, field: str) -> Rule:
    """``{"path": …}`` or ``{"pattern": …}``. Raises BadSettings."""
    if not isinstance(rule, Mapping) or len(rule) != 1 or not set(rule) <= {"path", "pattern"}:
        raise BadSettings(f'{field}: {{"path": "…"}} or {{"pattern": "…"}} is expected')
    [(name, text)] = rule.items()
    if not isinstance(text, str) or not text:
        raise BadSettings(f"{field}.{name}: a text is expected")
    return JsonPath.parse(text, f"{field}.path") if name == "path" else Pattern.parse(text, f"{field}.pattern")


def as_text(value: Any) -> str:
    """A JSON value as the tables of settings write it: 0, 12.5, true, text; nothing for null.

    Raises TypeError for lists and objects, ValueError for what is too long.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise TypeError("a text or a number is expected")
    text = str(value).strip()
    if len(text) > LONGEST_VALUE:
        raise ValueError("too long")
    return text


def _as_list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError("a list is expected")
    return value


def _as_object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError("an object is expected")
    return value
