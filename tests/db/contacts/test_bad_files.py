"""Files that are refused: each with its reason, and nothing changed."""

import io
import random
import zipfile

import openpyxl
import pytest
from django.core.files.base import ContentFile
from django.utils import translation

from accounts.scope import tenant_scope
from common.tabular import xlsx, xlsx_guard
from common.tabular.problems import FileProblem
from contacts.demo_files import write_messy_file
from contacts.models import Contact, ContactField, ContactGroup, ContactImport
from contacts.services.import_run import run_import
from contacts.services.imports import create_import, queue_import, update_import_settings
from contacts.wording import FILE_PROBLEMS, describe_file_problem


def workbook(rows) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def zipped(parts: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return target.getvalue()


def with_part(content: bytes, name: str, part: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {entry: archive.read(entry) for entry in archive.namelist()}
    return zipped({**parts, name: part})


SIMPLE = workbook([["Cep Tel", "Ad"], ["05321234107", "Zeynep"]])
OLE = bytes.fromhex("d0cf11e0a1b11ae1")
DOCTYPE = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'
SHEET = "xl/worksheets/sheet1.xml"

UPLOADS = {
    "empty": (b"", "empty_file"),
    "spaces only": (b"\xef\xbb\xbf \r\n \r\n", "empty_file"),
    "binary junk": (bytes(random.Random(1).randbytes(5000)), "not_a_table"),
    "an image": (b"\x89PNG\r\n\x1a\n" + bytes(500), "not_a_table"),
    "a PDF": (b"%PDF-1.7\n\x01\x02\x03\x04\x05 obj", "not_a_table"),
    "half UTF-16": ("Telefon\n0532".encode("utf-16") + b"\x00\xd8\n", "wrong_encoding"),
    "header only": (b"Cep Tel;Ad\n", "header_only"),
    "header only, XLSX": (workbook([["Cep Tel", "Ad"]]), "header_only"),
    "no rows, XLSX": (workbook([]), "no_sheet"),
    "200 columns": (";".join(f"S{n}" for n in range(200)).encode() + b"\n05321234107\n", "too_many_columns"),
    "200 columns, XLSX": (workbook([[f"S{n}" for n in range(200)], ["05321234107"]]), "too_many_columns"),
    "a long cell": (b"Cep;Not\n05321234107;" + b"x" * 2001 + b"\n", "cell_too_long"),
    "a long cell, XLSX": (workbook([["Cep", "Not"], ["05321234107", "x" * 2001]]), "excel_cell_too_long"),
    "old Excel": (OLE + bytes(2000), "old_excel"),
    "a password": (OLE + bytes(600) + "EncryptedPackage".encode("utf-16-le") + bytes(2000), "encrypted_excel"),
    "another ZIP": (zipped({"a.txt": b"x"}), "not_a_table"),
    "half an XLSX": (SIMPLE[: len(SIMPLE) // 2], "damaged_excel"),
    "XLSX with garbage inside": (with_part(SIMPLE, SHEET, b"<worksheet><sheetData><row"), "damaged_excel"),
    "entities": (with_part(SIMPLE, SHEET, DOCTYPE), "unsafe_excel"),
    "UTF-16 XML": (with_part(SIMPLE, SHEET, DOCTYPE.decode().encode("utf-16")), "unsafe_excel"),
    "zip bomb": (with_part(SIMPLE, SHEET, b"<worksheet>" + b" " * (64 << 20)), "unsafe_excel"),
    "2,001 parts": (zipped({f"p{n}": b"" for n in range(2001)}), "unsafe_excel"),
}


@pytest.mark.parametrize(("content", "code"), UPLOADS.values(), ids=UPLOADS.keys())
def test_refused_at_the_door(cast, storage, content, code):
    with tenant_scope(cast.butik.pk):
        with pytest.raises(FileProblem) as refused:
            create_import(tenant=cast.butik, file=ContentFile(content, "liste.xlsx"), user=cast.ayse)
        assert refused.value.code == code
        assert not ContactImport.objects.exists()
    assert not [path for path in storage.rglob("*") if path.is_file()]
    for language in ("tr", "en"):
        with translation.override(language):
            assert "%(" not in describe_file_problem(refused.value.code, refused.value.params)


def test_a_declared_size_that_lies_is_found_out(cast):
    bomb = bytearray(with_part(SIMPLE, SHEET, b"<worksheet>" + b" " * (32 << 20)))
    real = (32 << 20) + 11
    assert bomb.count(real.to_bytes(4, "little")) >= 1
    lying = bytes(bomb).replace(real.to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    with tenant_scope(cast.butik.pk), pytest.raises(FileProblem, match="damaged_excel"):
        create_import(tenant=cast.butik, file=ContentFile(lying, "x.xlsx"), user=None)


def test_a_gigabyte_is_refused_while_it_comes_in(cast, settings, storage):
    settings.IMPORT_MAX_BYTES = 3_000_000
    sent = 0

    class Endless(ContentFile):
        def chunks(self, chunk_size=None):
            nonlocal sent
            while True:
                sent += 1
                yield b"0532 123 41 07\n" * 70_000

    with tenant_scope(cast.butik.pk), pytest.raises(FileProblem, match="too_large"):
        create_import(tenant=cast.butik, file=Endless(b"", "x.csv"), user=None)
    assert sent == 3
    assert not [path for path in storage.rglob("*") if path.is_file()]


def test_the_parser_gets_no_more_than_its_limits(cast, monkeypatch):
    monkeypatch.setattr(xlsx, "PARSER_SECONDS", 0.001)
    with tenant_scope(cast.butik.pk), pytest.raises(FileProblem, match="excel_too_heavy"):
        create_import(tenant=cast.butik, file=ContentFile(SIMPLE, "x.xlsx"), user=None)


def begin(cast, content: bytes) -> ContactImport:
    return create_import(tenant=cast.butik, file=ContentFile(content, "liste.csv"), user=cast.ayse)


MAPPINGS = {
    "no phone column": (b"Ad;Kod\nZeynep;A1\n", None, "no_phone_column"),
    "header twice": (b"Telefon;Kod;Kod\n05321234107;A1;A2\n", None, "duplicate_headers"),
    "phone twice": (b"Telefon;Telefon\n05321234107;05321234108\n", None, "duplicate_headers"),
    "two columns, one field": (
        b"Telefon;A;B\n05321234107;x;y\n",
        {"0": "msisdn", "1": "name", "2": "name"},
        "duplicate_target",
    ),
    "no such field": (b"Telefon;A\n05321234107;x\n", {"0": "msisdn", "1": "field:yok"}, "unknown_field"),
    "no such column": (b"Telefon;A\n05321234107;x\n", {"0": "msisdn", "7": "name"}, "unknown_column"),
}


@pytest.mark.parametrize(("content", "mapping", "code"), MAPPINGS.values(), ids=MAPPINGS.keys())
def test_refused_at_the_mapping(cast, content, mapping, code):
    with tenant_scope(cast.butik.pk):
        created = begin(cast, content)
        with pytest.raises(FileProblem) as refused:
            queue_import(contact_import=created, mapping=mapping or created.mapping, list_name="Yeni")
        assert refused.value.code == code
        created.refresh_from_db()
        assert created.state == "uploaded"
        assert not ContactGroup.objects.exists()
        assert not ContactField.objects.exists()


def test_a_wrong_encoding_is_told_and_changes_nothing(cast):
    with tenant_scope(cast.butik.pk):
        created = begin(cast, "Telefon;İsim\n05321234107;Gülşah\n".encode("cp1254"))
        before = dict(created.settings)
        with pytest.raises(FileProblem, match="wrong_encoding"):
            update_import_settings(contact_import=created, encoding="utf-8")
        created.refresh_from_db()
        assert created.settings == before
        assert update_import_settings(contact_import=created, encoding="iso8859-9").settings["encoding"] == "iso8859-9"


@pytest.mark.parametrize(
    ("last_row", "code"),
    [(b'05321234107;"' + b"x\n" * 1500, "cell_too_long"), (b";" * 120 + b"x", "too_many_columns")],
    ids=["quotation mark missing", "too many columns"],
)
def test_a_fault_far_down_stops_the_import_before_its_first_row(cast, tmp_path, last_row, code):
    path = tmp_path / "liste.csv"
    write_messy_file(path, 400)
    with tenant_scope(cast.butik.pk):
        created = begin(cast, path.read_bytes() + last_row)
        queue_import(contact_import=created, mapping=created.mapping, list_name="Yeni")
    finished = run_import(import_id=created.pk, tenant_id=cast.butik.pk)
    assert (finished.state, finished.error["code"]) == ("failed", code)
    with tenant_scope(cast.butik.pk):
        assert not Contact.objects.exists()


def test_every_problem_has_a_text():
    codes = {code for _, code in UPLOADS.values()} | {code for *_, code in MAPPINGS.values()}
    assert codes <= FILE_PROBLEMS.keys()
    assert xlsx_guard.MAX_UNPACKED_BYTES == 1 << 30
