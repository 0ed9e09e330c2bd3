"""The first day in production, as docs/operations.md tells it: the platform's first member of staff."""

import pytest
from django.core.management import call_command

from accounts.models import User


@pytest.mark.django_db
def test_the_first_member_of_staff_is_made_by_the_command(client, monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "cok-gizli-parola-1")
    call_command("createsuperuser", "--no-input", email="Ilk@Example.com")
    staff = User.objects.get()
    assert (staff.email, staff.is_staff, staff.is_superuser) == ("ilk@example.com", True, True)
    assert client.login(email="ilk@example.com", password="cok-gizli-parola-1")
    assert client.get("/admin/").status_code == 200
