"""Contacts, lists and fields changed by hand; the audience that campaigns walk."""

import pytest

from accounts.models import AuditEntry
from accounts.scope import NoTenantScope, tenant_scope
from contacts.models import Contact, ContactField, ContactGroup, ContactGroupMember
from contacts.selectors.audience import iter_audience
from contacts.selectors.contacts import list_contacts
from contacts.selectors.fields import list_fields
from contacts.services import contacts as contacts_service
from contacts.services import fields as fields_service
from contacts.services import groups as groups_service
from contacts.services.contacts import NumberTaken, create_contact, delete_contacts, update_contact
from contacts.services.fields import FieldRefused, create_field, delete_field, rename_field
from contacts.services.groups import (
    GroupRefused,
    add_to_group,
    create_group,
    delete_group,
    find_or_create_group,
    remove_from_group,
    rename_group,
)

NUMBERS = [f"+9053212341{n:02}" for n in range(6)]


@pytest.fixture
def book(in_butik):
    """Six contacts; the first four in "Bir", the third to sixth in "İki"."""
    tenant = in_butik.butik
    first, second = create_group(tenant=tenant, name="Bir"), create_group(tenant=tenant, name="İki")
    people = [create_contact(tenant=tenant, msisdn=msisdn, name=f"Kişi {n}") for n, msisdn in enumerate(NUMBERS)]
    add_to_group(group=first, contact_ids=[person.pk for person in people[:4]])
    add_to_group(group=second, contact_ids=[person.pk for person in people[2:]])
    return tenant, first, second, people


def test_a_name_that_somebody_took_a_moment_ago_is_taken(book, monkeypatch):
    """Two at once: neither sees the other's row before it writes its own."""
    tenant, first, _second, _people = book
    create_field(tenant=tenant, label="Şehir")
    other = create_field(tenant=tenant, label="Yaş")
    monkeypatch.setattr(fields_service, "_check_label", lambda tenant, label, own=None: label)
    for act in (lambda: create_field(tenant=tenant, label="Şehir"), lambda: rename_field(field=other, label="Şehir")):
        with pytest.raises(FieldRefused, match="taken"):
            act()
    answers = iter([None, None, None, first])
    monkeypatch.setattr(groups_service, "_find_by_name", lambda tenant, name, lock=False: next(answers))
    with pytest.raises(GroupRefused, match="taken"):
        create_group(tenant=tenant, name="Bir")
    assert find_or_create_group(tenant=tenant, name="Bir") == first
    assert ContactGroup.objects.filter(tenant=tenant).count() == 2


def walk(tenant, include, exclude=(), limit=2, upper=None):
    """The whole audience, in stretches, as the snapshot takes it."""
    found, after = [], 0
    while stretch := list(
        iter_audience(tenant.pk, [g.pk for g in include], [g.pk for g in exclude], after, upper, limit)
    ):
        assert len(stretch) <= limit
        found += [row.msisdn for row in stretch]
        after = stretch[-1].contact_id
    return found


def test_audience_takes_each_contact_once_and_leaves_excluded_lists_out(book):
    tenant, first, second, people = book
    assert walk(tenant, [first]) == NUMBERS[:4]
    assert walk(tenant, [first, second]) == NUMBERS
    assert walk(tenant, [first, second], limit=100) == NUMBERS
    assert walk(tenant, [first], [second]) == NUMBERS[:2]
    assert walk(tenant, [first], [first]) == []
    assert walk(tenant, []) == []
    assert walk(tenant, [first, second], upper=people[2].pk) == NUMBERS[:3]


def test_audience_rows_carry_what_messages_need(in_butik):
    tenant = in_butik.butik
    group = create_group(tenant=tenant, name="Bir")
    contact = create_contact(
        tenant=tenant, msisdn=NUMBERS[0], name="Zeynep", attributes={"şehir": "İzmir", "boş": ""}, groups=[group]
    )
    (row,) = iter_audience(tenant.pk, [group.pk])
    assert tuple(row) == (contact.pk, NUMBERS[0], "Zeynep", {"şehir": "İzmir"})


def test_another_tenants_lists_reach_nobody(cast, book):
    _tenant, first, _second, _people = book
    with tenant_scope(cast.rakip.pk):
        assert list(iter_audience(cast.rakip.pk, [first.pk])) == []
        assert add_to_group(group=create_group(tenant=cast.rakip, name="x"), contact_ids=[1, 2, 3]) == 0


def test_counts_follow_every_change_of_members(book):
    tenant, first, second, people = book
    assert add_to_group(group=first, contact_ids=[people[0].pk, people[5].pk]) == 1
    assert remove_from_group(group=first, contact_ids=[people[1].pk, people[4].pk]) == 1
    assert delete_contacts(tenant=tenant, contact_ids=[people[2].pk, people[3].pk, 10**9]) == 2
    for group in (first, second):
        group.refresh_from_db()
        assert group.contact_count == ContactGroupMember.objects.filter(group=group).count()
    assert (first.contact_count, second.contact_count) == (2, 2)
    assert not ContactGroupMember.objects.filter(contact_id=people[2].pk).exists()
    assert AuditEntry.objects.filter(action="contacts.deleted").get().data == {"contacts": 2}


def test_a_deleted_list_leaves_its_contacts(book):
    _tenant, first, _second, _people = book
    delete_group(group=first)
    assert Contact.objects.count() == len(NUMBERS)
    assert not ContactGroup.objects.filter(pk=first.pk).exists()
    assert not ContactGroupMember.objects.filter(group_id=first.pk).exists()
    assert AuditEntry.objects.get(action="contact_group.deleted").data == {"contacts": 4}


@pytest.mark.parametrize(
    ("name", "code"), [("", "empty"), (" \t", "empty"), ("x" * 121, "too_long"), ("bir ", "taken")]
)
def test_names_of_lists(in_butik, name, code):
    create_group(tenant=in_butik.butik, name="Bir")
    with pytest.raises(GroupRefused) as refused:
        create_group(tenant=in_butik.butik, name=name)
    assert refused.value.code == code


def test_lists_are_found_by_name_whatever_the_case(in_butik):
    group = create_group(tenant=in_butik.butik, name="Kasım müşterileri")
    assert find_or_create_group(tenant=in_butik.butik, name=" kasım  MÜŞTERILERI ".replace("I", "i")).pk == group.pk
    assert rename_group(group=group, name="KASIM müşterileri").name == "KASIM müşterileri"


def test_one_contact_per_number(book):
    tenant, first, second, people = book
    with pytest.raises(NumberTaken) as taken:
        create_contact(tenant=tenant, msisdn=NUMBERS[0])
    assert taken.value.contact == people[0]
    with pytest.raises(NumberTaken):
        update_contact(contact=people[1], msisdn=NUMBERS[0], name="", attributes={}, groups={})
    changed = update_contact(
        contact=people[0],
        msisdn="+905551112233",
        name="Yeni",
        attributes={"a": "1"},
        groups={second: True, first: False},
    )
    assert [group.name for group in ContactGroup.objects.filter(members__contact=changed)] == ["İki"]
    assert changed.attributes == {"a": "1"}


@pytest.mark.parametrize(
    ("label", "code"),
    [
        ("", "bad_label"),
        ("1x", "bad_label"),
        ("a]b", "bad_label"),
        ("ß" * 31, "too_long"),
        ("İSİM", "reserved"),
        ("telefon", "reserved"),
        ("ŞEHİR", "taken"),
    ],
)
def test_names_of_fields(in_butik, label, code):
    create_field(tenant=in_butik.butik, label="Şehir")
    with pytest.raises(FieldRefused) as refused:
        create_field(tenant=in_butik.butik, label=label)
    assert refused.value.code == code


def test_values_move_with_a_renamed_field_and_go_with_a_deleted_one(in_butik):
    tenant = in_butik.butik
    city, code = create_field(tenant=tenant, label="Şehir"), create_field(tenant=tenant, label="Kod")
    contact = create_contact(tenant=tenant, msisdn=NUMBERS[0], attributes={"şehir": "İzmir", "kod": "A1"})
    rename_field(field=city, label="İl")
    contact.refresh_from_db()
    assert contact.attributes == {"il": "İzmir", "kod": "A1"}
    delete_field(field=code)
    contact.refresh_from_db()
    assert contact.attributes == {"il": "İzmir"}
    assert [field.label for field in list_fields(tenant)] == ["İl"]


def test_field_values_of_other_tenants_stay(cast):
    for tenant in (cast.butik, cast.rakip):
        with tenant_scope(tenant.pk):
            create_field(tenant=tenant, label="Kod")
            create_contact(tenant=tenant, msisdn=NUMBERS[0], attributes={"kod": "A1"})
    with tenant_scope(cast.butik.pk):
        delete_field(field=ContactField.objects.get())
    with tenant_scope(cast.rakip.pk):
        assert Contact.objects.get().attributes == {"kod": "A1"}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("şahin", {"Ayşe ŞAHİN", "Mehmet Şahin"}),
        ("SAHIN", {"Ayşe ŞAHİN", "Mehmet Şahin"}),
        ("ilgin", {"Işık Ilgın"}),
        ("ışık", {"Işık Ilgın"}),
        ("mehmet s", {"Mehmet Şahin"}),
        ("0532 123 41 07", {"Ayşe ŞAHİN"}),
        ("+90532", {"Ayşe ŞAHİN", "Mehmet Şahin"}),
        ("0532 123", {"Ayşe ŞAHİN", "Mehmet Şahin"}),
        ("41 08", {"Mehmet Şahin"}),
        ("2233", {"Işık Ilgın"}),
        ("a.*", set()),
        ("%", set()),
        ("\\", set()),
        ("x[", set()),
    ],
)
def test_search(in_butik, query, found):
    people = {"+905321234107": "Ayşe ŞAHİN", "+905321234108": "Mehmet Şahin", "+905551112233": "Işık Ilgın"}
    for msisdn, name in people.items():
        create_contact(tenant=in_butik.butik, msisdn=msisdn, name=name)
    assert {contact.name for contact in list_contacts(in_butik.butik.pk, query=query)} == found


def test_nothing_without_a_scope(cast):
    with pytest.raises(NoTenantScope):
        list(list_contacts(cast.butik.pk))
    assert list(iter_audience(cast.butik.pk, [1])) == []  # raw SQL: row-level security answers


def test_a_number_taken_at_the_same_moment_is_told(cast, monkeypatch):
    """The look and the write are two steps; somebody came between."""
    with tenant_scope(cast.butik.pk):
        create_contact(tenant=cast.butik, msisdn="+905321234107")
        real, looks = contacts_service._check_number, []

        def look(tenant, msisdn):
            looks.append(msisdn)
            if len(looks) > 1:
                real(tenant, msisdn)

        monkeypatch.setattr(contacts_service, "_check_number", look)
        with pytest.raises(NumberTaken):
            create_contact(tenant=cast.butik, msisdn="+905321234107")
