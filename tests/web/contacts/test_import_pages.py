"""The wizard, step by step: upload, columns, progress, result."""

import io
import re
from uuid import uuid4

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.scope import tenant_scope
from contacts import tasks
from contacts.models import Contact, ContactGroup, ContactImport
from contacts.services.import_run import run_import
from contacts.services.uploads import discard_upload

FILE = (
    "Cep Tel;Ad Soyad;İl;Son Sipariş;Tutar\n"
    "0532 123 41 07;Zeynep Öztürk;İstanbul;12.10.2026;1.240,50\n"
    "212 555 1O 20;Ali Çınar;İzmir;28.09.2026;95,90\n"
    "+90 (532) 123 41 07;Zeynep;;;0\n"
    "5551234567;Ğülçin İnan;Muğla;;\n"
)


@pytest.fixture(autouse=True)
def nudges(monkeypatch):
    rung = []
    monkeypatch.setattr(tasks.run_import, "delay", lambda **names: rung.append(names))
    return rung


def upload(client, content=FILE, name="musteriler_kasim.csv"):
    content = content.encode() if isinstance(content, str) else content
    return client.post(reverse("contacts:import_upload"), {"file": SimpleUploadedFile(name, content)})


def newest(cast) -> ContactImport:
    with tenant_scope(cast.butik.pk):
        return ContactImport.objects.latest("pk")


def chosen(contact_import, **changes) -> dict[str, str]:
    data = {f"column_{column}": target or "" for column, target in contact_import.mapping.items()}
    own = {"list_name": "Kasım", "on_existing": "update", "settings_digest": contact_import.settings_digest}
    return {**data, **own, **changes}


def test_the_whole_way(cast, nudges, django_capture_on_commit_callbacks):
    client = cast.client(cast.burak)
    mapping_page = client.get(upload(client).url)
    text = mapping_page.content.decode()
    for expected in ("+905321234107", "0532 123 41 07", "UTF-8", "2 geçerli numara", "1 yinelenen", "1 geçersiz"):
        assert expected in text, expected
    assert "212 555 1O 20 · Telefon numarası değil" in text
    assert mapping_page.context["form"]["list_name"].value() == "musteriler kasim"
    created = newest(cast)
    with django_capture_on_commit_callbacks(execute=True):
        for _click in range(2):
            started = client.post(reverse("contacts:import_start", args=[created.public_id]), chosen(created))
            assert started.status_code == 302
    assert nudges == [{"import_id": created.pk, "tenant_id": cast.butik.pk}]
    progress = reverse("contacts:import_progress", args=[created.public_id])
    assert b"every 1s" in client.get(progress).content
    run_import(import_id=created.pk, tenant_id=cast.butik.pk)
    assert b"every 1s" not in client.get(progress).content
    result = client.get(started.url).content.decode()
    assert reverse("contacts:import_rejects", args=[created.public_id, "xlsx"]) in result
    with tenant_scope(cast.butik.pk):
        assert ContactGroup.objects.get().contact_count == Contact.objects.count() == 2
    assert created.file_name in client.get(reverse("contacts:import_list")).content.decode()


def test_rejected_rows_as_a_file(cast):
    client = cast.client(cast.ayse)
    upload(client, "Cep Tel;Ad\n05321234107;x\n=2125551020;y\n")
    created = newest(cast)
    client.post(reverse("contacts:import_start", args=[created.public_id]), chosen(created))
    run_import(import_id=created.pk, tenant_id=cast.butik.pk)
    response = client.get(reverse("contacts:import_rejects", args=[created.public_id, "csv"]))
    lines = b"".join(response.streaming_content).decode("utf-8-sig").splitlines()
    assert lines == ["Satır;Alan;Neden;Değer", "3;Telefon;Telefon numarası değil;'=2125551020"]
    assert client.get(reverse("contacts:import_rejects", args=[created.public_id, "pdf"])).status_code == 404


def test_preview_follows_the_columns_and_changes_nothing(cast):
    client = cast.client(cast.ayse)
    upload(client)
    created = newest(cast)
    url = reverse("contacts:import_preview", args=[created.public_id])
    page = client.post(url, chosen(created, column_0="")).content.decode()
    assert "Telefon sütunu bulunamadı" in page and "<html" not in page
    assert "Satır" in client.post(url, chosen(created, column_2="new:date:Şehir")).content.decode()
    twice = client.post(url, chosen(created, column_1="msisdn")).content.decode()
    assert "aynı alana gidiyor" in twice
    assert newest(cast).mapping == created.mapping


def test_settings_can_be_changed(cast):
    client = cast.client(cast.ayse)
    upload(client)
    created = newest(cast)
    url = reverse("contacts:import_settings", args=[created.public_id])
    client.post(url, {"encoding": "utf-8", "delimiter": "comma", "header_row": "1"})
    assert newest(cast).settings["delimiter"] == ","
    client.post(url, {"delimiter": "semicolon", "header_row": "0"})
    assert (newest(cast).settings["delimiter"], newest(cast).settings["header_row"]) == (";", 0)
    page = client.post(url, {"encoding": "utf-16"}, follow=True)
    assert "UTF-16" in page.content.decode() and newest(cast).settings["encoding"] == "utf-8"
    assert client.post(url, {"encoding": "koi8", "header_row": "x"}).status_code == 302


BAD = {
    "empty": (b"", "Dosya boş."),
    "binary": (b"\x89PNG\r\n\x1a\n" + bytes(100), "ne CSV ne de Excel"),
    "old Excel": (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600), "eski bir Excel"),
    "header only": (b"Cep Tel;Ad\n", "yalnızca başlık"),
    "200 columns": (b";".join(b"x%d" % n for n in range(200)) + b"\n05321234107", "200 sütun"),
    "a long cell": (b"Cep\n" + b"x" * 3000, "2000 karakterden uzun"),
    "half an XLSX": (b"PK\x03\x04" + bytes(100), "bozuk"),
}


@pytest.mark.parametrize(("content", "text"), BAD.values(), ids=BAD.keys())
def test_bad_files_are_told_in_the_users_language(cast, content, text):
    response = upload(cast.client(cast.ayse), content, "liste.xlsx")
    assert response.status_code == 200 and text in response.content.decode()
    with tenant_scope(cast.butik.pk):
        assert not ContactImport.objects.exists()


STARTS = {
    "no phone column": ({"column_0": ""}, "Telefon sütunu bulunamadı"),
    "two phone columns": ({"column_1": "msisdn"}, "aynı alana gidiyor"),
    "unknown target": ({"column_1": "field:yok"}, "Sütunları kontrol edin"),
}


@pytest.mark.parametrize(("changes", "text"), STARTS.values(), ids=STARTS.keys())
def test_columns_that_cannot_work(cast, nudges, changes, text):
    client = cast.client(cast.ayse)
    upload(client)
    created = newest(cast)
    page = client.post(reverse("contacts:import_start", args=[created.public_id]), chosen(created, **changes))
    assert page.status_code == 200 and text in page.content.decode()
    assert newest(cast).state == "uploaded" and nudges == []


def test_cancel(cast, django_capture_on_commit_callbacks):
    client = cast.client(cast.ayse)
    upload(client)
    created = newest(cast)
    assert client.post(reverse("contacts:import_cancel", args=[created.public_id])).url == reverse("contacts:list")
    assert newest(cast).state == "cancelled"
    assert client.get(reverse("contacts:import_detail", args=[created.public_id])).status_code == 200
    assert client.post(reverse("contacts:import_preview", args=[created.public_id]), {}).status_code == 404


def test_viewer_stranger_bad_id_wrong_method(cast):
    upload(cast.client(cast.ayse))
    created = newest(cast)
    viewer, stranger, owner = (cast.client(user) for user in (cast.vildan, cast.can, cast.ayse))
    assert upload(viewer).status_code == 403
    for name in ("settings", "preview", "start", "cancel"):
        url = reverse(f"contacts:import_{name}", args=[created.public_id])
        assert viewer.post(url, chosen(created)).status_code == 403
        assert stranger.post(url, chosen(created)).status_code == 404
        assert owner.get(url).status_code == 405
        assert owner.post(reverse(f"contacts:import_{name}", args=[uuid4()])).status_code == 404
    for name, more in (("detail", []), ("progress", []), ("rejects", ["csv"])):
        url = reverse(f"contacts:import_{name}", args=[created.public_id, *more])
        assert stranger.get(url).status_code == 404
    assert viewer.get(reverse("contacts:import_detail", args=[created.public_id])).status_code == 200
    assert newest(cast).state == "uploaded"


@pytest.mark.parametrize("name", ["preview", "start", "settings"])
def test_a_file_that_is_gone_is_told(cast, name):
    client = cast.client(cast.ayse)
    upload(client)
    created = newest(cast)
    discard_upload(created.stored_path)
    data = {**chosen(created), "header_row": "2"}
    answer = client.post(reverse(f"contacts:import_{name}", args=[created.public_id]), data)
    page = client.get(answer.headers.get("HX-Redirect") or answer.headers["Location"], follow=True)
    assert "Yüklenen dosya artık yok" in page.content.decode()
    assert newest(cast).state == "uploaded"


def test_rejected_rows_while_more_of_them_come_in(cast):
    """The download reads rows that the import adds after its page was asked for."""
    client = cast.client(cast.ayse)
    upload(client, "Cep Tel;Ad\n05321234107;x\n2125551020;y\n")
    created = newest(cast)
    client.post(reverse("contacts:import_start", args=[created.public_id]), chosen(created))
    run_import(import_id=created.pk, tenant_id=cast.butik.pk)
    with tenant_scope(cast.butik.pk):
        ContactImport.objects.update(rejected_counts={})
    response = client.get(reverse("contacts:import_rejects", args=[created.public_id, "csv"]))
    assert b"".join(response.streaming_content).decode("utf-8-sig").splitlines()[1].startswith("3;Telefon;")


def two_sheets() -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.active.title = "Eylül"
    for row in (["Cep", "Ad"], ["05321234107", "Zeynep"]):
        book.active.append(row)
    second = book.create_sheet("Ekim")
    for row in (["Ad", "Cep"], ["Ali", "05321234108"]):
        second.append(row)
    book.create_sheet("Kasım").append(["Cep", "Ad"])
    book.save(out)
    return out.getvalue()


def test_a_page_of_another_sheet_starts_nothing(cast, nudges):
    """Two tabs: what the first one shows is no longer what would be imported."""
    client = cast.client(cast.ayse)
    upload(client, two_sheets(), "liste.xlsx")
    stale = newest(cast)
    client.post(reverse("contacts:import_settings", args=[stale.public_id]), {"sheet": "Ekim"})
    url = reverse("contacts:import_start", args=[stale.public_id])
    for old in (chosen(stale), chosen(stale, settings_digest="")):
        page = client.post(url, old)
        assert page.status_code == 200 and "Sütunları yeniden kontrol edip" in page.content.decode()
        assert [row.cells[0].text for row, *_ in page.context["rows"]] == ["Ali"]
        assert newest(cast).state == "uploaded"
    fresh = re.search('name="settings_digest" value="([0-9a-f]+)"', page.content.decode())[1]
    assert client.post(url, chosen(newest(cast), settings_digest=fresh)).status_code == 302
    assert newest(cast).state == "queued"


def test_a_sheet_that_cannot_be_imported_leaves_the_one_before(cast):
    client = cast.client(cast.ayse)
    upload(client, two_sheets(), "liste.xlsx")
    before = newest(cast)
    url = reverse("contacts:import_settings", args=[before.public_id])
    page = client.post(url, {"sheet": "Kasım"}, follow=True)
    assert "yalnızca başlık" in page.content.decode()
    assert "05321234107" in page.content.decode()
    assert (newest(cast).settings, newest(cast).mapping) == (before.settings, before.mapping)
    assert "05321234108" in client.post(url, {"sheet": "Ekim"}, follow=True).content.decode()
