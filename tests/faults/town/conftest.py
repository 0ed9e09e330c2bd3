from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.core.management import call_command

from accounts.models import Tenant, User
from accounts.services import create_tenant
from billing.services import top_up_credits

from ..house import House
from .town import Town


@pytest.fixture(scope="package")
def transactional_db(django_db_setup, django_db_blocker) -> Iterator[None]:
    """Instead of pytest-django's: the rows stay from test to test, as the processes that know them do."""
    with django_db_blocker.unblock():
        yield
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture(scope="package")
def open_town(transactional_db, tmp_path_factory) -> Iterator[Town]:
    """One house for all tests here: starting its processes takes longer than most of the tests."""
    house = House(tmp_path_factory.mktemp("town"), ENGINE_UNKNOWN_SECONDS="8", TICK_SECONDS="1")
    try:
        owner = User.objects.create_user("ayse@example.com", None, full_name="Ayse")
        tenant: Tenant = create_tenant(name="Ayşe Butik", slug="butik", owner=owner)
        top_up_credits(tenant=tenant, amount=Decimal(1_000_000), reference="start", actor=None)
        house.start_simulator()
        house.start_senders()
        house.start_ticks()
        house.wait_until_ready("senders", "worker")
        yield Town(house, tenant)
    finally:
        house.close()


@pytest.fixture
def town(open_town: Town) -> Iterator[Town]:
    """Calm at the beginning, checked at the end."""
    open_town.calm_down()
    try:
        yield open_town
    finally:
        print(open_town.house.read_logs())
    open_town.wait_until_quiet()
    assert open_town.find_violations() == []
