"""How the lists of an audience are cut into stretches."""

import pytest

from accounts.scope import tenant_scope
from campaigns.selectors.stretch import plan_stretches

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("contacts", "size", "ends"),
    [(0, 10, []), (9, 10, []), (10, 10, []), (11, 10, [10]), (30, 10, [10, 20]), (35, 10, [10, 20, 30])],
)
def test_every_entry_is_in_a_stretch_of_the_size_asked_for(shop, contacts, size, ends):
    ids = [contact.pk for contact in shop.add_contacts(contacts)]
    upper = (ids[-1] if ids else 0) + 5
    with tenant_scope(shop.pk):
        entries, bounds = plan_stretches([shop.group.pk], upper, size)
    assert entries == contacts
    assert bounds == [*(ids[end - 1] for end in ends), upper]


def test_contacts_of_other_lists_and_later_ones_do_not_count(shop):
    first = shop.add_contacts(4)
    shop.add_contacts(4, shop.make_group("Başkaları"), start=100)
    last = shop.add_contacts(4, start=200)
    with tenant_scope(shop.pk):
        entries, bounds = plan_stretches([shop.group.pk], last[1].pk, 4)
    assert (entries, bounds) == (6, [first[3].pk, last[1].pk])


def test_who_is_on_two_lists_is_two_entries_of_one_stretch(shop):
    contacts = shop.add_contacts(6)
    both = shop.make_group("Sadık")
    shop.add_members(contacts[2:4], both)
    with tenant_scope(shop.pk):
        entries, bounds = plan_stretches([shop.group.pk, both.pk], contacts[-1].pk, 4)
    assert entries == 8
    assert bounds == [contacts[2].pk, contacts[-1].pk]  # 1, 2, 3, 3 | 4, 4, 5, 6
