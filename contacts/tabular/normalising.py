"""Rows of a file to contacts: numbers normalised, duplicates counted, bad cells named. The import's inner loop."""

import mmap
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from json.encoder import encode_basestring
from typing import Any, Final, NamedTuple

from common.tabular.problems import FileProblem
from smscore import RejectReason, normalise_msisdn
from smscore.folding import fold_key

from .headers import MSISDN, NAME, SURNAME
from .values import looks_like_number, normalise_date

MAX_NAME_LENGTH: Final = 200
MAX_VALUE_IN_REPORT: Final = 200
# "not_a_number" is the fault of a telephone number already.
MISFITS: Final = {"text": "", "date": "not_a_date", "number": "not_a_numeric_value"}


class FieldColumn(NamedTuple):
    column: int
    key: str
    kind: str  # text | number | date


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """Which column goes where, as indexes."""

    phone: int
    name: int | None
    surname: int | None
    fields: tuple[FieldColumn, ...]
    column_count: int

    @classmethod
    def from_mapping(cls, mapping: dict[str, str | None], kinds: dict[str, str], column_count: int) -> "ImportPlan":
        """`mapping`: column index as text → target; `kinds`: field key → kind.

        FileProblem "no_phone_column", or "duplicate_target" if two columns fill one field.
        """
        by_target: dict[str, int] = {}
        for column, target in mapping.items():
            if not target:
                continue
            if target in by_target:
                raise FileProblem("duplicate_target", first=by_target[target] + 1, second=int(column) + 1)
            by_target[target] = int(column)
        phone = by_target.pop(MSISDN, None)
        if phone is None:
            raise FileProblem("no_phone_column")
        name, surname = by_target.pop(NAME, None), by_target.pop(SURNAME, None)
        fields = [FieldColumn(index, *_read_target(target, kinds)) for target, index in by_target.items()]
        return cls(phone, name, surname, tuple(fields), column_count)


def _read_target(target: str, kinds: dict[str, str]) -> tuple[str, str]:
    """Key and kind of a field that is there ("field:KEY") or will be ("new:KIND:LABEL")."""
    word, _, rest = target.partition(":")
    kind, _, label = rest.partition(":")
    if word == "new" and kind in MISFITS and label:
        return fold_key(label), kind
    if word != "field" or rest not in kinds:
        raise FileProblem("unknown_field", field=rest)
    return rest, kinds[rest]


class Reject(NamedTuple):
    row_number: int
    field: str  # "msisdn", "name" or a field's key; "" for the row as a whole
    reason: str
    value: str


# msisdn, name, attributes as a JSON object ready for the database. A plain tuple: there are millions.
ContactRow = tuple[str, str, str]


@dataclass(slots=True)
class Chunk:
    """What came out of one stretch of the file."""

    position: int = 0  # records of the file consumed so far, header and empty rows included
    row_count: int = 0
    empty_count: int = 0
    duplicate_count: int = 0
    contacts: list[ContactRow] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)


class SeenNumbers:
    """Exact memory of numbers in bounded space: a set first, then one bit for each possible Turkish mobile (125 MB)."""

    _SPACE: Final = 10**9  # +905 and nine digits

    def __init__(self, switch: int = 1_000_000) -> None:
        self._switch = switch
        self._set: set[str] = set()
        self._bits: mmap.mmap | None = None

    def drop_known(self, fresh: dict[str, Any]) -> int:
        """Remove from `fresh` the numbers seen before, remember the others; return how many were removed."""
        if self._bits is None and len(self._set) > self._switch:
            self._bits = mmap.mmap(-1, self._SPACE // 8)
            known, self._set = self._set, set()
            for msisdn in known:
                self._mark(msisdn)
        if self._bits is None:
            repeated = list(self._set.intersection(fresh))
            self._set.update(fresh)
        else:
            repeated = [msisdn for msisdn in fresh if not self._mark(msisdn)]
        for msisdn in repeated:
            del fresh[msisdn]
        return len(repeated)

    def _mark(self, msisdn: str) -> bool:
        """Remember a number; return whether it is new."""
        bits = self._bits
        if bits is None or len(msisdn) != 13 or not msisdn.startswith("+905"):
            is_new = msisdn not in self._set
            self._set.add(msisdn)
            return is_new
        number = int(msisdn[4:])
        byte, mask = number >> 3, 1 << (number & 7)
        if bits[byte] & mask:
            return False
        bits[byte] |= mask
        return True


class Misfit(NamedTuple):
    """Stands for a cell that makes its row a reject."""

    reason: str
    value: str


class _Cells(dict[str, Any]):
    """Raw cell → what it becomes: text, or `Misfit`. Cities, names and dates repeat, so most cells are read once."""

    _LIMIT: Final = 100_000

    def __init__(self, read: Callable[[str], str | Misfit]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, raw: str) -> str | Misfit:
        if len(self) >= self._LIMIT:
            self.clear()
        result = self[raw] = self._read(raw)
        return result


class RowNormaliser:
    """Turns records into chunks. Keeps the numbers seen so far, so use one per file, from its first row on."""

    def __init__(self, plan: ImportPlan, header_row: int) -> None:
        self._plan = plan
        self._header_row = header_row
        self._seen = SeenNumbers()
        self._position = 0
        self._names = _Cells(clean_text)
        self._fields = [(column.column, _Cells(_field_reader(column))) for column in plan.fields]

    def iter_chunks(self, records: Iterator[list[str]], size: int) -> Iterator[Chunk]:
        """Chunks of up to `size` records, the last one shorter."""
        while batch := list(islice(records, size)):
            chunk = Chunk()
            self._normalise(batch, chunk)
            self._position += len(batch)
            chunk.position = self._position
            yield chunk

    def _normalise(self, batch: list[list[str]], chunk: Chunk) -> None:
        phone, width = self._plan.phone, self._plan.column_count
        read_details = self._read_details
        fresh: dict[str, ContactRow] = {}
        skipped = max(min(self._header_row - self._position, len(batch)), 0)
        for number, raw in enumerate(islice(batch, skipped, None), self._position + 1 + skipped):
            row = raw if len(raw) == width else _fit(number, raw, width, chunk)
            if row is None:
                continue
            msisdn = normalise_msisdn(row[phone])
            if not isinstance(msisdn, str):
                _refuse(number, row, phone, msisdn, chunk)
                continue
            name, attributes = read_details(row)
            if name is None:
                chunk.rejects.append(self._find_misfit(number, row))
            elif msisdn in fresh:
                chunk.duplicate_count += 1
            else:
                fresh[msisdn] = (msisdn, name, attributes)
        chunk.row_count = len(batch) - skipped - chunk.empty_count
        chunk.duplicate_count += self._seen.drop_known(fresh)
        chunk.contacts = list(fresh.values())

    def _read_details(self, row: list[str]) -> tuple[str | None, str]:
        """Name and attributes of a row; None for the name if a cell does not fit."""
        plan, names = self._plan, self._names
        name = names[row[plan.name]] if plan.name is not None else ""
        if plan.surname is not None:
            name = f"{name} {names[row[plan.surname]]}".strip()
        if len(name) > MAX_NAME_LENGTH:
            return None, ""
        try:
            return name, "{" + ",".join(filter(None, [cells[row[index]] for index, cells in self._fields])) + "}"
        except TypeError:  # a misfit is no text
            return None, ""

    def _find_misfit(self, number: int, row: list[str]) -> Reject:
        for column, (index, cells) in zip(self._plan.fields, self._fields, strict=True):
            cell = cells[row[index]]
            if isinstance(cell, Misfit):
                return Reject(number, column.key, cell.reason, cell.value)
        name = row[self._plan.name] if self._plan.name is not None else ""
        return Reject(number, NAME, "name_too_long", name[:MAX_VALUE_IN_REPORT])


def _fit(number: int, row: list[str], width: int, chunk: Chunk) -> list[str] | None:
    """The row with as many cells as the header; None (and a reject) if that would lose something."""
    if any(map(str.strip, row[width:])):
        # Usually a delimiter inside a value: every cell behind it is then one column off.
        value = " ".join(row[width:]).strip()
        chunk.rejects.append(Reject(number, "", "extra_cells", value[:MAX_VALUE_IN_REPORT]))
        return None
    return row[:width] + [""] * (width - len(row))


def _refuse(number: int, row: list[str], phone: int, reason: RejectReason, chunk: Chunk) -> None:
    if reason is RejectReason.EMPTY and not any(map(str.strip, row)):
        chunk.empty_count += 1
    else:
        chunk.rejects.append(Reject(number, MSISDN, reason.value, row[phone][:MAX_VALUE_IN_REPORT]))


def _field_reader(column: FieldColumn) -> Callable[[str], str | Misfit]:
    """Raw cell → `"key":"value"` for the attributes, "" if there is nothing in it."""
    prefix = encode_basestring(column.key) + ":"

    def read(raw: str) -> str | Misfit:
        value = clean_text(raw)
        if not value:
            return ""
        text = normalise_value(value, column.kind)
        if text is None:
            return Misfit(MISFITS[column.kind], value[:MAX_VALUE_IN_REPORT])
        return prefix + encode_basestring(text)

    return read


def clean_text(value: str) -> str:
    """Without spaces around, runs of white space as one space, composed (macOS writes ş as s and a cedilla)."""
    return unicodedata.normalize("NFC", " ".join(value.split()))


def normalise_value(value: str, kind: str) -> str | None:
    """A field's value as messages show it; None if it does not fit the field's kind."""
    if kind == "date":
        return normalise_date(value)
    if kind == "number":
        return value if looks_like_number(value) else None
    return value
