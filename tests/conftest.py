"""The cast: Ayşe owns, Burak is her editor, Can is a stranger, Deniz is the agency above."""

from dataclasses import dataclass

import pytest
from django.test import Client

from accounts.models import Membership, Role, Tenant, User
from accounts.scope import tenant_scope
from accounts.services import create_membership, create_tenant

PASSWORD = "cok-gizli-parola-1"


@dataclass
class Cast:
    """Users, tenants and signed-in clients of the people in the tests."""

    ayse: User
    burak: User
    vildan: User  # viewer in Ayşe's account
    can: User
    deniz: User
    butik: Tenant  # Ayşe's
    rakip: Tenant  # Can's
    ajans: Tenant  # Deniz's, above Butik

    def client(self, user: User) -> Client:
        client = Client(headers={"accept-language": "tr"})
        client.force_login(user)
        return client


@pytest.fixture
def cast(db: None) -> Cast:
    def person(name: str) -> User:
        return User.objects.create_user(f"{name.lower()}@example.com", None, full_name=name)

    ayse, burak, vildan, can, deniz = (person(name) for name in ("Ayse", "Burak", "Vildan", "Can", "Deniz"))
    ajans = create_tenant(name="Dijital Ajans", slug="ajans", owner=deniz)
    butik = create_tenant(
        name="Ayşe Butik", slug="butik", owner=ayse, parent=ajans, opt_out_code="AYSEBUTIK", opt_out_number="4609"
    )
    rakip = create_tenant(name="Can Market", slug="rakip", owner=can)
    create_membership(tenant=butik, user=burak, role=Role.EDITOR)
    create_membership(tenant=butik, user=vildan, role=Role.VIEWER)
    return Cast(ayse, burak, vildan, can, deniz, butik, rakip, ajans)


@pytest.fixture
def in_butik(cast: Cast):  # type: ignore[no-untyped-def]
    """Run the test inside Ayşe's tenant scope."""
    with tenant_scope(cast.butik.pk):
        yield cast


__all__ = ["PASSWORD", "Cast", "Membership"]
