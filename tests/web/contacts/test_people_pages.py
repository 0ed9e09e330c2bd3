import re
from html import unescape
from uuid import uuid4

import pytest
from django.urls import reverse

from accounts.models import AuditEntry
from accounts.scope import tenant_scope
from contacts.models import Contact, ContactGroup
from contacts.services.contacts import create_contact
from contacts.services.fields import create_field
from contacts.services.groups import create_group

NUMBER, OTHER = "+905321234107", "+905551112233"


@pytest.fixture
def book(cast):
    with tenant_scope(cast.butik.pk):
        group = create_group(tenant=cast.butik, name="Kasım")
        create_field(tenant=cast.butik, label="Şehir")
        create_field(tenant=cast.butik, label="Doğum", kind="date")
        first = create_contact(
            tenant=cast.butik, msisdn=NUMBER, name="Zeynep Öztürk", attributes={"şehir": "İzmir"}, groups=[group]
        )
        second = create_contact(tenant=cast.butik, msisdn=OTHER, name="=1+1")
    return group, first, second


def people(cast) -> dict[str, Contact]:
    with tenant_scope(cast.butik.pk):
        return {contact.msisdn: contact for contact in Contact.objects.all()}


def test_list_shows_searches_filters_and_sorts(cast, book):
    client, url = cast.client(cast.vildan), reverse("contacts:list")
    page = client.get(url).content.decode()
    assert "Zeynep Öztürk" in page and "+90 532 123 41 07" in page and "İzmir" in page
    assert "Zeynep" not in client.get(url, {"q": "5551"}).content.decode()
    filtered = client.get(url, {"list": book[0].public_id}).content.decode()
    assert "Zeynep" in filtered and "=1+1" not in filtered
    for sort in ("name", "msisdn", "-pk", "nonsense"):
        assert client.get(url, {"sort": sort}).status_code == 200
    assert client.get(url, {"list": uuid4()}).status_code == 404
    assert client.get(url, {"list": "x"}).status_code == 404
    assert client.get(url, {"after": "nonsense"}).status_code == 200


def test_list_answers_htmx_with_the_table_only(cast, book):
    response = cast.client(cast.ayse).get(reverse("contacts:list"), headers={"hx-request": "true"})
    assert b"<html" not in response.content and "Zeynep" in response.content.decode()


def test_pages_follow_each_other(cast):
    with tenant_scope(cast.butik.pk):
        for n in range(60):
            create_contact(tenant=cast.butik, msisdn=f"+90532123{n:04}", name=f"Kişi {n % 7}")
    client = cast.client(cast.ayse)
    for sort in ("-pk", "name", "msisdn"):
        first = client.get(reverse("contacts:list"), {"sort": sort})
        second = client.get(reverse("contacts:list"), {"sort": sort, "after": first.context["page"].next_cursor})
        shown = [contact.pk for page in (first, second) for contact, _ in page.context["rows"]]
        assert len(shown) == len(set(shown)) == 60


def test_empty_book_teaches_the_next_step(cast):
    assert reverse("contacts:import_upload") in cast.client(cast.ayse).get(reverse("contacts:list")).content.decode()


def test_editor_adds_edits_and_deletes(cast, book):
    client = cast.client(cast.burak)
    fields = list(book[1].tenant_id and client.get(reverse("contacts:new")).context["form"].fields)
    city, born = (name for name in fields if name.startswith("field_"))
    added = client.post(
        reverse("contacts:new"),
        {"msisdn": "0541 222 33 44", "name": " Ali  Can ", city: "Muğla", born: "2000-05-06", "groups": [book[0].pk]},
    )
    assert added.status_code == 302
    ali = people(cast)["+905412223344"]
    assert (ali.name, ali.attributes) == ("Ali Can", {"şehir": "Muğla", "doğum": "06.05.2000"})
    page = open_page(client, ali)
    assert page[f"initial-{city}"] == ["Muğla"] and page["initial-groups"] == [str(book[0].pk)]
    edited = save_page(client, ali, page, msisdn="+905412223345", name="Ali", **{city: "", born: ""}, groups=[])
    assert edited.status_code == 302
    ali = people(cast)["+905412223345"]
    assert (ali.name, ali.attributes, groups_of(cast, ali)) == ("Ali", {}, set())
    client.post(reverse("contacts:delete", args=[ali.public_id]))
    assert people(cast).keys() == {NUMBER, OTHER}
    with tenant_scope(cast.butik.pk):
        assert AuditEntry.objects.filter(actor=cast.burak, action="contacts.deleted").exists()


def open_page(client, contact) -> dict[str, list[str]]:
    """What a browser would send of the contact's page, nothing changed."""
    page = client.get(reverse("contacts:edit", args=[contact.public_id])).content.decode()
    data: dict[str, list[str]] = {}
    for name, value in re.findall('<input type="hidden" name="(initial-[^"]+)"(?: value="([^"]*)")?', page):
        data.setdefault(name, []).append(unescape(value))
    return data | {name.removeprefix("initial-"): values for name, values in data.items()}


def save_page(client, contact, page, **changes):
    return client.post(reverse("contacts:edit", args=[contact.public_id]), {**page, **changes})


def groups_of(cast, contact) -> set[str]:
    with tenant_scope(cast.butik.pk):
        return set(ContactGroup.objects.filter(members__contact=contact).values_list("name", flat=True))


def test_an_old_page_undoes_nothing_of_what_others_did(cast, book):
    """Burak puts a contact on the list that campaigns leave out while Ayşe has its page open."""
    group, first, _second = book
    with tenant_scope(cast.butik.pk):
        left_out, third = (create_group(tenant=cast.butik, name=name) for name in ("Hariç tutulanlar", "Aralık"))
    ayse, burak = cast.client(cast.ayse), cast.client(cast.burak)
    old = open_page(ayse, first)
    city = next(name for name, values in old.items() if values == ["İzmir"] and not name.startswith("initial-"))
    fresh = open_page(burak, first)
    groups = [str(group.pk), str(left_out.pk)]
    assert save_page(burak, first, fresh, groups=groups, **{city: "Muğla"}).status_code == 302
    wrong = save_page(ayse, first, old, msisdn="x", groups=[str(third.pk)])
    assert f'name="initial-groups" value="{group.pk}"' in wrong.content.decode()
    assert save_page(ayse, first, old, name="Zeynep Öz", groups=[str(third.pk)]).status_code == 302
    found = people(cast)[NUMBER]
    assert (found.name, found.attributes) == ("Zeynep Öz", {"şehir": "Muğla"})
    assert groups_of(cast, first) == {"Hariç tutulanlar", "Aralık"}
    for shown in (["x"], ["9" * 30], []):
        assert save_page(ayse, first, {**old, "initial-groups": shown}, groups=[]).status_code == 302
    assert groups_of(cast, first) == {"Hariç tutulanlar", "Aralık"}


@pytest.mark.parametrize("number", ["0212 555 10 20", "9,05E+11", "", "x", "+90 532 123 41 07"])
def test_bad_and_taken_numbers_are_told(cast, book, number):
    response = cast.client(cast.ayse).post(reverse("contacts:new"), {"msisdn": number})
    assert response.status_code == 200 and response.context["form"].errors["msisdn"]
    assert len(people(cast)) == 2


def test_a_name_that_grows_when_it_is_composed_is_told(cast, book):
    data = {"msisdn": "0541 222 33 44", "name": "\N{DEVANAGARI LETTER QA}" * 200}
    response = cast.client(cast.ayse).post(reverse("contacts:new"), data)
    assert response.status_code == 200 and response.context["form"].errors["name"]
    assert len(people(cast)) == 2


def test_ticked_contacts_in_bulk(cast, book):
    client, url = cast.client(cast.burak), reverse("contacts:bulk")
    group, first, second = book
    both = [first.public_id, second.public_id]
    answer = client.post(url, {"action": "add", "group": group.public_id, "contact": both, "filter": "q=a"})
    assert answer.url == reverse("contacts:list") + "?q=a"
    with tenant_scope(cast.butik.pk):
        group.refresh_from_db()
        assert group.contact_count == 2
    client.post(url, {"action": "remove", "group": group.public_id, "contact": [first.public_id]})
    with tenant_scope(cast.butik.pk):
        group.refresh_from_db()
        assert group.contact_count == 1
    for nothing in ({"action": "delete"}, {"action": "add", "contact": both}, {"action": "x", "contact": both}):
        assert client.post(url, nothing).status_code == 302
    assert client.post(url, {"action": "delete", "contact": ["not-an-id"]}).status_code == 302
    assert len(people(cast)) == 2
    client.post(url, {"action": "delete", "contact": both})
    assert people(cast) == {}


def test_a_stranger_reaches_nothing_in_bulk(cast, book):
    client, url = cast.client(cast.can), reverse("contacts:bulk")
    client.post(url, {"action": "delete", "contact": [book[1].public_id]})
    assert (
        client.post(url, {"action": "add", "group": book[0].public_id, "contact": [book[1].public_id]}).status_code
        == 302
    )
    assert len(people(cast)) == 2


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_export_is_complete_and_harmless(cast, book, kind, tmp_path):
    response = cast.client(cast.ayse).get(reverse("contacts:export", args=[kind]))
    content = b"".join(response.streaming_content)
    if kind == "csv":
        text = content.decode("utf-8-sig")
        assert "905321234107;Zeynep Öztürk;İzmir" in text and "905551112233;'=1+1" in text
    else:
        path = tmp_path / "x.xlsx"
        path.write_bytes(content)
        import openpyxl

        rows = list(openpyxl.load_workbook(path).active.values)
        assert rows[1:] == [(OTHER, "'=1+1", None, None), (NUMBER, "Zeynep Öztürk", "İzmir", None)]


def test_export_comes_back_through_the_import(cast, book):
    from django.core.files.base import ContentFile

    from contacts.services.imports import create_import

    client = cast.client(cast.ayse)
    content = b"".join(client.get(reverse("contacts:export", args=["csv"])).streaming_content)
    with tenant_scope(cast.butik.pk):
        created = create_import(tenant=cast.butik, file=ContentFile(content, "x.csv"), user=None)
    assert created.mapping == {"0": "msisdn", "1": "name", "2": "field:şehir", "3": "field:doğum"}


def test_export_follows_the_filter(cast, book):
    response = cast.client(cast.ayse).get(reverse("contacts:export", args=["csv"]), {"list": book[0].public_id})
    assert b"".join(response.streaming_content).decode().count("\n") == 2
    assert cast.client(cast.ayse).get(reverse("contacts:export", args=["pdf"])).status_code == 404


def test_what_is_exported_is_what_is_shown(cast, book):
    """Search and list swap the table only; the menu in the page's head goes with it."""
    client, url = cast.client(cast.ayse), reverse("contacts:list")
    found = client.get(url, {"list": book[0].public_id, "q": "zey"}, headers={"hx-request": "true"}).content.decode()
    menu = found[found.index('<div id="export-menu"') :]
    assert 'hx-swap-oob="true"' in menu.split(">")[0]
    link = re.search('href="([^"]+csv[^"]*)"', menu)[1].replace("&amp;", "&")
    lines = b"".join(client.get(link).streaming_content).decode("utf-8-sig").splitlines()
    assert [line.split(";")[1] for line in lines[1:]] == ["Zeynep Öztürk"]
    nobody = client.get(url, {"q": "yok"}, headers={"hx-request": "true"}).content.decode()
    assert 'id="export-menu" class="dropdown" hidden' in nobody
    assert "hx-swap-oob" not in client.get(url).content.decode()


def test_viewer_reads_but_cannot_change(cast, book):
    client = cast.client(cast.vildan)
    page = client.get(reverse("contacts:list")).content.decode()
    for name in ("contacts:new", "contacts:import_upload", "contacts:bulk"):
        assert reverse(name) not in page.replace(reverse("contacts:import_list"), "") or name == "contacts:bulk"
    assert client.get(reverse("contacts:export", args=["csv"])).status_code == 403
    assert (
        client.post(reverse("contacts:bulk"), {"action": "delete", "contact": [book[1].public_id]}).status_code == 403
    )
    assert len(people(cast)) == 2


def test_odd_input_is_no_server_error(cast, book):
    client = cast.client(cast.ayse)
    for query in ("\0", "a\0b", "[", "(?", "\\", "x" * 500, "😀", "%s"):
        for name in ("contacts:list", "contacts:group_list"):
            assert client.get(reverse(name), {"q": query}).status_code == 200
    answer = client.post(reverse("contacts:bulk"), {"action": "delete", "filter": "q=a\r\nX-Evil: 1"})
    assert answer.status_code == 302 and "X-Evil" not in answer.headers
    assert client.get(reverse("contacts:field_rename", args=[10**30])).status_code == 404


def test_wrong_methods(cast, book):
    client = cast.client(cast.ayse)
    assert client.post(reverse("contacts:list")).status_code == 405
    assert client.get(reverse("contacts:bulk")).status_code == 405
    assert client.get(reverse("contacts:delete", args=[book[1].public_id])).status_code == 405
    assert client.get(reverse("contacts:edit", args=[uuid4()])).status_code == 404
