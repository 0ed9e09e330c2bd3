"""Files in, contacts out: every kind of file, exact counts, nothing twice."""

import json
from collections import Counter
from pathlib import Path

import pytest
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.core.management.base import CommandError

from accounts.scope import tenant_scope
from common.tabular.problems import FileProblem
from contacts.demo_files import write_messy_file
from contacts.models import Contact, ContactField, ContactGroup, ContactGroupMember, ContactImport, ContactImportReject
from contacts.services import import_run
from contacts.services.import_run import run_import
from contacts.services.imports import cancel_import, create_import, map_by_header, queue_import, update_import_settings
from contacts.services.uploads import locate

SMALL = "Cep Tel;Ad;Soyad;İl;Tutar\n0532 123 41 07;Zeynep;Öztürk;İstanbul;1.240,50\n5051112233;Ali;;;\n"


def begin(cast, content: bytes | str | Path, *, list_name="Kasım", mapping=None, **options) -> ContactImport:
    if isinstance(content, Path):
        file = File(content.open("rb"), content.name)
    else:
        file = ContentFile(content.encode() if isinstance(content, str) else content, "liste.csv")
    with tenant_scope(cast.butik.pk):
        created = create_import(tenant=cast.butik, file=file, user=cast.ayse)
        return queue_import(
            contact_import=created, mapping=map_by_header(created, mapping or {}), list_name=list_name, **options
        )


def load(cast, content, **options) -> ContactImport:
    queued = begin(cast, content, **options)
    return run_import(import_id=queued.pk, tenant_id=cast.butik.pk)


def contacts_of(cast) -> dict[str, Contact]:
    with tenant_scope(cast.butik.pk):
        return {contact.msisdn: contact for contact in Contact.objects.all()}


def assert_counts(finished: ContactImport, expected) -> None:
    assert finished.state == "completed", finished.error
    assert (finished.row_count, finished.imported_count, finished.duplicate_count, finished.empty_count) == (
        expected.rows,
        expected.imported,
        expected.duplicates,
        expected.empty,
    )
    assert Counter(finished.rejected_counts) == expected.rejected
    assert finished.row_count == (
        finished.imported_count + finished.updated_count + finished.duplicate_count + finished.rejected_count
    )


def test_a_small_list(cast):
    finished = load(cast, SMALL)
    people = contacts_of(cast)
    zeynep = people["+905321234107"]
    assert (zeynep.name, zeynep.attributes) == ("Zeynep Öztürk", {"şehir": "İstanbul", "tutar": "1.240,50"})
    assert (people["+905051112233"].name, people["+905051112233"].attributes) == ("Ali", {})
    with tenant_scope(cast.butik.pk):
        group = ContactGroup.objects.get()
        assert (group.name, group.contact_count, group.members.count()) == ("Kasım", 2, 2)
        kinds = {field.label: field.kind for field in ContactField.objects.all()}
    assert kinds == {"Şehir": "text", "Tutar": "number"}
    assert finished.imported_count == 2


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1254", "iso8859-9"])
def test_every_encoding_and_delimiter(cast, tmp_path, encoding, delimiter):
    path = tmp_path / "liste.csv"
    expected = write_messy_file(path, 120, seed=7, encoding=encoding, delimiter=delimiter)
    assert_counts(load(cast, path), expected)
    names = {name for contact in contacts_of(cast).values() for name in contact.name.split()}
    assert "Çiğdem" in names and "Işıl" in names


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_messy_file_is_counted_exactly(cast, tmp_path, kind):
    path = tmp_path / f"liste.{kind}"
    expected = write_messy_file(path, 3000, kind=kind, seed=3)
    finished = load(cast, path)
    assert_counts(finished, expected)
    with tenant_scope(cast.butik.pk):
        assert Contact.objects.count() == expected.imported == ContactGroup.objects.get().contact_count
        assert ContactImportReject.objects.count() == expected.rejected.total()
        codes = Contact.objects.filter(attributes__kod__startswith="SNB-").count()
    assert codes == expected.imported


def test_chunks_do_not_change_the_counts(cast, tmp_path, monkeypatch):
    monkeypatch.setattr(import_run, "CHUNK_ROWS", 37)
    path = tmp_path / "liste.csv"
    expected = write_messy_file(path, 500, seed=11)
    assert_counts(load(cast, path), expected)


def test_the_same_file_again_updates_and_adds_nobody(cast, tmp_path):
    path = tmp_path / "liste.csv"
    expected = write_messy_file(path, 300, seed=5)
    load(cast, path)
    again = load(cast, path, list_name="İkinci")
    assert (again.imported_count, again.updated_count) == (0, expected.imported)
    with tenant_scope(cast.butik.pk):
        assert Contact.objects.count() == expected.imported
        assert {group.contact_count for group in ContactGroup.objects.all()} == {expected.imported}


def test_update_keeps_what_empty_cells_do_not_say(cast):
    load(cast, SMALL)
    load(cast, "Telefon,İsim,Tutar,Kod\n05321234107,,310,A1\n")
    zeynep = contacts_of(cast)["+905321234107"]
    assert zeynep.name == "Zeynep Öztürk"
    assert zeynep.attributes == {"şehir": "İstanbul", "tutar": "310", "kod": "A1"}


def test_keep_leaves_contacts_alone_and_still_lists_them(cast):
    load(cast, SMALL)
    finished = load(cast, "Telefon,İsim\n05321234107,Başka\n", list_name="Yeni", on_existing="keep")
    assert (finished.imported_count, finished.updated_count) == (0, 1)
    assert contacts_of(cast)["+905321234107"].name == "Zeynep Öztürk"
    with tenant_scope(cast.butik.pk):
        assert ContactGroup.objects.get(name="Yeni").contact_count == 1


def test_columns_set_by_hand(cast):
    load(cast, "a,b\nZeynep,05321234107\n", mapping={"A": "isim", "b": "telefon"})
    assert contacts_of(cast)["+905321234107"].name == "Zeynep"


def test_a_file_without_header_is_read_by_its_content(cast):
    finished = load(cast, "05321234107,Zeynep\n05321234108,Ali\n")
    assert (finished.row_count, finished.imported_count) == (2, 2)


def test_rejects_say_where_and_why(cast):
    load(
        cast,
        "Cep;Tarih\n05321234107;12.10.2026\n\n0212 555 10 20;13.10.2026\n05321234108;31.02.2026\n05321234109;1;2\n",
        mapping={"Tarih": "Tarih"},
    )
    with tenant_scope(cast.butik.pk):
        rejects = [
            (r.row_number, r.field, r.reason, r.value) for r in ContactImportReject.objects.order_by("row_number")
        ]
    assert rejects == [
        (4, "msisdn", "landline", "0212 555 10 20"),
        (6, "", "extra_cells", "2"),
    ]


def test_values_that_do_not_fit_their_field(cast):
    with tenant_scope(cast.butik.pk):
        ContactField(tenant=cast.butik, key="tarih", label="Tarih", kind="date").save()
    finished = load(cast, "Cep;Tarih\n05321234107;2026-10-12\n05321234108;31.02.2026\n05321234109;\n")
    assert finished.rejected_counts == {"not_a_date": 1}
    assert contacts_of(cast)["+905321234107"].attributes == {"tarih": "12.10.2026"}


def test_another_tenants_contacts_stay_apart(cast):
    load(cast, SMALL)
    with tenant_scope(cast.rakip.pk):
        assert not Contact.objects.exists()
        assert not ContactImport.objects.exists()


def test_the_file_is_gone_afterwards(cast, storage):
    finished = load(cast, SMALL)
    assert not locate(finished.stored_path).exists()
    assert not [path for path in storage.rglob("*") if path.is_file()]


def test_twice_is_once(cast):
    queued = begin(cast, SMALL)
    with tenant_scope(cast.butik.pk):
        assert queue_import(contact_import=queued, mapping={}, list_name="Başka").group.name == "Kasım"
    for _ in range(2):
        finished = run_import(import_id=queued.pk, tenant_id=cast.butik.pk)
    assert (finished.imported_count, finished.row_count) == (2, 2)


def test_cancel_before_it_runs(cast):
    queued = begin(cast, SMALL)
    with tenant_scope(cast.butik.pk):
        cancel_import(contact_import=queued, actor=cast.ayse)
    assert run_import(import_id=queued.pk, tenant_id=cast.butik.pk).state == "cancelled"
    assert contacts_of(cast) == {}


def test_command_line(cast, tmp_path, capsys):
    path = tmp_path / "liste.csv"
    expected = write_messy_file(path, 200, seed=2)
    call_command("import_contacts", str(path), tenant="butik", list="Komut", json=True)
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {
        "rows": expected.rows,
        "imported": expected.imported,
        "updated": 0,
        "duplicates": expected.duplicates,
        "rejected": dict(expected.rejected),
    }
    with tenant_scope(cast.butik.pk):
        assert ContactGroupMember.objects.count() == expected.imported


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"tenant": "yok"}, "slug"),
        ({"map": ["Yok=telefon"]}, "Yok"),
        ({"map": ["Cep Tel"]}, "HEADER=FIELD"),
        ({"map": ["Cep Tel="]}, "telefon"),
    ],
)
def test_command_line_refusals(cast, tmp_path, options, text):
    path = tmp_path / "liste.csv"
    path.write_text(SMALL)
    with pytest.raises(CommandError) as refused:
        call_command("import_contacts", str(path), **{"tenant": "butik", "list": "x", "json": True, **options})
    assert text.casefold() in str(refused.value).casefold() or "telephone" in str(refused.value)
    assert contacts_of(cast) == {}


def test_an_import_needs_its_file(cast):
    queued = begin(cast, SMALL)
    locate(queued.stored_path).unlink()
    finished = run_import(import_id=queued.pk, tenant_id=cast.butik.pk)
    assert (finished.state, finished.error["code"]) == ("failed", "file_gone")


def test_unknown_field_in_a_mapping(cast):
    with pytest.raises(FileProblem, match="unknown_field"), tenant_scope(cast.butik.pk):
        created = create_import(tenant=cast.butik, file=ContentFile(SMALL.encode(), "x.csv"), user=None)
        queue_import(contact_import=created, mapping={"0": "msisdn", "1": "field:yok"}, list_name="")


def test_every_character_arrives_as_it_was(cast):
    odd = "a\\b \"c\" \\N \\t {x} %s 'd' €😀 ‘e’ \\\\"
    cell = odd.replace('"', '""')
    finished = load(cast, f'Cep,Ad,Not\n05321234107,"{cell}","{cell}"\n05321234108,\\N,\\.\n')
    assert finished.imported_count == 2
    people = contacts_of(cast)
    assert (people["+905321234107"].name, people["+905321234107"].attributes["not"]) == (odd, odd)
    assert (people["+905321234108"].name, people["+905321234108"].attributes["not"]) == ("\\N", "\\.")


def test_settings_from_a_page_that_is_out_of_date_change_no_import_that_has_started(cast):
    with tenant_scope(cast.butik.pk):
        file = ContentFile(SMALL.encode(), "liste.csv")
        created = create_import(tenant=cast.butik, file=file, user=cast.ayse)
        queued = queue_import(contact_import=created, mapping=map_by_header(created, {}), list_name="Kasım")
        assert created.state == "uploaded"  # as the other tab saw it
        with pytest.raises(FileProblem, match="already_started"):
            update_import_settings(contact_import=created, header_row=0)
        assert ContactImport.objects.get().mapping == queued.mapping
    assert run_import(import_id=queued.pk, tenant_id=cast.butik.pk).imported_count == 2


def test_a_column_whose_field_was_never_made_comes_in_nowhere(cast):
    queued = begin(cast, SMALL)
    with tenant_scope(cast.butik.pk):
        ContactImport.objects.update(mapping={**queued.mapping, "3": "new:text:Semt"})
    finished = run_import(import_id=queued.pk, tenant_id=cast.butik.pk)
    assert (finished.state, finished.error["code"], contacts_of(cast)) == ("failed", "unknown_field", {})
