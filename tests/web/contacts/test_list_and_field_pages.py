from uuid import uuid4

import pytest
from django.urls import reverse

from accounts.scope import tenant_scope
from contacts.models import ContactField, ContactGroup, ContactImport
from contacts.services.fields import create_field
from contacts.services.groups import create_group


@pytest.fixture
def group(cast):
    with tenant_scope(cast.butik.pk):
        return create_group(tenant=cast.butik, name="Kasım")


@pytest.fixture
def field(cast):
    with tenant_scope(cast.butik.pk):
        return create_field(tenant=cast.butik, label="Şehir")


def names(cast, model, attribute) -> list[str]:
    with tenant_scope(cast.butik.pk):
        return sorted(model.objects.values_list(attribute, flat=True))


def test_editor_makes_renames_and_deletes_a_list(cast, group):
    client = cast.client(cast.burak)
    assert "Kasım" in client.get(reverse("contacts:group_list")).content.decode()
    assert "Kasım" not in client.get(reverse("contacts:group_list"), {"q": "ocak"}).content.decode()
    assert client.post(reverse("contacts:group_add"), {"name": "Ocak"}).status_code == 302
    assert client.get(reverse("contacts:group_rename", args=[group.public_id])).status_code == 200
    client.post(reverse("contacts:group_rename", args=[group.public_id]), {"name": "Aralık"})
    assert names(cast, ContactGroup, "name") == ["Aralık", "Ocak"]
    client.post(reverse("contacts:group_delete", args=[group.public_id]))
    assert names(cast, ContactGroup, "name") == ["Ocak"]


@pytest.mark.parametrize("name", ["", "  ", "KASIM".replace("I", "ı").lower(), "x" * 121])
def test_bad_names_of_lists_are_told(cast, group, name):
    response = cast.client(cast.ayse).post(reverse("contacts:group_add"), {"name": name})
    assert response.status_code == 200 and response.context["form"].errors
    assert names(cast, ContactGroup, "name") == ["Kasım"]


def test_a_list_cannot_take_anothers_name(cast, group):
    with tenant_scope(cast.butik.pk):
        other = create_group(tenant=cast.butik, name="Ocak")
    response = cast.client(cast.ayse).post(reverse("contacts:group_rename", args=[other.public_id]), {"name": "Kasım"})
    assert response.context["form"].errors["name"]


def test_editor_makes_renames_and_deletes_a_field(cast, field):
    client = cast.client(cast.burak)
    assert "[Şehir]" in client.get(reverse("contacts:field_list")).content.decode()
    client.post(reverse("contacts:field_add"), {"label": "Tutar", "kind": "number"})
    client.post(reverse("contacts:field_rename", args=[field.pk]), {"label": "İl"})
    assert names(cast, ContactField, "label") == ["Tutar", "İl"]
    client.post(reverse("contacts:field_delete", args=[field.pk]))
    assert names(cast, ContactField, "label") == ["Tutar"]


@pytest.mark.parametrize("label", ["", "1x", "İsim", "şehir", "a[b"])
def test_bad_names_of_fields_are_told(cast, field, label):
    response = cast.client(cast.ayse).post(reverse("contacts:field_add"), {"label": label, "kind": "text"})
    assert response.status_code == 200 and response.context["form"].errors["label"]
    assert names(cast, ContactField, "label") == ["Şehir"]


def test_viewer_and_stranger(cast, group, field):
    viewer, stranger = cast.client(cast.vildan), cast.client(cast.can)
    pages = {
        reverse("contacts:group_rename", args=[group.public_id]): {"name": "x"},
        reverse("contacts:group_delete", args=[group.public_id]): {},
        reverse("contacts:field_rename", args=[field.pk]): {"label": "x"},
        reverse("contacts:field_delete", args=[field.pk]): {},
    }
    for url, data in pages.items():
        assert url not in viewer.get(reverse("contacts:group_list")).content.decode()
        assert viewer.post(url, data).status_code == 403
        assert stranger.post(url, data).status_code == 404
    assert "Kasım" not in stranger.get(reverse("contacts:group_list")).content.decode()
    assert "Şehir" not in stranger.get(reverse("contacts:field_list")).content.decode()
    assert names(cast, ContactGroup, "name") == ["Kasım"]
    assert names(cast, ContactField, "label") == ["Şehir"]


def test_bad_ids_and_wrong_methods(cast, group):
    client = cast.client(cast.ayse)
    assert client.get(reverse("contacts:group_rename", args=[uuid4()])).status_code == 404
    assert client.get(reverse("contacts:field_rename", args=[10**9])).status_code == 404
    assert client.get(reverse("contacts:group_delete", args=[group.public_id])).status_code == 405
    assert client.get(reverse("contacts:field_add")).status_code == 405


@pytest.mark.parametrize(("state", "is_refused"), [("queued", True), ("running", True), ("completed", False)])
def test_fields_stay_as_they_are_while_an_import_fills_them(cast, field, state, is_refused):
    with tenant_scope(cast.butik.pk):
        ContactImport(tenant=cast.butik, file_name="liste.csv", state=state).save()
    client = cast.client(cast.ayse)
    renamed = client.post(reverse("contacts:field_rename", args=[field.pk]), {"label": "İl"}, follow=True)
    assert ("içe aktarma sürüyor" in renamed.content.decode()) is is_refused
    deleted = client.post(reverse("contacts:field_delete", args=[field.pk]), follow=True)
    assert ("içe aktarma sürüyor" in deleted.content.decode()) is is_refused
    assert names(cast, ContactField, "label") == (["Şehir"] if is_refused else [])


def test_a_field_may_change_its_capitals_while_an_import_fills_it(cast, field):
    with tenant_scope(cast.butik.pk):
        ContactImport(tenant=cast.butik, file_name="liste.csv", state="running").save()
    cast.client(cast.ayse).post(reverse("contacts:field_rename", args=[field.pk]), {"label": "ŞEHİR"})
    assert names(cast, ContactField, "label") == ["ŞEHİR"]
