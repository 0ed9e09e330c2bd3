"""Finds every text that goes through gettext; GNU gettext is not needed.

Templates are read by Django's own scanner, Python by its syntax tree. A template text that goes around gettext is
found too: what a user reads must be translatable.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from devtools.environment import ROOT

APPS = (
    *("accounts", "billing", "campaigns", "common", "contacts", "gateways", "messaging", "optout", "reporting"),
    *("smscore", "smsplatform", "templates"),
)

# function: the positions of its context, its text and its plural
_PLACES = {"gettext": (None, 0, None), "ngettext": (None, 0, 1), "pgettext": (0, 1, None), "npgettext": (0, 1, 2)}
FUNCTIONS = {"_": _PLACES["gettext"], "gettext_noop": _PLACES["gettext"], **_PLACES}
FUNCTIONS |= {f"{name}_lazy": places for name, places in _PLACES.items()}

# Names and units that are the same in every language.
SAME_EVERYWHERE = {
    *("Peyk", "SMS", "CSV", "Excel", "XLSX", "SMPP", "TPS", "GSM-7", "UCS-2", "İYS", "API", "ID", "JSON", "OTP"),
    *("Türkçe", "English"),  # a language is called by its own name
}
READ_ATTRIBUTES = {"title", "alt", "placeholder", "aria-label", "aria-description"}
SILENT_ELEMENTS = {"script", "style", "code", "kbd", "samp", "textarea"}


@dataclass(frozen=True)
class Message:
    """One text as gettext knows it. `context` is None where none is given."""

    text: str
    plural: str | None
    context: str | None
    place: str

    @property
    def key(self) -> tuple[str | None, str]:
        return (self.context, self.text)


def iter_messages(root: Path = ROOT) -> Iterator[Message]:
    for path in iter_files(root, "*.py"):
        yield from python_messages(path.read_text(), str(path.relative_to(root)))
    for path in (*iter_files(root, "*.html"), *iter_files(root, "*.txt")):
        yield from template_messages(path.read_text(), str(path.relative_to(root)))


def iter_files(root: Path, pattern: str) -> list[Path]:
    """Files of the applications; data and migrations hold no texts of ours."""
    found = [path for app in APPS for path in sorted((root / app).rglob(pattern))]
    return [
        path for path in found if "migrations" not in path.parts and (path.suffix == ".py" or "templates" in path.parts)
    ]


def python_messages(source: str, place: str) -> Iterator[Message]:
    """Raises ValueError for a formatted string inside a call: it would never match a translation."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", None) or getattr(node.func, "attr", "")
        if name not in FUNCTIONS:
            continue
        here = f"{place}:{node.lineno}"
        texts = []
        for argument in node.args:
            if isinstance(argument, ast.JoinedStr):
                raise ValueError(f"{here}: a formatted string cannot be translated; use placeholders.")
            is_text = isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            texts.append(argument.value if is_text else None)  # type: ignore[attr-defined]
        yield from _message(name, texts, here)


_CALL = re.compile(r"\b(_|gettext|ngettext|pgettext|npgettext)\(")


def template_messages(source: str, place: str) -> Iterator[Message]:
    from django.utils.translation.template import templatize

    # templatize writes Python-like calls and blanks out the rest.
    calls = templatize(source, origin=place)
    for match in _CALL.finditer(calls):
        line = calls.count("\n", 0, match.start()) + 1
        yield from _message(match[1], _leading_literals(calls[match.end() :]), f"{place}:{line}")


_LITERAL = re.compile(r"""\s*u?("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')\s*,?""")


def _leading_literals(text: str) -> list[str | None]:
    found: list[str | None] = []
    position = 0
    while match := _LITERAL.match(text, position):
        found.append(ast.literal_eval(match[1]))
        position = match.end()
    return found


def _message(name: str, texts: list[str | None], place: str) -> Iterator[Message]:
    def get(index: int | None) -> str | None:
        return texts[index] if index is not None and index < len(texts) else None

    context, text, plural = (get(index) for index in FUNCTIONS[name])
    if text:  # a variable in its place was marked where it was written; "" is gettext's header
        yield Message(text, plural, context, place)


def iter_bare_texts(root: Path = ROOT) -> Iterator[str]:
    """`file:line: text` of words in templates that no gettext call covers."""
    for path in iter_files(root, "*.html"):
        yield from bare_texts(path.read_text(), str(path.relative_to(root)))


_BLOCK_TEXT = re.compile(r"{%\s*blocktrans(?:late)?\b.*?{%\s*endblocktrans(?:late)?\s*%}", re.S)
_COMMENT = re.compile(r"{#.*?#}|{%\s*comment\b.*?{%\s*endcomment\s*%}|<!--.*?-->", re.S)
_TAG = re.compile(r"{%.*?%}|{{.*?}}", re.S)


def bare_texts(source: str, place: str) -> Iterator[str]:
    for pattern in (_COMMENT, _BLOCK_TEXT, _TAG):  # line breaks stay, so that line numbers do
        source = pattern.sub(lambda match: "\n" * match[0].count("\n"), source)
    finder = _BareTextFinder(place)
    finder.feed(source)
    finder.close()
    yield from finder.found


class _BareTextFinder(HTMLParser):
    def __init__(self, place: str) -> None:
        super().__init__(convert_charrefs=True)
        self.place, self.found, self._silent = place, [], 0  # type: ignore[var-annotated]

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._silent += tag in SILENT_ELEMENTS
        for name, value in attributes:
            if name in READ_ATTRIBUTES:
                self._look_at(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in SILENT_ELEMENTS and self._silent > 0

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._look_at(data)

    def _look_at(self, text: str) -> None:
        words = [word for word in re.findall(r"[^\W\d_]{2}[\w-]*", text) if word not in SAME_EVERYWHERE]
        if words:
            self.found.append(f"{self.place}:{self.getpos()[0]}: {' '.join(text.split())[:60]!r}")
