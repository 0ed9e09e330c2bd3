"""Messy lists as customers send them, with the exact counts that an import must find. For demos, tests, benchmarks."""

import csv
import datetime
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

HEADER: Final = ["Cep Tel", "Ad Soyad", "İl", "Son Sipariş", "Tutar", "Kod"]
_FIRST_NAME_WORDS: Final = (
    "Ayşe Mehmet Çiğdem Ömer Işıl İbrahim Gülşah Ahmet Şule Emre Zeynep Hüseyin Özge Uğur Ülkü Jülide Veli Pınar "
    "Yağmur Tuğba Rıza Dilek Kâmil Figen"
)
_LAST_NAME_WORDS: Final = "Yılmaz Kaya Demir Şahin Çelik Öztürk Aydın Arslan Doğan Kılıç Ak İnan Güneş Çınar Işık Ünal"
_CITY_WORDS: Final = "İstanbul Ankara İzmir Muğla Şanlıurfa Çanakkale Eskişehir Diyarbakır Iğdır Kütahya"
_FIRST_NAMES: Final = _FIRST_NAME_WORDS.split()
_LAST_NAMES: Final = _LAST_NAME_WORDS.split()
_CITIES: Final = _CITY_WORDS.split()
_BLOCKS: Final = ("501", "505", "506", "530", "532", "533", "536", "541", "542", "544", "551", "553", "555", "559")
_SPELLINGS: Final = (
    "0{0} {1} {2} {3}",
    "{0}{1}{2}{3}",
    "+90 ({0}) {1} {2} {3}",
    "90{0}{1}{2}{3}",
    "+90{0}{1}{2}{3}",
    "0090 {0} {1} {2}{3}",
    "0({0}) {1}-{2}-{3}",
    "0{0}-{1}-{2}-{3}",
    "+90 (0) {0} {1} {2} {3}",
    "0{0}.{1}.{2}.{3}",
    " 0{0}{1}{2}{3} ",
    "0{0}\xa0{1}\xa0{2}\xa0{3}",
)
# What cannot be imported, by the reason that must be found.
_BAD: Final = (
    ("landline", ("0212 555 10 20", "0 (312) 444 12 34", "+90 232 555 66 77")),
    ("special_number", ("444 0 555", "0850 222 33 44")),
    ("damaged_by_spreadsheet", ("9,05E+11", "5,32E+09", "9,05321E+11")),
    ("not_a_number", ("yok", "0532 1O7 41 O7", "bilinmiyor")),
    ("several_numbers", ("0532 123 41 07 / 0533 123 41 07", "05321234107;05331234107")),
    ("too_short", ("0532 123 41", "532")),
    ("too_long", ("0532 123 41 07 8",)),
    ("empty", ("", "  ")),
)
_DUPLICATE_SHARE: Final = 0.02
_BAD_SHARE: Final = 0.03
_EMPTY_ROW_SHARE: Final = 0.005
_STEP: Final = 8_675_309  # shares no factor with the number space below, so that every number comes once


@dataclass(slots=True)
class ExpectedCounts:
    """What an import of the file into an empty account must report."""

    rows: int = 0  # with something in them
    imported: int = 0
    duplicates: int = 0
    empty: int = 0
    rejected: Counter[str] = field(default_factory=Counter)


def write_messy_file(
    path: Path, rows: int, kind: str = "csv", seed: int = 1, encoding: str = "utf-8-sig", delimiter: str = ";"
) -> ExpectedCounts:
    """Write a header and `rows` filled rows (some empty ones between). `kind`: "csv" or "xlsx".

    Numbers in every spelling, duplicates, landlines, damaged numbers, names in mixed case, fields left out.
    The first row is good, so that the same file also shows well in a preview.
    """
    expected = ExpectedCounts()
    table = _iter_rows(rows, random.Random(seed), expected)  # noqa: S311  # data for show, no secret
    if kind == "csv":
        with path.open("w", encoding=encoding, newline="") as file:
            writer = csv.writer(file, delimiter=delimiter)
            writer.writerow(HEADER)
            writer.writerows([_as_text(cell) for cell in row] for row in table)
    elif kind == "xlsx":
        _write_workbook(path, table)
    else:
        raise ValueError(f"unknown kind of file: {kind}")
    return expected


def _iter_rows(rows: int, rng: random.Random, expected: ExpectedCounts) -> Iterator[list[Any]]:
    written = 0
    start = rng.randrange(10**7)
    while written < rows:
        if written and rng.random() < _EMPTY_ROW_SHARE:
            expected.empty += 1
            yield [""] * len(HEADER)
            continue
        written += 1
        expected.rows += 1
        dice = rng.random()
        if expected.imported and dice < _DUPLICATE_SHARE:
            phone = _spell(_make_number(start, rng.randrange(expected.imported)), rng)
            expected.duplicates += 1
        elif expected.imported and dice < _DUPLICATE_SHARE + _BAD_SHARE:
            reason, examples = rng.choice(_BAD)
            phone = rng.choice(examples)
            expected.rejected[reason] += 1
        else:
            phone = _spell(_make_number(start, expected.imported), rng)
            expected.imported += 1
        yield [phone, _make_name(rng), *_make_details(rng, written)]


def _make_number(start: int, index: int) -> str:
    """Ten digits; each index has its own."""
    position = (start + index * _STEP) % (len(_BLOCKS) * 10**7)
    return _BLOCKS[position // 10**7] + f"{position % 10**7:07}"


def _spell(national: str, rng: random.Random) -> str:
    return rng.choice(_SPELLINGS).format(national[:3], national[3:6], national[6:8], national[8:])


def _make_name(rng: random.Random) -> str:
    name = f"{rng.choice(_FIRST_NAMES)} {rng.choice(_LAST_NAMES)}"
    dice = rng.random()
    if dice < 0.06:
        return name.replace("i", "İ").replace("ı", "I").upper()
    if dice < 0.1:
        return name.replace("İ", "i").replace("I", "ı").lower()
    if dice < 0.13:
        return f"  {name.replace(' ', '   ')} "
    return "" if dice < 0.16 else name


def _make_details(rng: random.Random, number: int) -> list[Any]:
    """City, last order, amount, code; each left out now and then."""
    city = rng.choice(_CITIES) if rng.random() < 0.95 else ""
    order = datetime.date(2026, 1, 1) + datetime.timedelta(days=rng.randrange(320)) if rng.random() < 0.8 else ""
    amount = rng.randrange(1000, 900_000) / 100 if rng.random() < 0.9 else ""
    return [city, order, amount, f"SNB-{number:05}"]


def _as_text(cell: object) -> str:
    if isinstance(cell, datetime.date):
        return f"{cell:%d.%m.%Y}"
    if isinstance(cell, float):
        return f"{cell:,.2f}".translate(str.maketrans(",.", ".,"))
    return str(cell)


def _write_workbook(path: Path, table: Iterator[list[Any]]) -> None:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Müşteriler")
    sheet.append(HEADER)
    for phone, *others in table:
        # Spreadsheets keep bare digits as numbers; a leading 0 survives as text only.
        is_number = phone.isascii() and phone.isdigit() and phone[0] in "59" and len(phone) >= 10
        sheet.append([int(phone) if is_number else phone, *others])
    book.save(path)
