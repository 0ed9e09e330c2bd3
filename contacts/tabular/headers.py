"""Guess what a column holds from its header, Turkish or English, and from its values."""

import re
from collections.abc import Sequence
from typing import Final

from smscore import normalise_msisdn
from smscore.folding import fold_key
from smscore.phone_columns import VAGUE_RANK, fold_header, rank_phone_header

from .values import looks_like_date, looks_like_number

MSISDN: Final = "msisdn"
NAME: Final = "name"
SURNAME: Final = "surname"

_NAME_WORDS: Final = (
    "ad soyad|adi soyadi|ad soyadi|adi soyad|adsoyad|isim soyisim|isim soyad|isim|ismi|ad|adi|ilk ad|"
    "musteri|musteri adi|musteri ad soyad|musteri adi soyadi|kisi|kisi adi|uye|uye adi|hasta|hasta adi|ogrenci|"
    "name|full name|fullname|first name|firstname|given name|contact name|customer|customer name|name surname"
)
_NAMES: Final = frozenset(_NAME_WORDS.split("|"))
_SURNAME_WORDS: Final = "soyad|soyadi|soyisim|soyismi|surname|last name|lastname|family name"
_SURNAMES: Final = frozenset(_SURNAME_WORDS.split("|"))
# Headers that mean one field, under the label that messages use.
_SYNONYMS: Final = {
    "Şehir": ("il", "sehir", "il sehir", "sehir il", "il adi", "bulundugu il"),
    "İlçe": ("ilce", "ilce adi", "ilce semt"),
}
_LABELS: Final = {word: label for label, words in _SYNONYMS.items() for word in words}
# Names that placeholders give to the contact's own number and name.
RESERVED_KEYS: Final = frozenset(
    fold_key(word) for word in ("isim", "ad", "ad soyad", "name", "soyad", "surname", "numara", "telefon", "msisdn")
)
_NOT_IN_LABELS: Final = re.compile(r"[^\w \-.]+")
MAX_LABEL_LENGTH: Final = 60
HEADER_SEARCH_ROWS: Final = 10


def is_known_header(header: str) -> bool:
    """Whether the cell is the name of a column that we know, and so belongs to a header."""
    folded = fold_header(header)
    return rank_phone_header(folded) is not None or folded in _NAMES or folded in _SURNAMES


def detect_header_row(sample: list[tuple[int, list[str]]]) -> int:
    """The row with names of columns: one we know above the first telephone number, else the very first row.

    0 if the file begins with a telephone number.
    """
    above = []
    for number, row in sample[:HEADER_SEARCH_ROWS]:
        if any(isinstance(normalise_msisdn(cell), str) for cell in row):
            break
        above.append(number)
        if any(is_known_header(cell) for cell in row):
            return number
    return above[0] if above else 0


def clean_label(header: str) -> str:
    """A label that works as a placeholder name: begins with a letter, letters, digits, space and _ - . only."""
    label = " ".join(_NOT_IN_LABELS.sub(" ", header).replace("_", " ").split())[:MAX_LABEL_LENGTH].strip()
    return label if label and label[0].isalpha() else ""


def guess_kind(values: Sequence[str]) -> str:
    """ "number" or "date" if every value in the sample is one, else "text"."""
    filled = [value.strip() for value in values if value.strip()]
    if filled and all(looks_like_date(value) for value in filled):
        return "date"
    if filled and all(looks_like_number(value) for value in filled):
        return "number"
    return "text"


def guess_targets(
    headers: Sequence[str], sample: Sequence[Sequence[str]], known_fields: dict[str, str] | None = None
) -> list[str | None]:
    """Return a target for each column: "msisdn", "name", "surname", "field:KEY", "new:KIND:LABEL" or None.

    `known_fields` are the tenant's fields (key → label). Unknown headers are offered as new fields. Headers that
    repeat get the same target twice: it is for the user to say which one counts.
    """
    known = known_fields or {}
    columns = [[row[index] if index < len(row) else "" for row in sample] for index in range(len(headers))]
    phone = _guess_phone_columns(headers, columns)
    targets: list[str | None] = []
    for index, header in enumerate(headers):
        folded = fold_header(header)
        if index in phone:
            targets.append(MSISDN)
        elif folded in _NAMES:
            targets.append(NAME)
        elif folded in _SURNAMES:
            targets.append(SURNAME)
        else:
            targets.append(_guess_field(header, columns[index], known))
    return _settle_names(targets, headers)


def _guess_phone_columns(headers: Sequence[str], columns: Sequence[Sequence[str]]) -> set[int]:
    """The best ranked header; twins of it too, so that they are noticed. Without one: the column full of numbers."""
    ranked = [(rank, index) for index, header in enumerate(headers) if (rank := rank_phone_header(header))]
    # [No] may well be a running number.
    ranked = [(rank, index) for rank, index in ranked if rank < VAGUE_RANK or _holds_numbers(columns[index])]
    if ranked:
        best = min(ranked)
        twin = fold_header(headers[best[1]])
        return {index for index, header in enumerate(headers) if fold_header(header) == twin}
    return next(({index} for index, values in enumerate(columns) if _holds_numbers(values)), set())


def _holds_numbers(values: Sequence[str]) -> bool:
    filled = [value for value in values if value.strip()]
    return sum(isinstance(normalise_msisdn(value), str) for value in filled) * 2 > len(filled)


def _guess_field(header: str, values: Sequence[str], known: dict[str, str]) -> str | None:
    for name in (clean_label(header), _LABELS.get(fold_header(header), "")):
        if name and fold_key(name) in known:
            return f"field:{fold_key(name)}"
    label = _LABELS.get(fold_header(header)) or clean_label(header)
    if not label or fold_key(label) in RESERVED_KEYS:
        return None
    return f"new:{guess_kind(values)}:{label}"


def _settle_names(targets: list[str | None], headers: Sequence[str]) -> list[str | None]:
    """With [Ad Soyad] and [Müşteri] both there, only the first is the name; twins of one header stay twins."""
    first = next((index for index, target in enumerate(targets) if target == NAME), None)
    for index, target in enumerate(targets):
        if target == NAME and first is not None and fold_header(headers[index]) != fold_header(headers[first]):
            targets[index] = None
    return targets
