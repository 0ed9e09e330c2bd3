import csv
import time
from datetime import datetime
from decimal import Decimal
from io import BytesIO, StringIO

import openpyxl
import pytest
from python_calamine import CalamineWorkbook

from common import exports
from common.exports import MsisdnCell, export_response, neutralise, write_csv, write_xlsx

ROW = (
    MsisdnCell("+905321112233"),
    "Şükrü İğde",
    "=HYPERLINK(1)",
    3,
    Decimal("1.5000"),
    datetime(2026, 11, 22, 10, 0, 5),  # noqa: DTZ001
    None,
)
HEADER = ["Numara", "İsim", "Metin", "Boy", "Kredi", "Zaman", "Not"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\x00"])
def test_formula_starts_are_neutralised(start):
    assert neutralise(start + "1+1") == "'" + start + "1+1"


@pytest.mark.parametrize("text", ["", "Ayşe", " =1", "a=1", "'x"])
def test_other_texts_stay(text):
    assert neutralise(text) == text


def test_csv_is_what_turkish_excel_opens():
    content = b"".join(write_csv(HEADER, [ROW])).decode()
    assert content.startswith("\ufeffNumara;")
    rows = list(csv.reader(StringIO(content.removeprefix("\ufeff")), delimiter=";"))
    assert rows[1] == ["905321112233", "Şükrü İğde", "'=HYPERLINK(1)", "3", "1.5", "2026-11-22 10:00:05", ""]


def test_csv_keeps_line_breaks_and_quotes_in_their_cell():
    content = b"".join(write_csv(["a"], [['iki\nsatır; "tırnak"']])).decode("utf-8-sig")
    assert list(csv.reader(StringIO(content, newline=""), delimiter=";"))[1] == ['iki\nsatır; "tırnak"']


def test_xlsx_opens_in_two_readers():
    content = b"".join(write_xlsx(HEADER, [ROW]))
    sheet = openpyxl.load_workbook(BytesIO(content)).active
    read = [[cell.value for cell in row] for row in sheet.iter_rows()]
    expected = ["+905321112233", "Şükrü İğde", "'=HYPERLINK(1)", 3, 1.5, datetime(2026, 11, 22, 10, 0, 5), None]  # noqa: DTZ001
    assert read == [HEADER, expected]
    assert [cell.data_type for cell in sheet[2]][:3] == ["s", "s", "s"] or sheet["A2"].data_type == "inlineStr"
    rows = CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0).to_python()
    assert rows[1][:4] == ["+905321112233", "Şükrü İğde", "'=HYPERLINK(1)", 3.0]


def test_xlsx_without_rows_has_its_header():
    content = b"".join(write_xlsx(HEADER, []))
    assert CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0).to_python() == [HEADER]


def test_xlsx_survives_what_xml_forbids():
    content = b"".join(write_xlsx(["a"], [["x\x0b<&>\x1f😀\ufffe"]]))
    assert openpyxl.load_workbook(BytesIO(content)).active["A2"].value == "x<&>😀"


def test_xlsx_goes_on_in_a_second_sheet_past_the_limit(monkeypatch):
    monkeypatch.setattr(exports, "SHEET_ROWS", 11)
    content = b"".join(write_xlsx(["n"], ([n] for n in range(25))))
    book = CalamineWorkbook.from_filelike(BytesIO(content))
    assert [len(book.get_sheet_by_name(name).to_python()) for name in book.sheet_names] == [11, 11, 6]
    assert book.get_sheet_by_name("3").to_python()[-1] == [24.0]


def test_rows_are_read_while_the_answer_leaves():
    seen = []

    def rows():
        for n in range(5000):
            seen.append(n)
            yield [n, "x"]

    chunks = write_csv(["n", "x"], rows())
    next(chunks)
    assert len(seen) == exports.ROWS_PER_CHUNK
    started = time.perf_counter()
    assert sum(map(len, chunks)) > 10_000
    assert time.perf_counter() - started < 5


def test_the_answer_is_a_download():
    response = export_response(kind="csv", name="rapor", header=["a"], rows=iter([["b"]]))
    assert response["Content-Disposition"] == 'attachment; filename="rapor.csv"'
    assert b"".join(response.streaming_content).decode("utf-8-sig") == "a\r\nb\r\n"
    with pytest.raises(ValueError, match="unknown kind"):
        export_response(kind="pdf", name="rapor", header=[], rows=[])
