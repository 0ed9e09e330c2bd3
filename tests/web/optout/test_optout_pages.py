import re
import zipfile
from io import BytesIO
from uuid import uuid4

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils.translation import gettext, override

from accounts.models import AuditEntry
from accounts.scope import platform_scope, tenant_scope
from optout.forms import FILE_PROBLEMS, AddNumbersForm
from optout.models import OptOutKeyword, SuppressionEntry
from optout.selectors import load_suppressed
from optout.services import add_keyword, add_suppressions, record_opt_out, remove_suppression

NUMBER, SECOND = "+905321112233", "+905441112233"


@pytest.fixture
def entry(cast):
    with tenant_scope(cast.butik.pk):
        record_opt_out(tenant_id=cast.butik.pk, msisdn=NUMBER, source="reply", reason="RET")
        return SuppressionEntry.objects.get()


def entries(cast):
    with tenant_scope(cast.butik.pk):
        return {e.msisdn: e for e in SuppressionEntry.objects.filter(is_active=True)}


def test_list_shows_searches_and_filters(cast, entry):
    client = cast.client(cast.ayse)
    url = reverse("optout:list")
    assert "+90 532 111 22 33" in client.get(url).content.decode()
    assert "+90 532 111 22 33" in client.get(url, {"q": "0532 111"}).content.decode()
    assert "+90 532 111 22 33" not in client.get(url, {"q": "999"}).content.decode()
    assert "+90 532 111 22 33" not in client.get(url, {"source": "import"}).content.decode()
    assert client.get(url, {"source": "nonsense", "after": "nonsense"}).status_code == 200


def test_list_answers_htmx_with_the_table_only(cast, entry):
    response = cast.client(cast.ayse).get(reverse("optout:list"), headers={"hx-request": "true"})
    assert b"<html" not in response.content
    assert "+90 532 111 22 33" in response.content.decode()


def test_list_pages_by_key(cast):
    numbers = [f"+9053200000{n:02d}" for n in range(60)]
    with tenant_scope(cast.butik.pk):
        add_suppressions(tenant_id=cast.butik.pk, msisdns=numbers, source="import")
    client = cast.client(cast.ayse)
    first = client.get(reverse("optout:list"))
    second = client.get(reverse("optout:list"), {"after": first.context["page"].next_cursor})
    shown = [e.msisdn for response in (first, second) for e in response.context["page"]]
    assert shown == numbers[::-1]


def test_empty_list_teaches(cast):
    assert reverse("optout:add") in cast.client(cast.ayse).get(reverse("optout:list")).content.decode()


def test_viewer_reads_but_cannot_change(cast, entry):
    client = cast.client(cast.vildan)
    page = client.get(reverse("optout:list")).content.decode()
    assert reverse("optout:add") not in page
    assert reverse("optout:remove", args=[entry.public_id]) not in page
    assert client.get(reverse("optout:keywords")).status_code == 200
    assert client.get(reverse("optout:history")).status_code == 200
    assert client.get(reverse("optout:add")).status_code == 403
    assert client.get(reverse("optout:export", args=["csv"])).status_code == 403
    assert client.post(reverse("optout:remove", args=[entry.public_id]), {"reason": "x"}).status_code == 403
    assert client.post(reverse("optout:keyword_add"), {"keyword": "bırak"}).status_code == 403
    assert list(entries(cast)) == [NUMBER]


def test_stranger_sees_nothing(cast, entry):
    client = cast.client(cast.can)
    assert "532 111" not in client.get(reverse("optout:list")).content.decode()
    assert b"905321112233" not in b"".join(client.get(reverse("optout:export", args=["csv"])).streaming_content)
    for method in (client.get, client.post):
        assert method(reverse("optout:remove", args=[entry.public_id]), {"reason": "x"}).status_code == 404
    assert list(entries(cast)) == [NUMBER]


def test_bad_ids_are_404_and_wrong_methods_405(cast, entry):
    client = cast.client(cast.ayse)
    assert client.get(reverse("optout:remove", args=[uuid4()])).status_code == 404
    assert client.get("/suppression/not-a-uuid/remove/").status_code == 404
    assert client.get(reverse("optout:export", args=["pdf"])).status_code == 404
    assert client.post(reverse("optout:keyword_remove", args=[10**9])).status_code == 404
    assert client.post(reverse("optout:list")).status_code == 405
    assert client.get(reverse("optout:keyword_add")).status_code == 405
    assert client.get(reverse("optout:keyword_remove", args=[1])).status_code == 405
    assert client.post(reverse("optout:export", args=["csv"])).status_code == 405


def test_editor_adds_from_a_textarea(cast, entry):
    data = {"numbers": f"0544 111 22 33\r\n{NUMBER}\r\n\r\n5441112233", "reason": "telefonla istedi"}
    response = cast.client(cast.burak).post(reverse("optout:add"), data, follow=True)
    assert next(str(m) for m in response.context["messages"]).startswith("1 ")
    added = entries(cast)[SECOND]
    assert (added.source, added.reason, added.added_by) == ("manual", "telefonla istedi", cast.burak)


def test_bad_lines_are_shown_and_the_good_ones_added(cast):
    data = {"numbers": f"{NUMBER}\n0212 555 44 33\nmerhaba\n<b>", "reason": "x"}
    response = cast.client(cast.ayse).post(reverse("optout:add"), data)
    page = response.content.decode()
    assert response.status_code == 200
    assert list(entries(cast)) == [NUMBER]
    assert [line for _sheet, line, _value, _reason in response.context["rejects"]] == [2, 3, 4]
    assert "&lt;b&gt;" in page


def workbook(rows, **others):
    """One sheet with the rows, others by name; those that begin with `hidden` are."""
    book, out = openpyxl.Workbook(), BytesIO()
    for row in rows:
        book.active.append(row)
    for name, more in others.items():
        sheet = book.create_sheet(name)
        sheet.sheet_state = "hidden" if name.startswith("hidden") else "visible"
        for row in more:
            sheet.append(row)
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("liste.csv", "Ad;Telefon\r\nAyşe;0532 111 22 33\r\nBurak;5441112233\r\n".encode("cp1254")),
        ("liste.csv", "\ufeffisim,gsm\nAyşe,05321112233\nB,+905441112233\n".encode()),
        ("liste.txt", b"05321112233\n05441112233\n"),
        ("liste.csv", "Ad\tTelefon\nAyşe\t5321112233\nB\t5441112233\n".encode("utf-16")),
        ("liste.xlsx", workbook([["Sıra", "Telefon"], [1, 5321112233], [2, "0544 111 22 33"]])),
        ("yanlis-uzanti.csv", workbook([["Engellenenler"], [5321112233], [5441112233]])),
    ],
)
def test_files_of_every_kind(cast, name, content):
    data = {"file": SimpleUploadedFile(name, content), "reason": "eski liste"}
    response = cast.client(cast.ayse).post(reverse("optout:add"), data)
    assert response.status_code == 302, response.context["rejects"]
    assert sorted(entries(cast)) == [NUMBER, SECOND]
    assert {e.source for e in entries(cast).values()} == {"import"}


@pytest.mark.parametrize(
    "content",
    [
        b"05321112233,05441112233\n",
        b"05321112233;05441112233\n",
        b"0532 111 22 33\n0544 111 22 33 / 0532 111 22 33\n",
        "Ad;Cep;Ev telefonu\nAy\u015fe;05321112233;0544 111 22 33\n".encode(),
        b"Telefon;Telefon 2\n05321112233;05441112233\n",
        b"No;Ad;Telefon\n1;A;05321112233\n2;B;05441112233\n",
        "No;Ad;Eri\u015fim\n1;A;05321112233\n2;B;05441112233\n".encode(),
        b"Engellenenler\n\nAd;Telefon\nA;05321112233\nB;05441112233\n",
        b"sep=;\r\nTelefon;Not\r\n05321112233;x\r\n05441112233;y\r\n",
        workbook([["Cep", "Telefon"], [5321112233, "0544 111 22 33"]]),
        workbook([["Telefon"], [5321112233]], **{"2026": [["Ad", "Cep"], ["B", 5441112233]]}),
        workbook([["Telefon"], [5321112233], [5441112233]], hidden=[["Telefon"], [5051112233]]),
    ],
    ids=[
        *("comma", "semicolon", "slash", "two columns", "numbered columns", "running number", "unknown header"),
        *("title above", "sep line", "two columns, XLSX", "two sheets", "hidden sheet"),
    ],
)
def test_no_number_of_a_file_is_lost(cast, content):
    data = {"file": SimpleUploadedFile("liste.dat", content), "reason": "eski liste"}
    response = cast.client(cast.ayse).post(reverse("optout:add"), data)
    assert response.status_code == 302, response.context["rejects"]
    assert sorted(entries(cast)) == [NUMBER, SECOND]


def test_the_sheets_that_were_read_are_named(cast):
    good = workbook([["Telefon"], [5321112233]], **{"2026": [["Cep"], [5441112233]], "hidden": [[1]]})
    client = cast.client(cast.ayse)
    upload = {"file": SimpleUploadedFile("liste.xlsx", good), "reason": "x"}
    response = client.post(reverse("optout:add"), upload, follow=True)
    assert [str(m) for m in response.context["messages"]] == ["2 numara eklendi. Okunan sayfalar: “Sheet”, “2026”."]
    bad = workbook([["Telefon"], [5321112233]], **{"2026": [["Cep"], ["yok"]]})
    upload = {"file": SimpleUploadedFile("liste.xlsx", bad), "reason": "x"}
    page = client.post(reverse("optout:add"), upload)
    assert "Okunan sayfalar: “Sheet”, “2026”." in page.content.decode()
    assert [row[:3] for row in page.context["rejects"]] == [("2026", 2, "yok")]


@pytest.mark.parametrize(
    ("content", "reported"),
    [
        ("Cep;Telefon\n05321112233;9,05E+11\n", [(2, "9,05E+11")]),
        ("Cep;Telefon\n05321112233;053211122\n", [(2, "053211122")]),
        ("Cep;Ev telefonu\n05321112233;0212 555 44 33\n", []),
        ("Cep;Telefon\n05321112233;yok\n", []),
        ("Ad;Telefon\nA;05321112233\nB;\n", [(3, "")]),
        ("05321112233;9,05E+11\n", [(1, "9,05E+11")]),
        ("9,05E+11;cep\n05321112233;is\n", [(1, "9,05E+11")]),
        ("0212 555 44 33\n05321112233\n", [(1, "0212 555 44 33")]),
        ("A;05321112233;1240,50\n", []),
        ("A;0532 111\nB;05321112233\n", [(1, "0532 111")]),
    ],
)
def test_cells_that_were_meant_as_numbers_are_reported(cast, content, reported):
    data = {"file": SimpleUploadedFile("liste.csv", content.encode()), "reason": "x"}
    response = cast.client(cast.ayse).post(reverse("optout:add"), data)
    assert [row[1:3] for row in (response.context or {}).get("rejects", ())] == reported
    assert list(entries(cast)) == [NUMBER]


@pytest.mark.parametrize(
    "content",
    [b"", b"ad;soyad\n;\n", b"PK\x03\x04 broken", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(100), b"\x00\x01\x02\x00"],
    ids=["empty", "no number", "broken", "old Excel", "binary"],
)
def test_unreadable_files_change_nothing(cast, content):
    data = {"file": SimpleUploadedFile("liste.csv", content), "reason": "x"}
    response = cast.client(cast.ayse).post(reverse("optout:add"), data)
    assert response.status_code == 200
    assert response.context["form"].errors.get("file") or response.context["rejects"]
    assert entries(cast) == {}


LOCKED = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600) + "EncryptedPackage".encode("utf-16-le") + bytes(2000)


@pytest.mark.parametrize(
    ("content", "turkish", "english"),
    [
        (
            workbook([["Telefon", "Not"], [NUMBER, "x" * 2001]]),
            "2. satırda 2000 karakterden uzun bir hücre var. Kısaltıp yeniden yükleyin.",
            "Row 2 has a cell with more than 2000 characters. Shorten it and upload it again.",
        ),
        (
            workbook([["Telefon"], [NUMBER], [SECOND, *range(101)]]),
            "3. satırda 102 sütun var; en çok 100 olabilir.",
            "Row 3 has 102 columns; 100 are allowed.",
        ),
        (
            LOCKED,
            "Excel dosyası parolalı. Parolasız kaydedip yeniden yükleyin.",
            "The Excel file has a password. Save it without one and upload it again.",
        ),
    ],
    ids=["long cell", "wide row", "password"],
)
def test_what_is_wrong_with_a_workbook_is_said(cast, content, turkish, english):
    data = {"file": SimpleUploadedFile("liste.xlsx", content), "reason": "x"}
    response = cast.client(cast.ayse).post(reverse("optout:add"), data)
    assert response.context["form"].errors["file"] == [turkish]
    with override("en"):
        form = AddNumbersForm({"reason": "x"}, {"file": SimpleUploadedFile("liste.xlsx", content)})
        assert form.errors["file"] == [english]
    assert entries(cast) == {}


def with_sheet(write):
    """A workbook whose sheet is what `write` puts into the open part."""
    out = BytesIO()
    with (
        zipfile.ZipFile(BytesIO(workbook([["Telefon"]]))) as book,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name in book.namelist():
            if name != "xl/worksheets/sheet1.xml":
                archive.writestr(name, book.read(name))
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            write(sheet)
    return out.getvalue()


def write_zeros(sheet):
    for _ in range(310):
        sheet.write(b"0" * (1 << 20))


def write_far_corners(sheet):
    """Two cells; whoever lays out the rectangle between them needs 549 GB."""
    sheet.write(
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        b'<row r="1"><c r="A1"><v>5321112233</v></c></row>'
        b'<row r="1048576"><c r="XFD1048576"><v>5441112233</v></c></row></sheetData></worksheet>'
    )


@pytest.mark.parametrize("write", [write_zeros, write_far_corners])
def test_a_workbook_that_would_take_all_memory_is_refused(cast, write):
    data = {"file": SimpleUploadedFile("liste.xlsx", with_sheet(write)), "reason": "x"}
    response = cast.client(cast.ayse).post(reverse("optout:add"), data)
    heavy = {gettext(FILE_PROBLEMS[code]) for code in ("unsafe_excel", "excel_too_heavy")}
    assert heavy & set(response.context["form"].errors["file"])
    assert entries(cast) == {}


@pytest.mark.parametrize(
    "data", [{"numbers": "", "reason": "x"}, {"numbers": NUMBER, "reason": ""}, {"numbers": "  \n ", "reason": "x"}]
)
def test_incomplete_forms_change_nothing(cast, data):
    response = cast.client(cast.ayse).post(reverse("optout:add"), data)
    assert response.context["form"].errors
    assert entries(cast) == {}


def test_removal_asks_for_a_reason_and_shows_in_history(cast, entry):
    client = cast.client(cast.burak)
    url = reverse("optout:remove", args=[entry.public_id])
    assert "532 111 22 33" in client.get(url).content.decode()
    assert client.post(url, {"reason": " "}).context["form"].errors
    assert list(entries(cast)) == [NUMBER]
    assert client.post(url, {"reason": "imzalı form"}).status_code == 302
    assert entries(cast) == {}
    assert "imzalı form" in client.get(reverse("optout:history")).content.decode()
    assert client.post(url, {"reason": "again"}).status_code == 302


def test_history_of_a_stranger_is_empty(cast, entry):
    with tenant_scope(cast.butik.pk):
        remove_suppression(entry=entry, actor=cast.ayse, reason="gizli sebep")
    assert "gizli sebep" not in cast.client(cast.can).get(reverse("optout:history")).content.decode()


def test_export_is_complete_and_formula_safe(cast):
    with tenant_scope(cast.butik.pk):
        add_suppressions(tenant_id=cast.butik.pk, msisdns=[NUMBER], source="manual", reason="=HYPERLINK(1)")
        record_opt_out(tenant_id=cast.butik.pk, msisdn=SECOND, source="reply")
    client = cast.client(cast.ayse)
    csv = b"".join(client.get(reverse("optout:export", args=["csv"])).streaming_content).decode("utf-8-sig")
    assert "905321112233;" in csv
    assert "'=HYPERLINK(1)" in csv
    assert len(csv.splitlines()) == 3
    only = client.get(reverse("optout:export", args=["xlsx"]) + "?source=reply")
    rows = openpyxl.load_workbook(BytesIO(b"".join(only.streaming_content))).active.values
    assert [row[0] for row in rows][1:] == [SECOND]
    with tenant_scope(cast.butik.pk):
        assert AuditEntry.objects.filter(action="suppression.exported", actor=cast.ayse).count() == 2


def test_what_is_exported_is_what_is_shown(cast):
    """The search swaps the table only; the menu in the page's head goes with it."""
    with tenant_scope(cast.butik.pk):
        add_suppressions(tenant_id=cast.butik.pk, msisdns=[NUMBER], source="manual", reason="x")
        record_opt_out(tenant_id=cast.butik.pk, msisdn=SECOND, source="reply")
    client, url = cast.client(cast.ayse), reverse("optout:list")
    found = client.get(url, {"q": "0532 111", "source": "manual"}, headers={"hx-request": "true"}).content.decode()
    menu = found[found.index('<div id="export-menu"') :]
    assert 'hx-swap-oob="true"' in menu.split(">")[0]
    link = re.search('href="([^"]+csv[^"]*)"', menu)[1].replace("&amp;", "&")
    lines = b"".join(client.get(link).streaming_content).decode("utf-8-sig").splitlines()
    assert [line.split(";")[0] for line in lines[1:]] == ["905321112233"]
    assert "hx-swap-oob" not in client.get(url).content.decode()
    assert "export-menu" not in cast.client(cast.vildan).get(url, headers={"hx-request": "true"}).content.decode()


def test_keywords_are_added_and_removed(cast):
    client = cast.client(cast.burak)
    client.post(reverse("optout:keyword_add"), {"keyword": "bırak"})
    page = client.get(reverse("optout:keywords")).content.decode()
    assert "BIRAK" in page
    assert "ÇIK<" in page and page.index("ÇIK<") < page.index("DUR<") < page.index("İPTAL<") < page.index("RET<")
    assert client.post(reverse("optout:keyword_add"), {"keyword": "iptal"}).context["form"].errors
    with tenant_scope(cast.butik.pk):
        word = OptOutKeyword.objects.get(keyword="BIRAK")
    assert client.post(reverse("optout:keyword_remove", args=[word.pk])).status_code == 302
    assert "BIRAK" not in client.get(reverse("optout:keywords")).content.decode()


def test_keywords_of_others_cannot_be_removed(cast):
    with tenant_scope(cast.butik.pk):
        own = add_keyword(tenant_id=cast.butik.pk, keyword="bırak", actor=cast.ayse)
        platform = OptOutKeyword.objects.get(keyword="RET")
    assert cast.client(cast.can).post(reverse("optout:keyword_remove", args=[own.pk])).status_code == 404
    assert cast.client(cast.ayse).post(reverse("optout:keyword_remove", args=[platform.pk])).status_code == 404
    with tenant_scope(cast.butik.pk):
        assert load_suppressed(cast.butik.pk, [NUMBER]) == set()
        assert OptOutKeyword.objects.filter(keyword__in=["RET", "BIRAK"]).count() == 2


def test_signed_out_people_are_sent_to_the_door(client, db):
    assert client.get(reverse("optout:list")).status_code == 302


def test_the_platforms_list_is_nobodys_to_read(cast, entry):
    """It holds everybody's customers: a tenant learns only that a recipient of theirs is blocked."""
    with platform_scope(reason="test"):
        record_opt_out(tenant_id=None, msisdn=SECOND, source="platform", reason="court order")
    client = cast.client(cast.ayse)
    for query in ({}, {"q": "0544 111 22 33"}, {"q": "544"}, {"source": "platform"}):
        text = client.get(reverse("optout:list"), query).content.decode()
        assert "+90 544 111 22 33" not in text and "court order" not in text
    assert 'value="platform"' not in client.get(reverse("optout:list")).content.decode()
    exported = b"".join(client.get(reverse("optout:export", args=["csv"])).streaming_content).decode()
    assert "5321112233" in exported and "5441112233" not in exported
    with tenant_scope(cast.butik.pk):
        assert not SuppressionEntry.objects.filter(msisdn=SECOND).exists()
        assert load_suppressed(cast.butik.pk, [SECOND]) == {SECOND}
