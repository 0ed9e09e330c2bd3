"""Whose request it is, as the proxies tell it, and as a visitor would like us to believe."""

import pytest
import structlog
from allauth.account.adapter import get_adapter
from django.core.exceptions import PermissionDenied

from common.addresses import find_visitor_address
from smsplatform.logging import RequestMiddleware

PROXY = "172.18.0.5"


@pytest.mark.parametrize(
    ("count", "forwarded", "peer", "found"),
    [
        pytest.param(0, "", "203.0.113.9", "203.0.113.9", id="no proxy"),
        pytest.param(0, "10.0.0.1", "203.0.113.9", "203.0.113.9", id="no proxy, forged"),
        pytest.param(1, "203.0.113.9", PROXY, "203.0.113.9", id="one proxy"),
        pytest.param(1, "10.0.0.1, 203.0.113.9", PROXY, "203.0.113.9", id="one proxy, forged"),
        pytest.param(1, "rubbish,203.0.113.9", PROXY, "203.0.113.9", id="one proxy, rubbish before"),
        pytest.param(1, "", PROXY, PROXY, id="past the proxy"),
        pytest.param(2, "203.0.113.9, 198.51.100.7", PROXY, "203.0.113.9", id="two proxies"),
        pytest.param(2, "10.0.0.1, 203.0.113.9, 198.51.100.7", PROXY, "203.0.113.9", id="two proxies, forged"),
        pytest.param(2, "10.0.0.1", PROXY, PROXY, id="past one of two proxies, forged"),
        pytest.param(1, "203.0.113.9:4711", PROXY, "203.0.113.9", id="with a port"),
        pytest.param(1, "[2001:db8::9]:4711", PROXY, "2001:db8::9", id="IPv6 with a port"),
        pytest.param(1, "2001:DB8:0::9", PROXY, "2001:db8::9", id="IPv6"),
        pytest.param(1, "::ffff:203.0.113.9", PROXY, "203.0.113.9", id="IPv4 in IPv6"),
        pytest.param(1, "unknown", PROXY, None, id="no address"),
        pytest.param(0, "", "", None, id="a socket file"),
    ],
)
def test_the_visitor(rf, settings, count, forwarded, peer, found):
    settings.TRUSTED_PROXY_COUNT = count
    request = rf.get("/", REMOTE_ADDR=peer, **({"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}))
    address = find_visitor_address(request)
    assert (str(address) if address else None) == found
    if found:
        assert get_adapter().get_client_ip(request) == found
    else:
        with pytest.raises(PermissionDenied):
            get_adapter().get_client_ip(request)
    RequestMiddleware.bind_ip(request)
    assert structlog.contextvars.get_contextvars()["ip"] == (found or "")
    structlog.contextvars.clear_contextvars()


@pytest.mark.django_db
def test_attempts_to_sign_in_are_counted_by_the_visitor(client, settings):
    settings.TRUSTED_PROXY_COUNT = 1
    settings.ACCOUNT_RATE_LIMITS = {"login": "2/m/ip"}

    def sign_in(forwarded):
        form = {"login": "kimse@example.com", "password": "yanlis"}
        headers = {"REMOTE_ADDR": PROXY, "HTTP_X_FORWARDED_FOR": forwarded}
        return client.post("/auth/login/", form, **headers).status_code

    assert [sign_in(f"10.0.0.{n}, 203.0.113.77") for n in range(3)] == [200, 200, 429], "a new claim is no new visitor"
    assert sign_in("203.0.113.78") == 200
