"""A list deleted with its contacts: only those on no other list, in chunks, whatever dies in between."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry
from accounts.scope import tenant_scope
from contacts import tasks
from contacts.models import Contact, ContactGroup, ContactImport
from contacts.services import group_removal
from contacts.services.groups import GroupRefused, add_to_group, create_group, find_or_create_group


@pytest.fixture
def wrong(cast) -> ContactGroup:
    """Seven contacts, two of them on another list as well."""
    with tenant_scope(cast.butik.pk):
        group, other = (create_group(tenant=cast.butik, name=name) for name in ("Yanlış", "Müşteriler"))
        contacts = [Contact(tenant=cast.butik, msisdn=f"+90532000000{n}") for n in range(9)]
        ids = [contact.pk for contact in Contact.objects.bulk_create(contacts)]
        add_to_group(group=group, contact_ids=ids[:7])
        add_to_group(group=other, contact_ids=ids[5:])
    return group


def ask(cast, group, **options):
    return cast.client(cast.burak).post(reverse("contacts:group_remove", args=[group.public_id]), **options)


def left(cast) -> tuple[int, dict[str, int]]:
    with tenant_scope(cast.butik.pk):
        return Contact.objects.count(), dict(ContactGroup.objects.values_list("name", "contact_count"))


def test_the_page_says_how_many_go(cast, wrong):
    page = cast.client(cast.burak).get(reverse("contacts:group_remove", args=[wrong.public_id])).content.decode()
    assert "7 kişi var. 5 kişi başka hiçbir listede değil" in page
    assert left(cast)[0] == 9


def test_contacts_on_no_other_list_go_with_it(cast, wrong, monkeypatch, django_capture_on_commit_callbacks):
    monkeypatch.setattr(group_removal, "CHUNK", 2)
    monkeypatch.setattr(tasks.remove_group, "delay", tasks.remove_group)
    with django_capture_on_commit_callbacks(execute=True):
        assert "siliniyor" in ask(cast, wrong, follow=True).content.decode()
    assert left(cast) == (4, {"Müşteriler": 4})
    with tenant_scope(cast.butik.pk):
        entry = AuditEntry.objects.get(action="contact_group.removed")
    assert (entry.actor, entry.data) == (cast.burak, {"contacts": 5})


def test_until_it_is_gone_nobody_reaches_it(cast, wrong):
    ask(cast, wrong)
    client = cast.client(cast.ayse)
    assert client.get(reverse("contacts:group_rename", args=[wrong.public_id])).status_code == 404
    assert client.get(reverse("contacts:list"), {"list": wrong.public_id}).status_code == 404
    with tenant_scope(cast.butik.pk), pytest.raises(GroupRefused, match="removing"):
        find_or_create_group(tenant=cast.butik, name="Yanlış")


def test_a_removal_that_died_goes_on(cast, wrong, monkeypatch):
    nudged = []
    monkeypatch.setattr(tasks.remove_group, "delay", lambda **names: nudged.append(names))
    ask(cast, wrong)
    tasks.sweep_imports()
    assert nudged == []
    with tenant_scope(cast.butik.pk):
        ContactGroup.objects.filter(pk=wrong.pk).update(updated_at=timezone.now() - timedelta(minutes=2))
    tasks.sweep_imports()
    for _ in range(2):
        tasks.remove_group(**nudged[0])
    assert left(cast) == (4, {"Müşteriler": 4})


def test_not_while_an_import_fills_it(cast, wrong):
    with tenant_scope(cast.butik.pk):
        ContactImport(tenant=cast.butik, file_name="liste.csv", state="running", group=wrong).save()
    assert "içe aktarma sürüyor" in ask(cast, wrong, follow=True).content.decode()
    alone = reverse("contacts:group_delete", args=[wrong.public_id])
    assert "içe aktarma sürüyor" in cast.client(cast.burak).post(alone, follow=True).content.decode()
    assert left(cast)[0] == 9


def test_not_by_who_only_reads_nor_by_a_stranger(cast, wrong):
    url = reverse("contacts:group_remove", args=[wrong.public_id])
    assert cast.client(cast.can).post(url).status_code == 404
    assert cast.client(cast.vildan).post(url).status_code == 403
    assert left(cast)[0] == 9
