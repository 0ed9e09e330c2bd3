"""Fields in a message text: `[İsim]`, or with a fallback for who has no value `[İsim|değerli müşterimiz]`.

A name begins with a letter and goes on with letters, digits, spaces and `_ - .`; anything else between
brackets (`[1]`, `[%50]`) is plain text, as is a bracket that nothing closes. `[[` writes one bracket:
`[[İsim]` is the text "[İsim]". User text never reaches `str.format` or a template engine, and values are
put in as they are, never read as text with fields.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from smscore.folding import fold_key
from smscore.normalisation import normalise

# A name has at most 60 characters; \w minus digits and underscore is a letter.
_TOKEN: Final = re.compile(r"\[\[|\[\s*(?P<name>[^\W\d_][\w \-.]{0,59})(?:\|(?P<fallback>[^\[\]]*))?\]")


class MissingValues(ValueError):
    """A field has neither a value nor a fallback. `fields` are the names as written."""

    def __init__(self, fields: tuple[str, ...]) -> None:
        super().__init__(f"no value for {', '.join(fields)}")
        self.fields = fields


class Field(NamedTuple):
    """One placeholder of a text."""

    name: str
    """As written, without surrounding spaces."""
    key: str
    """`fold_key(name)`: what values are looked up by."""
    fallback: str | None
    """None if the recipient must have a value; may be empty."""
    source: str
    """The whole placeholder as written."""


class Template:
    """A compiled text.

    Fixed pieces and fields in turn, in the form of `normalise`. Make one with `compile_template` and render it per
    recipient.
    """

    __slots__ = ("_pieces", "_slots", "fields", "text")

    def __init__(self, text: str) -> None:
        text = normalise(text)  # in a decomposed [Şehir] (as macOS pastes it) the cedilla would end the name
        pieces: list[str] = []
        slots: list[tuple[int, Field]] = []
        fixed: list[str] = []
        done = 0
        for match in _TOKEN.finditer(text):
            fixed.append(text[done : match.start()])
            done = match.end()
            if match["name"] is None:
                fixed.append("[")
                continue
            name = match["name"].strip()
            pieces.append("".join(fixed))
            fixed.clear()
            slots.append((len(pieces), Field(name, fold_key(name), match["fallback"], match[0])))
            pieces.append("")
        fixed.append(text[done:])
        pieces.append("".join(fixed))
        self.text: Final = text
        self._pieces: Final = pieces
        self._slots: Final = slots
        self.fields: Final = tuple(field for _, field in slots)

    @property
    def keys(self) -> frozenset[str]:
        """The folded names of all fields."""
        return frozenset(field.key for field in self.fields)

    def render(self, values: Mapping[str, object]) -> str:
        """Put the values in.

        Names are compared folded. None and blank text are no value; MissingValues if needed.
        """
        return self.fill({fold_key(name): value for name, value in values.items()})

    def fill(self, values: Mapping[str, object]) -> str:
        """Like `render`, for values whose names are folded already: the one to call a million times."""
        slots = self._slots
        if not slots:
            return self._pieces[0]
        pieces = self._pieces.copy()
        for index, field in slots:
            value = values.get(field.key)
            if value is not None:
                word = value if type(value) is str else str(value)
                if word and not word.isspace():
                    pieces[index] = word
                    continue
            if field.fallback is None:
                raise MissingValues(self._list_missing(values))
            pieces[index] = field.fallback
        return "".join(pieces)

    def bind(self, columns: Mapping[str, int]) -> Callable[[Sequence[str | None]], str]:
        """Like `fill`, for rows of a million: a function from a row to its text.

        `columns` says where in the row the value of each folded name stands; a name without column has no value.
        """
        pattern = "".join("%s" if at % 2 else piece.replace("%", "%%") for at, piece in enumerate(self._pieces))
        slots = tuple((columns.get(field.key), field.fallback) for _, field in self._slots)

        def fill_row(row: Sequence[str | None]) -> str:
            words = []
            for column, fallback in slots:
                word = None if column is None else row[column]
                if not word or word.isspace():
                    if fallback is None:
                        values = {key: row[at] for key, at in columns.items()}
                        raise MissingValues(self._list_missing(values))
                    word = fallback
                words.append(word)
            return pattern % tuple(words)

        return fill_row

    def find_missing(self, values: Mapping[str, object]) -> tuple[str, ...]:
        """Names of the fields that would make `render` raise, in order of appearance, each once."""
        return self._list_missing({fold_key(name): value for name, value in values.items()})

    def preview(self, values: Mapping[str, object]) -> str:
        """Render for the eye: a field without value and fallback stays as it was written."""
        folded = {fold_key(name): value for name, value in values.items()}
        missing = {fold_key(name): name for name in self._list_missing(folded)}
        pieces = self._pieces.copy()
        for index, field in self._slots:
            if field.key in missing and field.fallback is None:
                pieces[index] = field.source
            else:
                pieces[index] = str(folded[field.key]) if _has_value(folded, field) else field.fallback or ""
        return "".join(pieces)

    def _list_missing(self, folded: Mapping[str, object]) -> tuple[str, ...]:
        missing: dict[str, str] = {}
        for field in self.fields:
            if field.fallback is None and not _has_value(folded, field):
                missing.setdefault(field.key, field.name)
        return tuple(missing.values())


def _has_value(folded: Mapping[str, object], field: Field) -> bool:
    value = folded.get(field.key)
    return value is not None and bool(str(value).strip())


@lru_cache(maxsize=256)
def compile_template(text: str) -> Template:
    """Read the placeholders of a text once. Never fails: what is no placeholder is plain text."""
    return Template(text)


def escape(text: str) -> str:
    """Make a text that renders to exactly `text` (in the form of `normalise`), whatever brackets it holds."""
    return text.replace("[", "[[")


def render(text: str, values: Mapping[str, object]) -> str:
    """Put `values` into the placeholders of `text`.

    MissingValues if a field has neither value nor fallback.
    """
    return compile_template(text).render(values)
