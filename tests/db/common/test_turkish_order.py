"""Lists by name: the order of the Turkish alphabet, on every page of every list."""

import random

import pytest
from django.urls import reverse

from accounts.scope import tenant_scope
from accounts.selectors import list_sub_accounts
from accounts.services import create_tenant
from campaigns.models import Campaign, MessageTemplate
from common.keyset import paginate
from contacts.models import Contact, ContactGroup
from contacts.selectors.contacts import list_contacts
from contacts.selectors.groups import list_groups

IN_ORDER = [
    *("2026 baharı", "Ak", "akça", "Âlem", "Canan", "Cuma", "Çam", "çiçek", "Çuha", "Deniz", "Gül", "Gümüş", "Ğ"),
    *("Hülya", "Işık", "ışın", "İnan", "ipek", "Jale", "Kâmil", "Kan", "Oya", "Ömer", "Örs", "Pınar", "Sun", "Şahin"),
    *("şule", "Tuğba", "Uğur", "Ünal", "Vural", "Zeynep"),
]


@pytest.fixture
def shuffled():
    names = list(IN_ORDER)
    random.Random(7).shuffle(names)
    return names


def read_all(queryset, size=5):
    """Names of all pages forwards; each page is checked against the way back."""
    names, page, pages = [], None, []
    while page is None or page.next_cursor:
        page = paginate(queryset, {"after": page.next_cursor} if page else {}, order="name_key", size=size)
        pages.append([row.name for row in page])
        names += pages[-1]
    while page.previous_cursor:
        page = paginate(queryset, {"before": page.previous_cursor}, order="name_key", size=size)
        pages.pop()
        assert [row.name for row in page] == pages[-1]
    return names


def test_contacts(in_butik, shuffled):
    tenant = in_butik.butik
    Contact.objects.bulk_create(
        Contact(tenant=tenant, msisdn=f"+9053200000{n:02d}", name=name) for n, name in enumerate(shuffled)
    )
    assert read_all(list_contacts(tenant.pk)) == IN_ORDER


def test_a_renamed_contact_moves(in_butik):
    contact = Contact(tenant=in_butik.butik, msisdn="+905320000001", name="Zeynep")
    contact.save()
    contact.name = "Çiğdem"
    contact.save()
    contact.refresh_from_db()
    assert contact.name_key == "c~ig~dem"


def test_lists(in_butik, shuffled):
    ContactGroup.objects.bulk_create(ContactGroup(tenant=in_butik.butik, name=name) for name in shuffled)
    assert read_all(list_groups(in_butik.butik.pk)) == IN_ORDER
    assert [group.name for group in list_groups(in_butik.butik.pk)] == IN_ORDER


@pytest.mark.parametrize(
    ("model", "url"),
    [
        (ContactGroup, "contacts:group_list"),
        (Campaign, "campaigns:list"),
        (MessageTemplate, "campaigns:template_list"),
    ],
)
def test_pages(cast, model, url):
    with tenant_scope(cast.butik.pk):
        model.objects.bulk_create(model(tenant=cast.butik, name=name) for name in ("Şal", "Zarf", "Çanta", "Sandalet"))
    page = cast.client(cast.ayse).get(reverse(url), {"order": "name"}).context["page"]
    assert [row.name for row in page] == ["Çanta", "Sandalet", "Şal", "Zarf"]


def test_sub_accounts(cast):
    for slug, name in (("z", "Zarif"), ("c", "Çarşı"), ("d", "Dost")):
        create_tenant(name=name, slug=slug, owner=cast.can, parent=cast.ajans)
    assert [tenant.name for tenant in list_sub_accounts(cast.ajans)] == ["Ayşe Butik", "Çarşı", "Dost", "Zarif"]
