"""Requests written from templates: text with ``[placeholders]``, filled in once, escaped for where they stand.

Not a template language: no conditions, no expressions, no attribute access. A template is cut into pieces when the
settings are read; writing one out is a walk over the pieces, and what is filled in is never looked at again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, quote_plus

from gateways.base import BadSettings

LONGEST_TEMPLATE = 10_000
_PLACEHOLDER = re.compile(r"\[([a-z_]{1,30})\]")
_XML = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&quot;", ord("'"): "&apos;"}
_NOT_XML = dict.fromkeys([*(c for c in range(32) if c not in (9, 10, 13)), 0xFFFE, 0xFFFF, *range(0xD800, 0xE000)])


def _escape_json(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)[1:-1]


def _escape_xml(value: str) -> str:
    return value.translate(_NOT_XML).translate(_XML)


def _escape_path(value: str) -> str:
    return quote(value, safe="")


def _escape_header(value: str) -> str:
    """A header is one line."""
    return " ".join(value.split())


ESCAPES: Mapping[str, Callable[[str], str]] = {
    "json": _escape_json,
    "xml": _escape_xml,
    "form": quote_plus,
    "query": quote_plus,
    "text": str,
    "path": _escape_path,
    "header": _escape_header,
}
"""By the kind of body, and of what stands before it."""
CONTENT_TYPES: Mapping[str, str] = {
    "json": "application/json",
    "xml": "text/xml",
    "form": "application/x-www-form-urlencoded",
    "text": "text/plain",
}


@dataclass(frozen=True, slots=True)
class Template:
    """``pieces``: literal text and names of placeholders in turns, beginning with text."""

    pieces: tuple[str, ...]
    kind: str

    @classmethod
    def parse(cls, text: str, kind: str, names: Iterable[str], field: str) -> Self:
        """Raises BadSettings naming the field for a placeholder that is not among ``names``."""
        if len(text) > LONGEST_TEMPLATE:
            raise BadSettings(f"{field}: longer than {LONGEST_TEMPLATE} characters")
        pieces = tuple(_PLACEHOLDER.split(text))
        known = frozenset(names)
        for name in pieces[1::2]:
            if name not in known:
                listed = ", ".join(f"[{each}]" for each in sorted(known))
                raise BadSettings(f"{field}: there is no placeholder [{name}]; there are {listed}")
        return cls(pieces, kind)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self.pieces[1::2])

    def write(self, values: Mapping[str, str], ready: Mapping[str, str] | None = None) -> str:
        """The text with ``values`` escaped and filled in; what is ``ready`` stands for itself."""
        escape = ESCAPES[self.kind]
        written = list(self.pieces)
        for index in range(1, len(written), 2):
            name = written[index]
            written[index] = ready[name] if ready and name in ready else escape(values[name])
        return "".join(written)
