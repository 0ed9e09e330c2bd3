"""Bad files, each answered in the reader's language with what is wrong and what helps, and nothing is changed."""

import io
import random
import zipfile

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.scope import tenant_scope
from contacts.models import ContactImport

from ..bad_input import nothing_changes, read_alert, speak

LANGUAGES = ("tr", "en")


def make_bomb() -> bytes:
    """A workbook that Excel would open, with a sheet of 300 MB that packs to some hundred kilobytes."""
    book, packed = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["Cep Tel", "Ad"])
    book.save(packed)
    target = io.BytesIO()
    with zipfile.ZipFile(packed) as plain, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as bomb:
        for name in plain.namelist():
            if not name.endswith("sheet1.xml"):
                bomb.writestr(name, plain.read(name))
        with bomb.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>')
            row = b'<row><c t="inlineStr"><is><t>' + b"0" * 1_000_000 + b"</t></is></c></row>"
            for _row in range(300):
                sheet.write(row)
            sheet.write(b"</sheetData></worksheet>")
    return target.getvalue()


def make_wide_workbook() -> bytes:
    book, target = openpyxl.Workbook(), io.BytesIO()
    book.active.append([f"Sütun {n}" for n in range(200)])
    book.active.append(["05321234107"] * 200)
    book.save(target)
    return target.getvalue()


WIDE = (";".join(f"Sütun {n}" for n in range(200)) + "\n" + "05321234107;" * 199 + "x\n").encode()
JUNK = random.Random(7).randbytes(20_000)
NO_TABLE = (
    "ne CSV ne de Excel dosyası. Listenizi CSV ya da XLSX",
    "neither a CSV nor an Excel file. Save your list as",
)
TOO_WIDE = ("1. satırda 200 sütun var; en çok 100", "Row 1 has 200 columns; 100 are allowed")
UPLOADS = {
    "empty": ("liste.csv", lambda: b"", ("Dosya boş", "The file is empty")),
    "empty, named XLSX": ("liste.xlsx", lambda: b"", ("Dosya boş", "The file is empty")),
    "nothing but blank lines": ("liste.csv", lambda: b"\xef\xbb\xbf\r\n \r\n", ("Dosya boş", "The file is empty")),
    "zip bomb": ("liste.xlsx", make_bomb, ("bu yüzden açılmadı", "It was not opened")),
    "binary junk": ("liste.csv", lambda: JUNK, NO_TABLE),
    "binary junk, named XLSX": ("liste.xlsx", lambda: JUNK, NO_TABLE),
    "200 columns": ("liste.csv", lambda: WIDE, TOO_WIDE),
    "200 columns, XLSX": ("liste.xlsx", make_wide_workbook, TOO_WIDE),
}


def upload(client, content: bytes, name: str = "liste.csv"):
    return client.post(reverse("contacts:import_upload"), {"file": SimpleUploadedFile(name, content)})


def find_import(cast) -> ContactImport:
    with tenant_scope(cast.butik.pk):
        return ContactImport.objects.get()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("name", "make", "texts"), UPLOADS.values(), ids=UPLOADS.keys())
def test_refused_with_reason_and_remedy(cast, storage, name, make, texts, language):
    speak(cast, language)
    client, content = cast.client(cast.ayse), make()
    assert len(content) < 1_000_000
    with nothing_changes():
        answer = upload(client, content, name)
    assert texts[LANGUAGES.index(language)] in read_alert(answer)
    assert b'type="file"' in answer.content  # another file can be chosen here
    assert not [path for path in storage.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("language", "text"), [("tr", "200 MB’tan büyük. Bölüp"), ("en", "larger than 200 MB. Split it")]
)
def test_a_gigabyte_is_refused_before_it_is_read(cast, language, text):
    class Unread(io.BytesIO):
        def read(self, *size):
            raise AssertionError("the body was read")

        readline = readlines = __iter__ = read

    speak(cast, language)
    client = cast.client(cast.ayse)
    client.get(reverse("contacts:import_upload"))  # the page leaves the language's cookie
    with nothing_changes():
        answer = client.generic(
            "POST",
            reverse("contacts:import_upload"),
            b"-",
            content_type="multipart/form-data; boundary=x",
            CONTENT_LENGTH=str(1 << 30),
            **{"wsgi.input": Unread()},
        )
    assert answer.status_code == 413 and answer["Connection"] == "close"
    assert text in read_alert(answer)
    assert reverse("contacts:import_upload") in answer.content.decode()


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("tr", "Telefon sütunu bulunamadı. Numaraların hangi sütunda olduğunu seçin."),
        ("en", "No column holds telephone numbers. Say which one does."),
    ],
)
def test_no_phone_column(cast, language, text):
    speak(cast, language)
    client = cast.client(cast.ayse)
    page = client.get(upload(client, "Ad;Şehir\nZeynep;İzmir\nAli;Muğla\n".encode()).url)
    assert text in read_alert(page)
    created = find_import(cast)
    url = reverse("contacts:import_start", args=[created.public_id])
    with nothing_changes():
        columns = {"column_0": "name", "column_1": "", "settings_digest": created.settings_digest}
        answer = client.post(url, {**columns, "list_name": "Kasım", "on_existing": "update"})
    assert text in read_alert(answer)


@pytest.mark.parametrize(
    ("language", "text"),
    [("tr", "UTF-8 ile yazılmamış. Başka bir karakter kodlaması"), ("en", "not written in UTF-8. Choose another")],
)
def test_cp1254_bytes_declared_as_utf8(cast, language, text):
    speak(cast, language)
    client = cast.client(cast.ayse)
    page = client.get(upload(client, "Cep Tel;Ad\n05321234107;Gülşah Işık\n".encode("cp1254")).url)
    assert "Gülşah Işık" in read_alert(page)  # found out without being told
    url = reverse("contacts:import_settings", args=[find_import(cast).public_id])
    with nothing_changes():
        answer = client.post(url, {"encoding": "utf-8", "delimiter": "semicolon", "header_row": "1"}, follow=True)
    assert text in read_alert(answer)
    assert "Gülşah Işık" in read_alert(answer)  # and the table is still read as it was
