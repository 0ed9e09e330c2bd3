import base64
from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Tenant
from common.keyset import paginate


@pytest.fixture
def tenants(db):
    made = [Tenant.objects.create(name=f"Hesap {n % 4}", slug=f"t{n}") for n in range(23)]
    for number, tenant in enumerate(made):  # pairs share a moment: the primary key must break the tie
        Tenant.objects.filter(pk=tenant.pk).update(created_at=timezone.now() - timedelta(minutes=number // 2))
    return Tenant.objects.all()


@pytest.mark.parametrize("order", ["-pk", "pk", "name", "-name", "-created_at", "created_at"])
def test_forward_and_back_meets_every_row_once_in_order(tenants, order):
    expected = list(tenants.order_by(order, "-pk" if order.startswith("-") else "pk").values_list("pk", flat=True))
    pages, params = [], {}
    while True:
        page = paginate(tenants, params, order=order, size=5)
        pages.append([row.pk for row in page])
        if not page.next_cursor:
            break
        params = {"after": page.next_cursor}
    assert [pk for rows in pages for pk in rows] == expected
    assert [len(rows) for rows in pages] == [5, 5, 5, 5, 3]
    backwards = [pages[-1]]
    while page.previous_cursor:
        page = paginate(tenants, {"before": page.previous_cursor}, order=order, size=5)
        backwards.append([row.pk for row in page])
    assert backwards == pages[::-1]


def test_rows_that_come_in_do_not_shift_the_page(tenants):
    first = paginate(tenants, {}, order="-pk", size=5)
    Tenant.objects.create(name="Yeni", slug="yeni")
    second = paginate(tenants, {"after": first.next_cursor}, order="-pk", size=5)
    assert not Counter(row.pk for row in first) & Counter(row.pk for row in second)


DEEP = base64.urlsafe_b64encode(b"[" * 2000).decode()


@pytest.mark.parametrize(
    "cursor", ["", "x", "%%%", "bnVsbA", "WzEsMl0", "WyJhIiwgIm4iXQ", "W251bGwsIDFd", "eyJhIjoxfQ", DEEP]
)
def test_a_broken_cursor_means_the_first_page(tenants, cursor):
    for order in ("-pk", "-created_at"):
        for name in ("after", "before"):
            page = paginate(tenants, {name: cursor}, order=order, size=5)
            assert len(page) == 5
            assert page.previous_cursor == ""


def test_nothing(db):
    page = paginate(Tenant.objects.none(), {})
    assert (page.items, page.next_cursor, page.previous_cursor) == ([], "", "")
