"""Every adapter's form fields fit its settings."""

import ssl

import pytest

from gateways.base import BadSettings
from gateways.findings import Finding, ForbiddenHost, find_connect_failure
from gateways.registry import get_gateway_class, list_slugs
from gateways.setting_fields import FieldKind, list_fields

KINDS = {
    FieldKind.WHOLE: int,
    FieldKind.DECIMAL: float,
    FieldKind.SWITCH: bool,
}
SAMPLES = {FieldKind.HOST: "smsc.example.com", FieldKind.URL: "https://sms.example.com"}


@pytest.mark.parametrize("slug", list_slugs())
def test_fields_are_whole_and_the_secrets_are_the_secret_ones(slug: str) -> None:
    fields = list_fields(get_gateway_class(slug))
    names = [field.name for field in fields]
    assert fields, "an adapter without fields cannot be connected from the panel"
    assert len(names) == len(set(names))
    assert all(field.label for field in fields)
    assert {f.name for f in fields if f.kind is FieldKind.SECRET} == get_gateway_class(slug).secret_settings
    for field in fields:
        assert bool(field.choices) is (field.kind is FieldKind.CHOICE)
        if field.choices and field.default is not None:
            assert field.default in dict(field.choices)
        if field.default is not None:
            assert isinstance(field.default, KINDS.get(field.kind, str))


@pytest.mark.parametrize("slug", list_slugs())
def test_the_adapter_takes_every_field(slug: str) -> None:
    """With defaults where there are some, and something short of the right type elsewhere."""
    adapter = get_gateway_class(slug)
    values = {f.name: f.default if f.default is not None else SAMPLES.get(f.kind, "x") for f in list_fields(adapter)}
    adapter.from_settings(values)
    with pytest.raises(BadSettings):
        adapter.from_settings({**values, "no_such_setting": 1})


@pytest.mark.parametrize("slug", ["figensoft", "vatansms", "verimor", "netgsm", "iletimerkezi", "mutlucell"])
def test_the_address_can_be_changed_in_the_form(slug: str) -> None:
    """Their sheets know of several hosts, or of hosts that moved."""
    assert "base_url" in {field.name for field in list_fields(get_gateway_class(slug))}


def test_a_failed_connection_is_named_by_its_deepest_cause() -> None:
    def fail(cause: Exception) -> Exception:
        try:
            try:
                raise cause
            except Exception as error:
                raise RuntimeError("wrapped") from error
        except RuntimeError as error:
            return error

    assert find_connect_failure(fail(ssl.SSLCertVerificationError(1, "x"))) is Finding.BAD_CERTIFICATE
    assert find_connect_failure(fail(ssl.SSLError(1, "x"))) is Finding.TLS_FAILED
    assert find_connect_failure(fail(ConnectionRefusedError())) is Finding.CONNECTION_REFUSED
    assert find_connect_failure(fail(ForbiddenHost())) is Finding.FORBIDDEN_HOST
    assert find_connect_failure(fail(OSError("no route"))) is Finding.UNREACHABLE
