"""Reading and understanding tables: pure functions, one row per case."""

import csv
import datetime
import io

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.tabular.detection import FileSettings, detect_csv, read_sample
from common.tabular.reading import iter_records
from common.tabular.xlsx import convert_workbook
from common.tabular.xlsx_child import render_cell
from contacts.tabular.headers import clean_label, detect_header_row, guess_kind, guess_targets
from contacts.tabular.normalising import FieldColumn, ImportPlan, RowNormaliser, SeenNumbers
from contacts.tabular.values import looks_like_number, normalise_date
from smscore.phone_columns import is_phone_header


@pytest.mark.parametrize(
    ("header", "values", "target"),
    [
        ("Cep Tel", [], "msisdn"),
        ("CEP TELEFONU", [], "msisdn"),
        ("Gsm No.", [], "msisdn"),
        ("Telefon Numarası", [], "msisdn"),
        ("Mobile Phone", [], "msisdn"),
        ("No", ["05321234107", "05321234108"], "msisdn"),
        ("No", ["1", "2"], "new:number:No"),
        ("Ad Soyad", [], "name"),
        ("ADI-SOYADI", [], "name"),
        ("İsim", [], "name"),
        ("First Name", [], "name"),
        ("Soyadı", [], "surname"),
        ("Last name", [], "surname"),
        ("İl", [], "new:text:Şehir"),
        ("İl/Şehir", [], "new:text:Şehir"),
        ("Tutar", ["1.240,50", "0", "95,90"], "new:number:Tutar"),
        ("Tutar (TL)", ["12"], "new:number:Tutar TL"),
        ("Kod", ["007", "012"], "new:text:Kod"),
        ("Son Sipariş", ["12.10.2026", "", "2026-11-03"], "new:date:Son Sipariş"),
        ("2. Adres", ["x"], None),
        ("", ["x"], None),
    ],
)
def test_guesses(header, values, target):
    assert guess_targets([header], [[value] for value in values]) == [target]


def test_the_better_phone_header_wins_and_the_other_becomes_a_field():
    targets = guess_targets(["Telefon", "Cep Tel"], [["02125551020", "05321234107"]])
    assert targets == [None, "msisdn"]  # "Telefon" names the contact's own number in messages


def test_known_fields_are_found_by_their_folded_name():
    assert guess_targets(["ŞEHİR", "il"], [["x", "y"]], {"şehir": "Şehir"}) == ["field:şehir", "field:şehir"]


@pytest.mark.parametrize(
    ("header", "label"),
    [("Tutar (TL)", "Tutar TL"), ("son_sipariş", "son sipariş"), ("1. Ad", ""), ("A" * 80, "A" * 60), ("[x]", "x")],
)
def test_labels_work_as_placeholders(header, label):
    assert clean_label(header) == label


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("12.10.2026", "12.10.2026"),
        ("1/2/2026", "01.02.2026"),
        ("2026-10-12", "12.10.2026"),
        ("2026-10-12T14:30:00", "12.10.2026 14:30"),
        ("12.10.2026 00:00:00", "12.10.2026"),
        ("12.10.2026 9:05", "12.10.2026 09:05"),
        ("31.02.2026", None),
        ("12.10-2026", None),
        ("12.10.26", None),
        ("yarın", None),
    ],
)
def test_dates(written, text):
    assert normalise_date(written) == text


@pytest.mark.parametrize(
    "number", ["0", "12", "-3", "1.240,50", "1240,5", "1240.5", "1,240.50", "95,90 TL", "%", "007", "1.2.3", "x"]
)
def test_numbers(number):
    assert looks_like_number(number) is (number not in ("%", "007", "1.2.3", "x"))


def test_mixed_values_are_text():
    assert guess_kind(["1", "x"]) == "text"
    assert guess_kind(["", " "]) == "text"


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (905321234107.0, "905321234107"),
        (905321000000.0, "9,05321E+11"),
        (905000000000.0, "9,05E+11"),
        (100000.0, "100000"),
        (1240.5, "1240,5"),
        (0.1 + 0.2, "0,3"),
        (-3.0, "-3"),
        (1e300, "1E+300"),
        (True, "DOĞRU"),
        (datetime.date(2026, 10, 2), "02.10.2026"),
        (datetime.datetime(2026, 10, 2, 14, 5), "02.10.2026 14:05"),  # noqa: DTZ001
        (datetime.datetime(2026, 10, 2), "02.10.2026"),  # noqa: DTZ001
        (datetime.time(9, 5), "09:05"),
        (datetime.timedelta(hours=26, minutes=3), "26:03"),
        (None, ""),
    ],
)
def test_spreadsheet_cells_as_turks_write_them(cell, text):
    assert render_cell(cell) == text


@pytest.mark.parametrize(
    ("rows", "header_row"),
    [
        ([["Cep", "Ad"], ["05321234107", "x"]], 1),
        ([["Müşteri listesi", ""], ["Cep", "Ad"], ["05321234107", "x"]], 2),
        ([["a", "b"], ["05321234107", "x"]], 1),
        ([["05321234107", "x"], ["05321234108", "y"]], 0),
        ([], 0),
    ],
)
def test_header_rows(rows, header_row):
    assert detect_header_row(list(enumerate(rows, 1))) == header_row


@pytest.mark.parametrize("first", ["sep=;\r\n", ""])
def test_what_excel_writes_for_itself_is_no_header(tmp_path, first):
    path = tmp_path / "x.csv"
    path.write_bytes((first + "Cep;Ad\r\n05321234107;Zeynep, Ali\r\n").encode())
    found = detect_csv(path)
    assert (found.delimiter, detect_header_row(read_sample(path, found))) == (";", 2 if first else 1)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_line_ends(tmp_path, newline):
    path = tmp_path / "x.csv"
    path.write_bytes(newline.join(["Cep,Ad", "05321234107,x", '05321234108,"a\nb"']).encode())
    rows = list(iter_records(path, "utf-8", detect_csv(path).delimiter))
    assert rows[1:] == [["05321234107", "x"], ["05321234108", "a\nb"]]


def test_settings_survive_json():
    settings = FileSettings(kind="xlsx", sheet="Sayfa1", sheets=["Sayfa1", "Sayfa2"], header_row=3)
    assert FileSettings.from_json({**settings.as_json(), "unknown": 1}) == settings


PLAN = ImportPlan(0, 1, None, (FieldColumn(2, "tarih", "date"),), 3)
CELLS = st.one_of(
    st.sampled_from(["05321234107", "532 123 41 07", "+905051112233", "9,05E+11", "", " ", "0212 555 10 20", "x"]),
    st.from_regex(r"05[0-5][0-9]{8}", fullmatch=True),
    st.text(max_size=12),
)
ROWS = st.lists(
    st.one_of(
        st.lists(CELLS, max_size=5),
        st.tuples(CELLS, st.text(max_size=5), st.sampled_from(["", "12.10.2026", "yarın"])).map(list),
    ),
    max_size=60,
)


@given(rows=ROWS, size=st.integers(1, 70), header_row=st.integers(0, 3))
@settings(max_examples=200, deadline=None)
def test_every_row_is_counted_once_wherever_chunks_are_cut(rows, size, header_row):
    chunks = list(RowNormaliser(PLAN, header_row).iter_chunks(iter(rows), size))
    whole = list(RowNormaliser(PLAN, header_row).iter_chunks(iter(rows), 1000))
    body = rows[header_row:]

    def total(found):
        return (
            sum(chunk.row_count for chunk in found),
            sum(chunk.empty_count for chunk in found),
            sum(chunk.duplicate_count for chunk in found),
            [contact for chunk in found for contact in chunk.contacts],
            [reject for chunk in found for reject in chunk.rejects],
        )

    assert total(chunks) == total(whole)
    row_count, empty, duplicates, contacts, rejects = total(chunks)
    assert row_count + empty == len(body)
    assert row_count == len(contacts) + duplicates + len(rejects)
    assert len({msisdn for msisdn, *_ in contacts}) == len(contacts)
    assert all(rows[reject.row_number - 1] for reject in rejects)
    assert (chunks[-1].position if chunks else 0) == len(rows)


@given(numbers=st.lists(st.integers(0, 300), max_size=200), switch=st.integers(0, 250))
@settings(max_examples=60, deadline=None)
def test_seen_numbers_are_exact_on_both_sides_of_the_switch(numbers, switch):
    seen, known = SeenNumbers(switch), set()
    for start in range(0, len(numbers), 7):
        fresh = {(f"+90532{n:07}" if n % 3 else f"+4930{n:05}"): n for n in numbers[start : start + 7]}
        expected, repeated = fresh.keys() - known, len(fresh.keys() & known)
        assert seen.drop_known(fresh) == repeated
        assert fresh.keys() == expected
        known |= expected


@given(
    st.lists(
        st.lists(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
            min_size=1,
            max_size=4,
        ),
        min_size=1,
        max_size=8,
    )
)
@settings(max_examples=100, deadline=None)
def test_reading_never_crashes(tmp_path_factory, rows):
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows(rows)
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
    assert list(iter_records(path, "utf-8", ";"))


def test_the_first_sheet_with_rows_that_is_shown_is_offered(tmp_path):
    book = openpyxl.Workbook()
    book.active.title, book.active.sheet_state = "Eski", "hidden"
    book.active.append(["Cep"])
    book.create_chartsheet("Grafik")
    book.create_sheet("Boş")
    book.create_sheet("Ekim").append(["05321234107"])
    book.active = 3
    book.save(tmp_path / "x.xlsx")
    found = convert_workbook(tmp_path / "x.xlsx", tmp_path / "rows.csv")
    assert found == ("Ekim", ["Eski", "Boş", "Ekim"])
    assert (tmp_path / "rows.csv").read_text() == "05321234107\n"


@pytest.mark.parametrize(
    ("title", "is_one"),
    [
        *[
            (title, True)
            for title in ("Telefon", "Ev Telefonu", "2. GSM", "TELEFON2", "cep_no", "SMS numarası", "E-mail / Tel")
        ],
        *[(title, False) for title in ("No", "Numara", "Telefonsuz", "İletişim", "Hotel", "Ad", "")],
    ],
)
def test_headers_that_speak_of_telephones(title, is_one):
    assert is_phone_header(title) is is_one
