"""The table in docs/gateways.md is what the tests show; every HTTP adapter has a contract test and a double."""

from gateways.http.gateway import HttpGateway
from gateways.registry import get_gateway_class, list_slugs
from gateways.simulator.providers.host import get_double_class, list_doubles
from tests.gateways.coverage import list_contracts, make_table, read_table


def test_the_table_is_current() -> None:
    assert read_table() == make_table(), "run: python -m tests.gateways.coverage --write"


def test_every_http_adapter_is_under_contract() -> None:
    slugs = [slug for slug in list_slugs() if issubclass(get_gateway_class(slug), HttpGateway)]
    assert list(dict.fromkeys(contract.slug for contract in list_contracts())) == slugs
    assert list_doubles() == slugs
    for slug in slugs:
        assert get_double_class(slug).slug == slug
