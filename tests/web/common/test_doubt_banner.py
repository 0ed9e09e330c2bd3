"""W4: while the database is in doubt every page of the platform's staff says so, and nobody else's."""

import pytest
from django.urls import reverse

from accounts.scope import platform_scope
from messaging.models import DatabaseIdentity
from messaging.services.restore import recognise_database

pytestmark = pytest.mark.django_db


@pytest.fixture
def pages(cast):
    cast.ayse.is_staff = cast.ayse.is_superuser = True
    cast.ayse.save()
    with platform_scope(reason="test"):
        recognise_database()

    def read(user):
        names = ["reporting:dashboard"] + ["admin:index", "admin:messaging_databaseidentity_changelist"] * user.is_staff
        return [cast.client(user).get(reverse(name)).content.decode() for name in names]

    return read


def test_nobody_is_told_of_a_database_that_is_confirmed(pages, cast):
    assert not any("confirm_database" in page for page in pages(cast.ayse))
    assert "Onaylı" in pages(cast.ayse)[-1]


def test_staff_are_told_on_every_page(pages, cast):
    with platform_scope(reason="test"):
        DatabaseIdentity.objects.update(timeline=7)
    assert all("confirm_database" in page for page in pages(cast.ayse))
    assert "yedekten geri yüklendi" in pages(cast.ayse)[-1]
    assert not any("confirm_database" in page for page in pages(cast.burak))
