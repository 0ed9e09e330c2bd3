"""A list is deleted while others use it: an import, somebody who ticks contacts. Nobody waits for ever."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from accounts.scope import tenant_scope
from contacts.models import Contact, ContactGroup, ContactGroupMember, ContactImport
from contacts.services.contacts import delete_contacts
from contacts.services.group_removal import begin_removal, remove_group
from contacts.services.groups import (
    GroupRefused,
    add_to_group,
    create_group,
    delete_group,
    lock_unused_group,
    remove_from_group,
)
from contacts.services.merge import create_staging, merge_contacts

PATIENCE_SECONDS = 20


def wait_for_a_waiter() -> None:
    """Until another connection waits for a lock that this one's transaction holds."""
    for _ in range(PATIENCE_SECONDS * 50):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT EXISTS (SELECT 1 FROM pg_locks"
                " WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))"
            )
            if cursor.fetchone() == (True,):
                return
        time.sleep(0.02)
    raise AssertionError("nobody waited")


@pytest.mark.django_db(transaction=True)
def test_who_comes_onto_another_list_while_the_locks_are_waited_for_stays(cast):
    numbers = [f"+90532000000{n}" for n in range(6)]
    with tenant_scope(cast.butik.pk):
        wrong, right = (create_group(tenant=cast.butik, name=name) for name in ("Yanlış", "Müşteriler"))
        people = Contact.objects.bulk_create(Contact(tenant=cast.butik, msisdn=number) for number in numbers)
        add_to_group(group=wrong, contact_ids=[contact.pk for contact in people])
        begin_removal(group=wrong, actor=cast.burak)

    def remove() -> None:
        try:
            remove_group(group_id=wrong.pk, tenant_id=cast.butik.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with tenant_scope(cast.butik.pk):
            create_staging()
            rows = [(number, "", "{}") for number in numbers[:2]]
            merge_contacts(tenant_id=cast.butik.pk, group_id=right.pk, contacts=rows, is_updating=False)
            removal = pool.submit(remove)
            wait_for_a_waiter()
        removal.result(timeout=PATIENCE_SECONDS)
    with tenant_scope(cast.butik.pk):
        assert sorted(Contact.objects.values_list("msisdn", flat=True)) == numbers[:2]
        assert list(ContactGroup.objects.values_list("name", "contact_count")) == [("Müşteriler", 2)]
        assert ContactGroupMember.objects.count() == 2


def in_another_connection(cast, act):
    def run():
        try:
            with tenant_scope(cast.butik.pk):
                return act()
        finally:
            connection.close()

    return run


@pytest.fixture
def filled(cast, transactional_db):
    with tenant_scope(cast.butik.pk):
        group = create_group(tenant=cast.butik, name="Kasım")
        people = Contact.objects.bulk_create(Contact(tenant=cast.butik, msisdn=f"+90532000000{n}") for n in range(4))
        ids = [contact.pk for contact in people]
        add_to_group(group=group, contact_ids=ids)
    return group, ids


@pytest.mark.parametrize("state", ["queued", "running"])
def test_a_list_that_an_import_fills_is_not_deleted(cast, filled, state):
    """Deleted, it waited for the import's row while the import waited for the list, or the rest went to no list."""
    group, _ids = filled
    with tenant_scope(cast.butik.pk):
        ContactImport.objects.create(tenant=cast.butik, file_name="x.csv", state=state, group=group)
        with pytest.raises(GroupRefused, match="importing"):
            delete_group(group=group)
        ContactImport.objects.update(state="completed")
        delete_group(group=group)
        assert ContactImport.objects.get().group_id is None
        with pytest.raises(GroupRefused, match="gone"):
            delete_group(group=group)


@pytest.mark.parametrize("is_begun", [True, False], ids=["with its contacts", "its contacts stay"])
def test_who_adds_to_a_list_while_it_goes_is_told(cast, filled, is_begun):
    group, _ids = filled
    with tenant_scope(cast.butik.pk):
        newcomer = Contact.objects.create(tenant=cast.butik, msisdn="+905320000009").pk
    with ThreadPoolExecutor(1) as pool:
        with tenant_scope(cast.butik.pk):
            begin_removal(group=group, actor=None) if is_begun else delete_group(group=group)
            adding = pool.submit(in_another_connection(cast, lambda: add_to_group(group=group, contact_ids=[newcomer])))
            wait_for_a_waiter()
        with pytest.raises(GroupRefused, match="gone"):
            adding.result(timeout=PATIENCE_SECONDS)
    with tenant_scope(cast.butik.pk):
        assert not ContactGroupMember.objects.filter(contact_id=newcomer).exists()
        assert remove_from_group(group=group, contact_ids=[newcomer]) == 0


@pytest.mark.parametrize("act", [delete_contacts, remove_from_group])
def test_contacts_and_their_list_deleted_at_once(cast, filled, act):
    """Both have taken a lock when they meet; before, each had what the other wanted."""
    group, ids = filled
    names = {"tenant": cast.butik} if act is delete_contacts else {"group": group}
    with ThreadPoolExecutor(1) as pool:
        with tenant_scope(cast.butik.pk):
            lock_unused_group(group)
            other = pool.submit(in_another_connection(cast, lambda: act(contact_ids=ids, **names)))
            wait_for_a_waiter()
            delete_group(group=group)
        assert other.result(timeout=PATIENCE_SECONDS) == (4 if act is delete_contacts else 0)
    with tenant_scope(cast.butik.pk):
        assert not ContactGroup.objects.exists()
        assert not ContactGroupMember.objects.exists()
