"""A list is deleted with its contacts while an import puts some of them on another list."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from accounts.scope import tenant_scope
from contacts.models import Contact, ContactGroup, ContactGroupMember
from contacts.services.group_removal import begin_removal, remove_group
from contacts.services.groups import add_to_group, create_group
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
